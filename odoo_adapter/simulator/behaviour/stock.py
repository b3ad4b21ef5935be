"""Stock: quantities by product, lot and location, reservations, and moves that change them."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour.note import message_post
from odoo_adapter.simulator.behaviour.product import convert, exactly, rounded
from odoo_adapter.simulator.errors import user_error, validation_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row, related
from ruleset.sample import Plain

EPSILON: Final = 1e-6
KEPT: Final = ("internal", "transit")
"""Usages of locations where only what is counted can be taken; others give whatever is asked."""


def quant(product: Record, location: Record, lot: Record | None) -> Record | None:
    """The record that counts this product in this location and lot, if there is one."""
    for record in product.database.find("stock.quant", "product_id", product.id):
        if record.link("location_id") == location and record.maybe("lot_id") == lot:
            return record
    return None


def add(product: Record, location: Record, lot: Record | None, quantity: float) -> Record:
    """Change what is counted, in the product's unit. Below zero is allowed, as in Odoo."""
    found = quant(product, location, lot)
    if found is None:
        found = product.database.create(
            "stock.quant",
            {"product_id": product.id, "location_id": location.id, "lot_id": lot.id if lot else None},
        )
    found.write(quantity=round(found.number("quantity") + quantity, 6))
    return found


def on_hand(product: Record, location: Record, lot: Record | None) -> float:
    """What is counted of the product (of the lot, if one is given) in the location and all below it."""
    path = location.text("parent_path")
    total = 0.0
    for record in product.database.find("stock.quant", "product_id", product.id):
        if record.link("location_id").text("parent_path").startswith(path) and lot in (None, record.maybe("lot_id")):
            total += record.number("quantity")
    return round(total, 6)


def reserve(move: Record) -> None:
    """Set lines for what the move still lacks from free stock at its source, oldest first."""
    missing = round(move.number("product_uom_qty") - move.number("quantity"), 6)
    product, unit = move.link("product_id"), move.link("product_uom")
    path = move.link("location_id").text("parent_path")
    candidates = move.database.find("stock.quant", "product_id", product.id)
    for found in move.database.sorted("stock.quant", candidates, "in_date, id"):
        location = found.link("location_id")
        free = convert(found.number("available_quantity"), product.link("uom_id"), unit) or 0.0
        if missing > EPSILON and free > EPSILON and location.text("parent_path").startswith(path):
            taken = min(missing, free)
            add_line(move, taken, found.maybe("lot_id"), location)
            missing = round(missing - taken, 6)
    if missing > EPSILON and (move.link("location_id").text("usage") not in KEPT or not product.flag("is_storable")):
        add_line(move, missing, None)
        missing = 0.0
    held = move.number("quantity")
    state = "assigned" if missing <= EPSILON else "partially_available" if held > EPSILON else "confirmed"
    _set_state(move, state)


def release(move: Record) -> None:
    """Drop the move's lines, and with them what they reserve."""
    for line in move.links("move_line_ids"):
        move.database.unlink(line)


def add_line(move: Record, quantity: float, lot: Record | None, location: Record | None = None) -> Record:
    return move.database.create(
        "stock.move.line",
        {
            "move_id": move.id,
            "product_id": move.link("product_id").id,
            "product_uom_id": move.link("product_uom").id,
            "quantity": quantity,
            "lot_id": lot.id if lot else None,
            "location_id": (location or move.link("location_id")).id,
            "location_dest_id": move.link("location_dest_id").id,
            "state": move.text("state"),
            "picked": move.flag("picked"),
        },
    )


def set_quantity(move: Record, quantity: float) -> None:
    """Make the move's lines add up to this: the last lines shrink, or one line takes what is more."""
    surplus = round(move.number("quantity") - quantity, 6)
    lines = move.links("move_line_ids")
    for line in reversed(lines):
        if surplus <= EPSILON:
            break
        held = _of_line(line, move)
        cut = min(surplus, held)
        surplus = round(surplus - cut, 6)
        if held - cut <= EPSILON:
            move.database.unlink(line)
        else:
            line.write(quantity=round(held - cut, 6), product_uom_id=move.get("product_uom"))
    if surplus < -EPSILON:
        if lines and lines[-1].maybe("lot_id") is None:
            lines[-1].write(quantity=round(lines[-1].number("quantity") - surplus, 6))
        else:
            add_line(move, -surplus, None)


