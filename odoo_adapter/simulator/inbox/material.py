"""What an order used while it runs, reported one by one, and lots that the floor names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from odoo_adapter.inbox.install import MODEL, MODULE
from odoo_adapter.simulator.behaviour import note, stock
from odoo_adapter.simulator.behaviour.order import open_moves
from odoo_adapter.simulator.behaviour.product import convert, exactly, rounded
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    lot_of,
    number,
    order_of,
    product_of,
    result,
    unit_of,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record

_BENT: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class _Used:
    """What is reported, settled. `lot` None: the product has none."""

    order: Record
    product: Record
    lot: Record | None
    unit: Record
    quantity: float

    @property
    def move(self) -> Record | None:
        mine = (one for one in open_moves(self.order, "move_raw_ids") if one.link("product_id") == self.product)
        return next(mine, None)

    @property
    def source(self) -> Record:
        move = self.move
        return move.link("location_id") if move is not None else self.order.link("location_src_id")


def recorded(order: Record, p: Payload) -> set[int]:
    """The components of which consumption was recorded, here or by the bridge without the inbox."""
    database, codes = order.database, p.get("recorded")
    rows = [row for row in database.find(MODEL, "x_order_id", order.id) if row.text("x_kind") == "consume"]
    moves = [row.integer("x_res_id") for row in rows if row.text("x_state") == "done"]
    known = {database.browse("stock.move", id).link("product_id").id for id in moves}
    return known | {product_of(database, code).id for code in (codes if isinstance(codes, list) else [])}


def keep_recorded(moves: list[Record], parts: int) -> None:
    """At completion: what was recorded of this component stays."""
    if parts > 1:
        name = moves[0].link("product_id").text("display_name")
        raise Refusal("serials", f"what was used of {name} cannot be told apart by piece: list it in the completion")
    for move in moves:
        if not (move.flag("manual_consumption") and move.flag("picked")):
            move.write(quantity=0.0, picked=True)


def look_at(database: Database, p: Payload) -> None:
    """What a completion lists of expired lots is for a person to look at first."""
    doubts: list[str] = []
    listed = p.get("consume")
    for part in listed if isinstance(listed, list) else []:
        assert isinstance(part, dict)
        for lot in database.find("stock.lot", "name", part.get("lot") or ""):
            if lot.link("product_id").text("default_code") == part["product"] and (ended := _expired(lot, p)):
                doubts.append(f"lot {lot.text('name')} of {part['product']} expired at {ended}")
    if doubts and not p.get("consent"):
        raise Refusal("held", "; ".join(doubts) + ": release it to post it all the same")


def _expired(lot: Record, p: Payload) -> str:
    """When the lot expired, if it had when it was used; "" otherwise."""
    ends = lot.text("expiration_date")[:19]
    return ends if ends and ends <= str(p["at"]) else ""


def _consume(database: Database, p: Payload, key: str, by: str) -> Payload:
    used = _used(database, p)
    move = used.move
    if move is not None:
        _clear(used, move, p)
    taken, doubts = _take(used, p)
    if doubts and not p.get("consent"):
        raise Refusal("held", "; ".join(doubts) + ": release it to post it all the same")
    if move is None:
        used.order.write(move_raw_ids=[[0, 0, _new_component(used)]])
        move = used.move
        assert move is not None
    for place, quantity in taken:
        _add(move, used, place, quantity)
    move.write(picked=True, manual_consumption=True)
    mine = [line for line in move.links("move_line_ids") if line.maybe("lot_id") == used.lot]
    into = move.link("product_uom")
    total = sum(exactly(line.number("quantity"), line.link("product_uom_id"), into) for line in mine)
    name = used.lot.text("name") if used.lot else ""
    which, cause = f", lot {name}" if name else "", f" ({by})" if by else ""
    note.post(used.order, f"UNS bridge: consumed {p['qty']} {p['uom']} of {p['product']}{which} by {key}{cause}")
    return result(move, lot=name, consumed=round(total, 9))


def _used(database: Database, p: Payload) -> _Used:
    order = order_of(database, p, ("draft", "cancel"))
    if order.text("state") == "done":
        closed = "is done, and what it used is closed: correct that in Odoo, then skip this report"
        raise Refusal("order_state", f"{order.text('name')} {closed}")
    product = product_of(database, p["product"])
    unit = unit_of(p["uom"], product.link("uom_id"))
    quantity = _exact(number(p["qty"]), unit, product)
    lot = None
    if product.text("tracking") != "none":
        if not p.get("lot"):
            raise Refusal("lot_missing", str(p["product"]))
        lot = lot_of(product, p["lot"], make=False)
    return _Used(order=order, product=product, lot=lot, unit=unit, quantity=quantity)


def _exact(quantity: float, unit: Record, product: Record) -> float:
    own = product.link("uom_id")
    line, held = rounded(quantity, unit), convert(quantity, unit, own) or 0.0
    wanted = exactly(quantity, unit, own)
    if line <= 0 or abs(line - quantity) > quantity * _BENT or abs(held - wanted) > wanted * _BENT:
        name, step = own.text("name"), own.number("rounding")
        raise Refusal(
            "precision",
            f"{quantity} {unit.text('name')} of {product.text('display_name')} would be {held} {name}, for Odoo counts "
            f"it in steps of {step} {name}: count the product in a smaller unit, or give that unit more digits",
        )
    return line


def _clear(used: _Used, move: Record, p: Payload) -> None:
    """Drop what only reserves the component, and what Odoo filled in."""
    order, first = used.order, used.product.id not in recorded(used.order, p)
    made = (order.number("qty_producing"), order.number("product_qty"))
    ratios = [abs(one * move.number("unit_factor") - move.number("quantity")) < stock.EPSILON for one in made]
    filled_in = not move.flag("manual_consumption") or any(ratios)
    drop_all = move.flag("picked") and first and filled_in
    for line in move.links("move_line_ids"):
        if drop_all or not line.flag("picked"):
            move.database.unlink(line)


def _take(used: _Used, p: Payload) -> tuple[list[tuple[Record, float]], list[str]]:
    """Places and quantities, and what a person must look at first."""
    doubts: list[str] = []
    if used.move is None:
        if used.order.text("consumption") == "strict":
            name = used.order.text("name")
            raise Refusal("strict", f"the bill of materials of {name} allows no other component than its own")
        doubts.append(f"{p['product']} is not a component of {used.order.text('name')}")
    lot, code = used.lot, p["product"]
    if lot and (ended := _expired(lot, p)):
        doubts.append(f"lot {lot.text('name')} of {code} expired at {ended}")
    taken, left = _take_from(used, used.source, used.quantity)
    hold = reference(used.order.database, f"{MODULE}.location_hold_{used.order.database.company}")
    if left and lot and hold is not None:
        more, left = _take_from(used, hold, left)
        if more:
            doubts.append(f"lot {lot.text('name')} of {code} is on hold")
            taken += more
    if left and lot:
        raise Refusal("no_stock", f"{lot.text('name')} of {code}")
    return ([*taken, (used.source, left)] if left else taken), doubts


def _take_from(used: _Used, place: Record, left: float) -> tuple[list[tuple[Record, float]], float]:
    """From where it lies; what orders used up is not there any more."""
    database, path = used.order.database, place.text("parent_path")
    taken: list[tuple[Record, float]] = []
    for quant in database.find("stock.quant", "product_id", used.product.id):
        location = quant.link("location_id")
        if quant.maybe("lot_id") != used.lot or not location.text("parent_path").startswith(path):
            continue
        free = quant.number("quantity")
        for line in database.find("stock.move.line", "location_id", location.id):
            mine = line.get("product_id") == used.product.id and line.maybe("lot_id") == used.lot
            if mine and line.flag("picked") and line.text("state") not in ("done", "cancel"):
                own = used.product.link("uom_id")
                free -= convert(line.number("quantity"), line.link("product_uom_id"), own) or 0.0
        amount = min(left, convert(free, used.product.link("uom_id"), used.unit) or 0.0)
        if amount > stock.EPSILON:
            taken.append((location, amount))
            left = round(left - amount, 6)
    return taken, left if left > stock.EPSILON else 0.0


def _new_component(used: _Used) -> Payload:
    order = used.order
    return {
        "product_id": used.product.id,
        "product_uom": used.product.link("uom_id").id,
        "product_uom_qty": 0.0,
        "location_id": order.link("location_src_id").id,
        "location_dest_id": order.link("production_location_id").id,
    }


def _add(move: Record, used: _Used, place: Record, quantity: float) -> None:
    for line in move.links("move_line_ids"):
        same = line.maybe("lot_id") == used.lot and line.link("product_uom_id") == used.unit
        if same and line.link("location_id") == place:
            line.write(quantity=round(line.number("quantity") + quantity, 6))
            return
    line = stock.add_line(move, quantity, used.lot, place)
    line.write(product_uom_id=used.unit.id, picked=True)


def _lot(database: Database, p: Payload, key: str, by: str) -> Payload:
    product = product_of(database, p["product"])
    if product.text("tracking") == "none":
        raise Refusal("untracked", f"{p['product']} has no lots in Odoo")
    there = [lot for lot in database.find("stock.lot", "name", p["lot"]) if lot.get("product_id") == product.id]
    if p.get("expires") and not product.flag("use_expiration_date"):
        reason = "keeps no expiration dates in Odoo: switch them on for the product, or leave them out of the rule"
        raise Refusal("expiry", f"{p['product']} {reason}")
    lot = lot_of(product, p["lot"], make=True)
    if p.get("expires") and not there:
        lot.write(expiration_date=p["expires"])
    note.post(lot, f"UNS bridge: named by {key}{f' ({by})' if by else ''}")
    return result(lot, lot=lot.text("name"))


KINDS: Final[dict[str, Effect]] = {"consume": _consume, "lot": _lot}
