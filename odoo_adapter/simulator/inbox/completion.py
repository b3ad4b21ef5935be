"""An order done: its quantity, its lots, what it consumed and brought, where its goods go, and what is left of it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.simulator.behaviour import manufacturing, note, stock
from odoo_adapter.simulator.behaviour.order import deviates, open_moves, set_qty_producing
from odoo_adapter.simulator.behaviour.product import convert, rounded
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.material import keep_recorded, look_at, recorded
from odoo_adapter.simulator.inbox.payload import (
    CLOSED,
    Effect,
    Payload,
    Refusal,
    in_unit,
    limit,
    lot_of,
    order_of,
    positive,
    product_of,
    result,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

_LINKS: Final = ("production_id", "raw_material_production_id")
"""How a move belongs to an order: made by it or used for it, scrap included."""


def _complete(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, CLOSED)
    quantity = positive(p["qty"], p["uom"], order.link("product_uom_id"))
    limit(order, quantity, p)
    rest = p.get("short") == "backorder" and quantity < order.number("product_qty") - stock.EPSILON
    lots = _finished_lots(order, quantity, p)
    together = "serial_numbers_count" in database.models["mrp.production"].fields or len(lots) < 2
    steps = [lots] if together else [[lot] for lot in lots]
    at, done = order, list[Record]()
    for number, step in enumerate(steps, start=1):
        done.append(at)
        leaves = rest or number < len(steps)
        closing = _Closing(p=p, quantity=quantity / len(steps), lots=step, part=(number, len(steps)), leaves=leaves)
        at = _close(at, closing, key, by)
    names: list[Plain] = [f"mo-{one.id}" for one in done]
    left = f"mo-{at.id}" if rest else None
    return result(order, qty=quantity, lot=p.get("lot"), hold=bool(p.get("hold")), orders=names, backorder=left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closing:
    """How one order is closed: the `part` of the payload that is its share, and whether it leaves a backorder."""

    p: Payload
    quantity: float
    lots: list[Record]
    part: tuple[int, int]
    leaves: bool

    def amount(self, whole: float, unit: Record) -> float:
        """Its share of a quantity; all shares together are the whole."""
        number, count = self.part
        return rounded(rounded(whole * number / count, unit) - rounded(whole * (number - 1) / count, unit), unit)


def _finished_lots(order: Record, quantity: float, p: Payload) -> list[Record]:
    product, serials = order.link("product_id"), p.get("serials")
    tracking = product.text("tracking")
    names = serials if isinstance(serials, list) else [p["lot"]] if p.get("lot") else []
    if tracking != "none" and not names:
        raise Refusal("lot_missing", product.text("display_name"))
    if serials and tracking != "serial":
        raise Refusal("serials", f"{product.text('display_name')} has no serial numbers")
    pieces = convert(quantity, order.link("product_uom_id"), product.link("uom_id"))
    if tracking == "serial" and pieces != len(names):
        unit = product.link("uom_id").text("name")
        raise Refusal("serials", f"{len(names)} serial numbers for {pieces} {unit}")
    return [lot_of(product, name, make=True) for name in names] if tracking != "none" else []


def _close(order: Record, closing: _Closing, key: str, by: str) -> Record:
    """One order done; answers the order that is left to be made, or the same."""
    p, database = closing.p, order.database
    order.write(qty_producing=closing.quantity)
    if closing.lots:
        order.write(lot_producing_ids=[[6, 0, [lot.id for lot in closing.lots]]])
    hold = reference(database, f"{MODULE}.location_hold_{database.company}") if p.get("hold") else None
    if p.get("hold") and hold is None:
        raise Refusal("missing", "hold location")
    if hold is not None:
        _send_to(order, hold)
    set_qty_producing(order)
    _consume(order, closing)
    _bring(order, closing)
    if order.text("consumption") == "strict" and deviates(order):
        raise Refusal("strict", "the bill of materials allows no other consumption")
    context: dict[str, Plain] = {"skip_consumption": True, "skip_backorder": True, "skip_redirection": True}
    if closing.leaves:
        context["mo_ids_to_backorder"] = [order.id]
    manufacturing.mark_done(order, context)
    order.write(date_finished=p["at"])
    done = "put on hold" if hold is not None else "completed with"
    kin = database.find("mrp.production", "production_group_id", order.get("production_group_id"))
    new = max(kin, key=lambda one: one.id) if closing.leaves else order
    rest = f", rest mo-{new.id}" if closing.leaves else ""
    note.post(order, f"UNS bridge: {done} {p['qty']}{rest} by {key}{f' ({by})' if by else ''}")
    return new


def _bring(order: Record, closing: _Closing) -> None:
    """The by-products that are named as they came, the others at the bill's ratio."""
    moves = _open_by_product(order, "move_byproduct_ids")
    actual = _named(order.database, closing.p.get("byproducts"), moves, "no_byproduct")
    for product_id, made in moves.items():
        if product_id not in actual:
            for move in made:
                _at_ratio(move, closing.quantity, "byproduct_missing")
            continue
        for move in made:
            stock.release(move)
            move.write(picked=True)
        for part in actual[product_id]:
            _bring_actual(made[0], part, closing)