def finish(move: Record) -> None:
    """Carry out the move's lines: what they hold leaves the source and arrives at the destination."""
    for line in move.links("move_line_ids"):
        product, lot = line.link("product_id"), line.maybe("lot_id")
        quantity = convert(line.number("quantity"), line.link("product_uom_id"), product.link("uom_id"))
        if quantity is None:
            raise user_error(f"The unit of measure of {product.text('display_name')} does not fit its move.")
        add(product, line.link("location_id"), lot, -quantity)
        add(product, line.link("location_dest_id"), lot, quantity)
        line.write(state="done", picked=True, date=move.database.now())
    move.write(state="done", picked=True, date=move.database.now())


def cancel(move: Record) -> None:
    release(move)
    _set_state(move, "cancel")


def move_values(product: Record, unit: Record, quantity: float, source: Record, destination: Record) -> Row:
    """The values that every move needs."""
    return {
        "product_id": product.id,
        "product_uom": unit.id,
        "product_uom_qty": quantity,
        "location_id": source.id,
        "location_dest_id": destination.id,
        "date": product.database.now(),
    }


def _set_state(move: Record, state: str) -> None:
    move.write(state=state)
    for line in move.links("move_line_ids"):
        line.write(state=state)


def _reserved(record: Record) -> Plain:
    held = 0.0
    for state in ("assigned", "partially_available", "confirmed"):
        for line in record.database.find("stock.move.line", "state", state):
            same_place = line.get("product_id") == record.get("product_id") and line.get("location_id") == record.get(
                "location_id"
            )
            if same_place and line.get("lot_id") == record.get("lot_id"):
                product = line.link("product_id")
                held += convert(line.number("quantity"), line.link("product_uom_id"), product.link("uom_id")) or 0.0
    return round(held, 6)


def _free(record: Record) -> Plain:
    return round(record.number("quantity") - record.number("reserved_quantity"), 6)


def _move_quantity(move: Record) -> Plain:
    return round(sum(_of_line(line, move) for line in move.links("move_line_ids")), 6)


def _of_line(line: Record, move: Record) -> float:
    """What a line holds, in the unit of its move."""
    return exactly(line.number("quantity"), line.link("product_uom_id"), move.link("product_uom"))


def _should_consume(move: Record) -> Plain:
    order = move.maybe("raw_material_production_id")
    if order is None:
        return 0.0
    left = order.number("qty_producing") - order.number("qty_produced")
    return rounded(left * move.number("unit_factor"), move.link("product_uom"))


def _lots(move: Record) -> Plain:
    return [*sorted({lot.id for line in move.links("move_line_ids") if (lot := line.maybe("lot_id")) is not None})]


def _unit_factor(move: Record) -> Plain:
    order = move.maybe("raw_material_production_id") or move.maybe("production_id")
    if order is None:
        return 1.0
    return move.number("product_uom_qty") / ((order.number("product_qty") - order.number("qty_produced")) or 1.0)


def _prepare_move(database: Database, row: Row) -> None:
    row.setdefault("date", database.now())


def _move_written(move: Record, names: frozenset[str]) -> None:
    if "quantity" in names and "move_line_ids" not in names:
        wanted = move.database.stored(move, "quantity")
        set_quantity(move, float(wanted) if isinstance(wanted, int | float) else 0.0)
    if "picked" in names:
        for line in move.links("move_line_ids"):
            if line.flag("picked") != move.flag("picked"):
                line.write(picked=move.flag("picked"))


def _prepare_line(database: Database, row: Row) -> None:
    """A line that comes with a move takes over what it does not say itself."""
    move_id = row.get("move_id")
    row.setdefault("date", database.now())
    if isinstance(move_id, int) and database.exists("stock.move", move_id):
        move = database.browse("stock.move", move_id)
        row.setdefault("reference", move.text("reference"))
        row.setdefault("state", move.text("state"))
        row.setdefault("product_uom_id", move.get("product_uom"))
        for name in ("product_id", "location_id", "location_dest_id"):
            row.setdefault(name, move.get(name))


def _move_name(move: Record) -> Plain:
    source, destination = (move.link(name).text("name") for name in ("location_id", "location_dest_id"))
    return f"{move.link('product_id').text('default_code')}: {source}>{destination}"


def _operation_name(kind: Record) -> Plain:
    return f"{kind.link('warehouse_id').text('name')}: {kind.text('name')}"


