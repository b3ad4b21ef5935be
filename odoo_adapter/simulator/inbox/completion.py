"""An order done: its quantity, its lot, what it consumed, and where its goods go."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.simulator.behaviour import manufacturing, note, stock
from odoo_adapter.simulator.behaviour.order import deviates, open_moves, set_qty_producing
from odoo_adapter.simulator.behaviour.product import convert, rounded
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import (
    CLOSED,
    Effect,
    Payload,
    Refusal,
    limit,
    lot_of,
    order_of,
    positive,
    product_of,
    result,
)
from odoo_adapter.simulator.records.database import COMPANY, Database
from odoo_adapter.simulator.records.record import Record

_LINKS: Final = ("production_id", "raw_material_production_id")
"""How a move belongs to an order: made by it or used for it, scrap included."""


def _complete(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, CLOSED)
    product = order.link("product_id")
    quantity = positive(p["qty"], p["uom"], order.link("product_uom_id"))
    limit(order, quantity, p)
    order.write(qty_producing=quantity)
    if product.text("tracking") != "none":
        if not p.get("lot"):
            raise Refusal("lot_missing", product.text("display_name"))
        order.write(lot_producing_ids=[[6, 0, [lot_of(product, p["lot"], make=True).id]]])
    hold = reference(database, f"{MODULE}.location_hold_{COMPANY}") if p.get("hold") else None
    if p.get("hold") and hold is None:
        raise Refusal("missing", "hold location")
    if hold is not None:
        _send_to(order, hold)
    set_qty_producing(order)
    _consume(order, p, quantity)
    if order.text("consumption") == "strict" and deviates(order):
        raise Refusal("strict", "the bill of materials allows no other consumption")
    manufacturing.mark_done(order, {"skip_consumption": True, "skip_backorder": True})
    order.write(date_finished=p["at"])
    done = "put on hold" if hold is not None else "completed with"
    note.post(order, f"UNS bridge: {done} {p['qty']} by {key}{f' ({by})' if by else ''}")
    return result(order, qty=order.number("qty_produced"), lot=p.get("lot"), hold=hold is not None)


def _send_to(order: Record, place: Record) -> None:
    """Let the goods go there. What was scrapped stays in scrap, although Odoo moves it along."""
    moves = [move for link in _LINKS for move in order.database.find("stock.move", link, order.id)]
    was = [(move, move.get("location_dest_id")) for move in moves if move.text("state") in ("done", "cancel")]
    order.write(location_dest_id=place.id)
    for move, location in was:
        move.write(location_dest_id=location)


def _consume(order: Record, p: Payload, quantity: float) -> None:
    """Exactly what `consume` names from its lots; untracked components it does not name at the bill's ratio."""
    moves: dict[int, list[Record]] = {}
    for move in open_moves(order, "move_raw_ids"):
        moves.setdefault(move.link("product_id").id, []).append(move)
    actual: dict[int, list[Payload]] = {}
    listed = p.get("consume")
    for used in listed if isinstance(listed, list) else []:
        assert isinstance(used, dict)
        product = product_of(order.database, used["product"])
        if product.id not in moves:
            raise Refusal("no_component", str(used["product"]))
        actual.setdefault(product.id, []).append(used)
    for product_id, components in moves.items():
        if product_id in actual:
            for move in components[1:]:
                move.write(quantity=0.0, picked=True)
            _consume_actual(components[0], actual[product_id])
            continue
        for move in components:
            if move.text("has_tracking") != "none" and move.number("product_uom_qty") > 0:
                raise Refusal("consume_missing", move.link("product_id").text("display_name"))
            move.write(quantity=rounded(move.number("unit_factor") * quantity, move.link("product_uom")), picked=True)


def _consume_actual(move: Record, used: list[Payload]) -> None:
    product, unit = move.link("product_id"), move.link("product_uom")
    if product.text("tracking") == "none":
        move.write(quantity=sum(positive(part["qty"], part["uom"], unit) for part in used), picked=True)
        return
    stock.release(move)
    move.write(picked=True)
    for part in used:
        left = positive(part["qty"], part["uom"], unit)
        if not part.get("lot"):
            raise Refusal("lot_missing", str(part["product"]))
        lot = lot_of(product, part["lot"], make=False)
        path = move.link("location_id").text("parent_path")
        for quant in lot.links("quant_ids"):
            there = quant.link("location_id").text("parent_path").startswith(path)
            take = min(left, convert(quant.number("quantity"), product.link("uom_id"), unit) or 0.0)
            if there and take > stock.EPSILON:
                stock.add_line(move, take, lot, quant.link("location_id"))
                left = round(left - take, 6)
        if left > stock.EPSILON:
            raise Refusal("no_stock", f"{lot.text('name')} of {part['product']}")


KINDS: Final[dict[str, Effect]] = {"complete": _complete}
