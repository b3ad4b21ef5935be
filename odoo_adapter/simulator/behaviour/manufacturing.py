"""Manufacturing orders: made from a bill of materials, confirmed, and done, with Odoo 19's traps.

Marking a done order done again answers True, rewrites its end and erases the genealogy of its lot, as on a real server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from odoo_adapter.simulator.behaviour import planning, stock, workorder
from odoo_adapter.simulator.behaviour.backorder import split
from odoo_adapter.simulator.behaviour.note import message_post
from odoo_adapter.simulator.behaviour.order import OPEN, deviates, open_moves, refresh_state, set_qty_producing
from odoo_adapter.simulator.behaviour.product import convert, rounded
from odoo_adapter.simulator.errors import user_error, value_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row, related
from ruleset.sample import Plain

_INVENTED_LOT_DIGITS: Final = 7


def _prepare(database: Database, row: Row) -> None:
    """A new order's product decides its unit, its bill of materials and its places."""
    kind = database.search("stock.picking.type", [["code", "=", "mrp_operation"]])[0]
    row.setdefault("picking_type_id", kind.id)
    row.setdefault("location_src_id", kind.get("default_location_src_id"))
    row.setdefault("location_dest_id", kind.get("default_location_dest_id"))
    row.setdefault("production_location_id", database.search("stock.location", [["usage", "=", "production"]])[0].id)
    row.setdefault("date_start", database.now())
    row.setdefault("user_id", database.user)
    product_id = row.get("product_id")
    if isinstance(product_id, int) and database.exists("product.product", product_id):
        product = database.browse("product.product", product_id)
        bom = _bom_of(product) if "bom_id" not in row else None
        if bom is not None:
            row["bom_id"] = bom.id
        row.setdefault("product_uom_id", product.get("uom_id"))


def _bom_of(product: Record) -> Record | None:
    database = product.database
    domain: Plain = [["product_tmpl_id", "=", product.get("product_tmpl_id")], ["type", "=", "normal"]]
    candidates = database.search("mrp.bom", domain)
    own = [bom for bom in candidates if bom.get("product_id") in (None, product.id)]
    return own[0] if own else None


def _created(order: Record) -> None:
    order.database.write(order, {"name": f"WH/MO/{order.id:05}"})
    group = order.database.create("mrp.production.group", {"name": order.text("name")})
    order.write(production_group_id=group.id)
    bom = order.maybe("bom_id")
    if bom is not None:
        order.write(consumption=bom.text("consumption"))
        _plan(order, bom)
    else:
        _finished_move(order, order.link("product_id"), order.link("product_uom_id"), order.number("product_qty"))
    minutes = sum(step.number("duration_expected") for step in order.links("workorder_ids")) or 60
    order.write(date_finished=_later(order.text("date_start"), minutes))


def _plan(order: Record, bom: Record) -> None:
    """Component, finished and by-product moves and work orders, in proportion to the order's quantity."""
    wanted = convert(order.number("product_qty"), order.link("product_uom_id"), bom.link("product_uom_id"))
    if wanted is None:
        raise user_error("The unit of the order does not fit the unit of its bill of materials.")
    share = wanted / bom.number("product_qty")
    for line in bom.links("bom_line_ids"):
        order.database.create(
            "stock.move",
            stock.move_values(
                line.link("product_id"),
                line.link("product_uom_id"),
                round(line.number("product_qty") * share, 6),
                order.link("location_src_id"),
                order.link("production_location_id"),
            )
            | {
                "raw_material_production_id": order.id,
                "bom_line_id": line.id,
                "operation_id": line.get("operation_id"),
                "reference": order.text("name"),
                "sequence": line.integer("sequence"),
            },
        )
    _finished_move(order, order.link("product_id"), order.link("product_uom_id"), order.number("product_qty"))
    for byproduct in bom.links("byproduct_ids"):
        quantity = round(byproduct.number("product_qty") * share, 6)
        move = _finished_move(order, byproduct.link("product_id"), byproduct.link("product_uom_id"), quantity)
        move.write(byproduct_id=byproduct.id)
    workorder.plan(order, bom)