def _lot_created(lot: Record) -> None:
    same = [
        other
        for other in lot.database.find("stock.lot", "name", lot.get("name"))
        if other.get("product_id") == lot.get("product_id")
        and (other.get("company_id") in (None, lot.get("company_id")) or lot.get("company_id") is None)
    ]
    if len(same) > 1:
        raise validation_error(
            "The combination of lot/serial number and product must be unique within a company including when no "
            "company is defined.\nThe following combinations contain duplicates:\n - Product: "
            f"{lot.link('product_id').text('display_name')}, Lot/Serial Number: {lot.text('name')}"
        )


def _internal_quants(lot: Record) -> list[Record]:
    return [record for record in lot.links("quant_ids") if record.link("location_id").text("usage") == "internal"]


def _lot_quantity(lot: Record) -> Plain:
    return round(sum(record.number("quantity") for record in _internal_quants(lot)), 6)


def _lot_location(lot: Record) -> Plain:
    places = {record.link("location_id").id for record in _internal_quants(lot) if record.number("quantity") > 0}
    return places.pop() if len(places) == 1 else None


def _location_created(location: Record) -> None:
    above = location.maybe("location_id")
    path, prefix = ("", "") if above is None else (above.text("parent_path"), f"{above.text('complete_name')}/")
    location.write(parent_path=f"{path}{location.id}/", complete_name=f"{prefix}{location.text('name')}")


def _prepare_quant(database: Database, row: Row) -> None:
    row.setdefault("in_date", database.now())
    row.setdefault("company_id", database.company)


def _create_quants(database: Database, records: list[Record], call: Call) -> Plain:
    """In Odoo's inventory mode a count of what is already counted is the same record."""
    rows = call.arguments["vals_list"]
    ids: list[Plain] = []
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, dict):
            continue
        counted = database.create("stock.quant", {**row, "inventory_quantity_set": "inventory_quantity" in row})
        for other in database.find("stock.quant", "product_id", counted.get("product_id")):
            same = (other.get("location_id"), other.get("lot_id")) == (
                counted.get("location_id"),
                counted.get("lot_id"),
            )
            if same and other != counted:
                other.write(inventory_quantity=counted.get("inventory_quantity"), inventory_quantity_set=True)
                database.unlink(counted)
                counted = other
                break
        ids.append(counted.id)
    return ids


def _apply_inventory(database: Database, records: list[Record], call: Call) -> Plain:
    """What is found comes from the place of inventory adjustments, and what is not there goes to it."""
    adjusted = database.search("stock.location", [["usage", "=", "inventory"]])[0]
    for record in records:
        counted = record.number("inventory_quantity")
        add(record.link("product_id"), adjusted, record.maybe("lot_id"), record.number("quantity") - counted)
        record.write(quantity=counted, inventory_quantity=0.0, inventory_quantity_set=False)
    return None


BEHAVIOURS: Final = {
    "stock.picking.type": Behaviour(computed={"display_name": _operation_name}),
    "stock.location": Behaviour(computed={"display_name": related("complete_name")}, created=_location_created),
    "stock.lot": Behaviour(
        computed={
            "product_qty": _lot_quantity,
            "location_id": _lot_location,
            "product_uom_id": related("product_id.uom_id"),
        },
        created=_lot_created,
        methods={"message_post": message_post},
    ),
    "stock.quant": Behaviour(
        computed={
            "reserved_quantity": _reserved,
            "available_quantity": _free,
            "product_tmpl_id": related("product_id.product_tmpl_id"),
            "product_uom_id": related("product_id.uom_id"),
            "tracking": related("product_id.tracking"),
        },
        prepare=_prepare_quant,
        methods={
            "create": Method(run=_create_quants, parameters=("vals_list",), required=("vals_list",), on_model=True),
            "action_apply_inventory": Method(run=_apply_inventory),
        },
    ),
    "stock.move": Behaviour(
        computed={
            "display_name": _move_name,
            "quantity": _move_quantity,
            "unit_factor": _unit_factor,
            "should_consume_qty": _should_consume,
            "has_tracking": related("product_id.tracking"),
            "lot_ids": _lots,
        },
        prepare=_prepare_move,
        written=_move_written,
    ),
    "stock.move.line": Behaviour(computed={"tracking": related("product_id.tracking")}, prepare=_prepare_line),
}
