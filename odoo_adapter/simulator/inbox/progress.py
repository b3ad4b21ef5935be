"""A total of what was counted, added to the order; and what all totals of an order are."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.behaviour import note
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    claim,
    in_unit,
    limit,
    order_of,
    result,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record

_KIND: Final = "@upto"


def totals(order: Record, p: Payload) -> dict[str, float]:
    """What each stream counted and what corrected it; of what the inbox never saw, as far as the sender knows."""
    rows = order.database.find(MODEL, "x_order_id", order.id)
    have = {row.text("x_name"): row.number("x_total") for row in rows if row.text("x_kind") == _KIND}
    known = p.get("bases")
    for stream, base in sorted(known.items()) if isinstance(known, dict) else ():
        assert isinstance(base, list)
        total = in_unit(base[0], base[1], order.link("product_uom_id"))
        if total > have.get(f"@upto:{stream}", 0.0):
            have[f"@upto:{stream}"] = put_total(order, f"@upto:{stream}", total)
    corrections = f"@corrected:{order.id}"
    if p.get("corrected") and corrections not in have:
        have[corrections] = put_total(order, corrections, float(str(p["corrected"])))
    return have


def put_total(order: Record, name: str, total: float) -> float:
    """Keep one of them. Raises `Refusal` where the stream belongs to another order."""
    row = claim(order.database, name, _KIND, order.id)
    if row.get("x_order_id") != order.id:
        raise Refusal("stream", f"{name.partition(':')[2]} belongs to another order")
    row.write(x_total=total)
    return total


def stands(order: Record, have: dict[str, float]) -> float:
    """The order's quantity; what we showed last where Odoo filled in the whole one by itself, since nothing was counted
    or what is ordered was changed."""
    quantity, ordered = order.number("qty_producing"), order.number("product_qty")
    if quantity != ordered:
        return quantity
    if not any(have.values()):
        return 0.0
    last = next(iter(order.database.find(MODEL, "x_name", f"@shown:{order.id}")), None)
    return quantity if last is None or last.text("x_message") == str(ordered) else last.number("x_total")


def show(order: Record, quantity: float) -> None:
    """Write the order's quantity, and keep what was ordered then."""
    row = claim(order.database, f"@shown:{order.id}", "@guard", order.id)
    row.write(x_total=quantity, x_message=str(order.number("product_qty")))
    order.write(qty_producing=quantity)


def _progress(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, ("draft", "cancel"))
    name, unit = f"@upto:{p['stream']}", order.link("product_uom_id")
    have = totals(order, p)
    old = have.get(name, 0.0)
    new = max(old, in_unit(p["upto"], p["uom"], unit))
    put_total(order, name, new)
    if order.text("state") == "done":
        made, counted = order.number("qty_produced"), round(sum(have.values()) + new - old, 6)
        if counted > made + unit.number("rounding") / 2:
            raise Refusal("order_state", f"{order.text('name')} is done with {made}, and {counted} were counted")
        return result(order, added=0, covered=True, qty_producing=order.number("qty_producing"))
    if new > old:
        quantity = round(stands(order, have) + new - old, 6)
        limit(order, quantity, p)
        show(order, quantity)
        if p.get("consent"):
            planned = f"{order.number('product_qty')} {unit.text('name')}"
            note.post(order, f"UNS bridge: {quantity} of {planned} made by {key}{f' ({by})' if by else ''}")
    return result(order, added=round(new - old, 6), qty_producing=order.number("qty_producing"))


KINDS: Final[dict[str, Effect]] = {"progress": _progress}