def _finished_move(order: Record, product: Record, unit: Record, quantity: float) -> Record:
    values = stock.move_values(
        product, unit, quantity, order.link("production_location_id"), order.link("location_dest_id")
    )
    return order.database.create("stock.move", values | {"production_id": order.id, "reference": order.text("name")})


def confirm(order: Record) -> None:
    """Release a draft order: its components are reserved, its first work order is ready."""
    if order.text("state") != "draft":
        return
    order.write(state="confirmed")
    for move in [*order.links("move_raw_ids"), *order.links("move_finished_ids")]:
        move.write(state="confirmed")
        stock.reserve(move)
    workorder.refresh_states(order)


def mark_done(order: Record, context: Mapping[str, Plain]) -> Plain:
    """Close an order. Answers True, or a wizard's description, which means that nothing was done."""
    if order.text("state") == "done":
        return _mark_done_again(order)
    if order.text("state") in ("draft", "cancel"):
        raise user_error(f"The order {order.text('name')} is {order.text('state')}.")
    if order.number("qty_producing") <= 0:
        order.write(qty_producing=order.number("product_qty"))
        set_qty_producing(order)
    if not context.get("skip_consumption") and order.text("consumption") != "flexible" and deviates(order):
        return _wizard("Consumption Warning", "mrp.consumption.warning", order)
    short = order.number("qty_producing") < order.number("product_qty") - stock.EPSILON
    if not context.get("skip_backorder") and short:
        return _wizard("You produced less than the initial demand", "mrp.production.backorder", order)
    rest = context.get("mo_ids_to_backorder")
    backorder = split(order) if short and isinstance(rest, list) and order.id in rest else None
    _close(order)
    if backorder is not None:
        confirm(backorder)
    return True


def _close(order: Record) -> None:
    workorder.finish_all(order)
    _invent_lot(order)
    consumed = [line for move in open_moves(order, "move_raw_ids") for line in _consume(move)]
    for move in open_moves(order, "move_finished_ids"):
        move.write(state="assigned")
        if move.get("product_id") == order.get("product_id"):
            _bring_out(order, move)
        stock.finish(move)
        for line in move.links("move_line_ids"):
            line.write(consume_line_ids=[[6, 0, [used.id for used in consumed]]])
            for used in consumed:
                used.write(produce_line_ids=[[4, line.id]])
    order.write(state="done", date_finished=order.database.now(), is_locked=True, priority="0")


def _bring_out(order: Record, move: Record) -> None:
    """The finished move gets what was produced, in the order's lot, to where the move goes now."""
    lots = order.links("lot_producing_ids")
    if len(lots) > 1:  # serial numbers: one piece each
        stock.release(move)
        for lot in lots:
            stock.add_line(move, 1.0, lot)
        return
    stock.set_quantity(move, order.number("qty_producing"))
    for line in move.links("move_line_ids"):
        line.write(lot_id=lots[0].id if lots else None, location_dest_id=move.get("location_dest_id"))


def _consume(move: Record) -> list[Record]:
    """Post a picked component; one that nobody picked is closed without effect."""
    if move.flag("picked") and move.number("quantity") > 0:
        stock.finish(move)
        return move.links("move_line_ids")
    stock.release(move)
    move.write(state="done", product_uom_qty=0.0)
    return []


def _invent_lot(order: Record) -> None:
    """Odoo makes a lot of its own when nobody named one."""
    product = order.link("product_id")
    if product.text("tracking") == "none" or order.links("lot_producing_ids"):
        return
    number = len(order.database.all("stock.lot")) + 1
    lot = order.database.create(
        "stock.lot",
        {"name": f"{number:0{_INVENTED_LOT_DIGITS}}", "product_id": product.id, "company_id": order.get("company_id")},
    )
    order.write(lot_producing_ids=[[6, 0, [lot.id]]])