def _bring_actual(move: Record, part: Payload, closing: _Closing) -> None:
    product, unit = move.link("product_id"), move.link("product_uom")
    amount = closing.amount(in_unit(part["qty"], part["uom"], unit), unit)
    if not amount:
        return
    if product.text("tracking") != "none" and not part.get("lot"):
        raise Refusal("lot_missing", str(part["product"]))
    tracked = product.text("tracking") != "none"
    stock.add_line(move, amount, lot_of(product, part["lot"], make=True) if tracked else None)


def _open_by_product(order: Record, field: str) -> dict[int, list[Record]]:
    moves: dict[int, list[Record]] = {}
    for move in open_moves(order, field):
        moves.setdefault(move.link("product_id").id, []).append(move)
    return moves


def _named(database: Database, listed: Plain, moves: Container[int], code: str) -> dict[int, list[Payload]]:
    actual: dict[int, list[Payload]] = {}
    for one in listed if isinstance(listed, list) else []:
        assert isinstance(one, dict)
        product = product_of(database, one["product"])
        if product.id not in moves:
            raise Refusal(code, str(one["product"]))
        actual.setdefault(product.id, []).append(one)
    return actual


def _at_ratio(move: Record, quantity: float, code: str) -> None:
    if move.text("has_tracking") != "none" and move.number("product_uom_qty") > 0:
        raise Refusal(code, move.link("product_id").text("display_name"))
    move.write(quantity=rounded(move.number("unit_factor") * quantity, move.link("product_uom")), picked=True)


def _send_to(order: Record, place: Record) -> None:
    """Let the goods go there. What was scrapped stays in scrap, although Odoo moves it along."""
    moves = [move for link in _LINKS for move in order.database.find("stock.move", link, order.id)]
    was = [(move, move.get("location_dest_id")) for move in moves if move.text("state") in ("done", "cancel")]
    order.write(location_dest_id=place.id)
    for move, location in was:
        move.write(location_dest_id=location)


def _consume(order: Record, closing: _Closing) -> None:
    """Exactly what `consume` names from its lots; untracked components it does not name at the bill's ratio."""
    look_at(order.database, closing.p)
    moves = _open_by_product(order, "move_raw_ids")
    actual = _named(order.database, closing.p.get("consume"), moves, "no_component")
    kept = recorded(order, closing.p)
    for product_id, components in moves.items():
        if product_id in actual:
            for move in components[1:]:
                move.write(quantity=0.0, picked=True)
            _consume_actual(components[0], actual[product_id], closing)
            continue
        if product_id in kept:
            keep_recorded(components, closing.part[1])
            continue
        for move in components:
            _at_ratio(move, closing.quantity, "consume_missing")


def _consume_actual(move: Record, used: list[Payload], closing: _Closing) -> None:
    product, unit = move.link("product_id"), move.link("product_uom")
    amounts = [closing.amount(positive(part["qty"], part["uom"], unit), unit) for part in used]
    if product.text("tracking") == "none":
        move.write(quantity=sum(amounts), picked=True)
        return
    stock.release(move)
    move.write(picked=True)
    for part, left in zip(used, amounts, strict=True):
        if not part.get("lot"):
            raise Refusal("lot_missing", str(part["product"]))
        _take(move, lot_of(product, part["lot"], make=False), left, str(part["product"]))


def _take(move: Record, lot: Record, left: float, code: str) -> None:
    """Take this much of one lot from where it lies."""
    path = move.link("location_id").text("parent_path")
    for quant in lot.links("quant_ids"):
        there = quant.link("location_id").text("parent_path").startswith(path)
        own = move.link("product_id").link("uom_id")
        take = min(left, convert(quant.number("quantity"), own, move.link("product_uom")) or 0.0)
        if there and take > stock.EPSILON:
            stock.add_line(move, take, lot, quant.link("location_id"))
            left = round(left - take, 6)
    if left > stock.EPSILON:
        raise Refusal("no_stock", f"{lot.text('name')} of {code}")


KINDS: Final[dict[str, Effect]] = {"complete": _complete}