def _mark_done_again(order: Record) -> Plain:
    for move in order.links("move_finished_ids"):
        for line in move.links("move_line_ids"):
            for used in line.links("consume_line_ids"):
                used.write(produce_line_ids=[[3, line.id]])
            line.write(consume_line_ids=[[5]], date=order.database.now())
    order.write(date_finished=order.database.now())
    return True


def _wizard(name: str, model: str, order: Record) -> Plain:
    context: dict[str, Plain] = {"default_mrp_production_ids": [order.id]}
    return {
        "name": name,
        "type": "ir.actions.act_window",
        "res_model": model,
        "view_mode": "form",
        "target": "new",
        "context": context,
    }


def _cancel(order: Record) -> None:
    if order.text("state") == "done":
        raise user_error("You cannot cancel a manufacturing order that is already done.")
    for move in [*open_moves(order, "move_raw_ids"), *open_moves(order, "move_finished_ids")]:
        stock.cancel(move)
    for step in order.links("workorder_ids"):
        if step.text("state") != "done":
            step.write(state="cancel")
    order.write(state="cancel")


def _written(order: Record, names: frozenset[str]) -> None:
    if "qty_producing" in names:
        workorder.expect(order)
        refresh_state(order)
    if "location_dest_id" in names:
        _redirect(order)
    if "move_raw_ids" in names and order.text("state") in OPEN:
        for move in order.links("move_raw_ids"):
            if move.text("state") == "draft":
                move.write(state="confirmed", reference=order.text("name"))


def _redirect(order: Record) -> None:
    """Odoo sends all moves of an order to its new destination: even what is done, and what went to scrap."""
    places = {"production_id": "location_dest_id", "raw_material_production_id": "production_location_id"}
    for link, place in places.items():
        for move in order.database.find("stock.move", link, order.id):
            move.write(location_dest_id=order.get(place))


def _qty_produced(order: Record) -> Plain:
    own = [move for move in order.links("move_finished_ids") if move.get("product_id") == order.get("product_id")]
    return round(sum(move.number("quantity") for move in own if move.text("state") == "done"), 6)


def _without_scrap(inverse: str) -> Callable[[Record], Plain]:
    """Scrap moves belong to the order too, but are neither its components nor what it made."""

    def moves(order: Record) -> Plain:
        found = order.database.find("stock.move", inverse, order.id)
        kept = [move for move in found if move.link("location_dest_id").text("usage") != "inventory"]
        return [move.id for move in order.database.sorted("stock.move", kept)]

    return moves


def _byproducts(order: Record) -> Plain:
    moves = order.links("move_finished_ids")
    return [move.id for move in moves if move.get("product_id") != order.get("product_id")]


def _is_planned(order: Record) -> Plain:
    return any(step.text("date_start") and step.text("date_finished") for step in order.links("workorder_ids"))


def _reservation_state(order: Record) -> Plain:
    states = [move.text("state") for move in open_moves(order, "move_raw_ids")]
    if order.text("state") in ("draft", "done", "cancel") or not states:
        return None
    return "assigned" if all(state == "assigned" for state in states) else "confirmed"


def _bom_name(bom: Record) -> Plain:
    product = bom.maybe("product_id") or bom.link("product_tmpl_id")
    code = bom.text("code")
    return f"{code}: {product.text('display_name')}" if code else product.text("display_name")


def _prepare_bom_line(database: Database, row: Row) -> None:
    product_id = row.get("product_id")
    if isinstance(product_id, int) and database.exists("product.product", product_id):
        row.setdefault("product_uom_id", database.browse("product.product", product_id).get("uom_id"))


def _prepare_bom(database: Database, row: Row) -> None:
    template = row.get("product_tmpl_id")
    if isinstance(template, int) and database.exists("product.template", template):
        row.setdefault("product_uom_id", database.browse("product.template", template).get("uom_id"))


def _later(moment: str, minutes: float) -> str:
    return str(datetime.fromisoformat(moment) + timedelta(seconds=round(minutes * 60)))


def _run_confirm(database: Database, records: list[Record], call: Call) -> Plain:
    for order in records:
        confirm(order)
    return True


def _run_change_quantity(database: Database, records: list[Record], call: Call) -> Plain:
    """What is still to do changes in proportion; what was reserved is reserved anew. An order on which something was
    counted shows the whole new quantity."""
    for dialog in records:
        order, wanted = dialog.link("mo_id"), dialog.number("product_qty")
        if order.text("state") in ("done", "cancel") or wanted <= order.number("qty_produced"):
            raise user_error(f"You cannot change the quantity of {order.text('name')} to {wanted}.")
        factor = wanted / order.number("product_qty")
        for move in [*open_moves(order, "move_raw_ids"), *open_moves(order, "move_finished_ids")]:
            move.write(product_uom_qty=rounded(move.number("product_uom_qty") * factor, move.link("product_uom")))
        for step in order.links("workorder_ids"):
            if step.text("state") not in ("done", "cancel"):
                step.write(duration_expected=round(step.number("duration_expected") * factor, 6))
        order.write(product_qty=wanted)
        if order.number("qty_producing"):
            order.write(qty_producing=wanted)
        for move in open_moves(order, "move_raw_ids"):
            if move.text("state") != "draft" and not move.flag("picked"):
                stock.release(move)
                stock.reserve(move)
    return {}


def _run_assign(database: Database, records: list[Record], call: Call) -> Plain:
    for order in records:
        for move in open_moves(order, "move_raw_ids"):
            if move.text("state") in ("confirmed", "partially_available"):
                stock.reserve(move)
    return True


def _run_cancel(database: Database, records: list[Record], call: Call) -> Plain:
    for order in records:
        _cancel(order)
    return True


def _run_set_qty_producing(database: Database, records: list[Record], call: Call) -> Plain:
    if len(records) != 1:
        raise value_error(f"Expected singleton: mrp.production({', '.join(str(order.id) for order in records)})")
    set_qty_producing(records[0])
    return None


def _run_mark_done(database: Database, records: list[Record], call: Call) -> Plain:
    answers = [mark_done(order, call.context) for order in records]
    return next((answer for answer in answers if answer is not True), True)


BEHAVIOURS: Final = {
    "mrp.production": Behaviour(
        computed={
            "qty_produced": _qty_produced,
            "move_raw_ids": _without_scrap("raw_material_production_id"),
            "move_finished_ids": _without_scrap("production_id"),
            "move_byproduct_ids": _byproducts,
            "reservation_state": _reservation_state,
            "is_planned": _is_planned,
            "product_tracking": related("product_id.tracking"),
            "serial_numbers_count": lambda order: len(order.links("lot_producing_ids")),
        },
        prepare=_prepare,
        created=_created,
        written=_written,
        methods={
            "action_confirm": Method(run=_run_confirm),
            "action_assign": Method(run=_run_assign),
            "action_cancel": Method(run=_run_cancel),
            "set_qty_producing": Method(run=_run_set_qty_producing),
            "button_mark_done": Method(run=_run_mark_done),
            "button_plan": planning.PLAN,
            "button_unplan": planning.UNPLAN,
            "message_post": message_post,
        },
    ),
    "change.production.qty": Behaviour(methods={"change_prod_qty": Method(run=_run_change_quantity)}),
    "mrp.bom": Behaviour(computed={"display_name": _bom_name}, prepare=_prepare_bom),
    "mrp.bom.line": Behaviour(
        computed={
            "display_name": related("product_id.display_name"),
            "tracking": related("product_id.tracking"),
            "product_tmpl_id": related("product_id.product_tmpl_id"),
            "company_id": related("bom_id.company_id"),
        },
        prepare=_prepare_bom_line,
    ),
    "mrp.bom.byproduct": Behaviour(
        computed={"display_name": related("product_id.display_name"), "company_id": related("bom_id.company_id")},
        prepare=_prepare_bom_line,
    ),
    "mrp.routing.workcenter": Behaviour(
        computed={"time_cycle": related("time_cycle_manual"), "company_id": related("bom_id.company_id")}
    ),
}
