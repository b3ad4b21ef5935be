"""A total of what was counted, added to the order."""

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


def _progress(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, ("draft", "cancel"))
    row = claim(database, f"@upto:{p['stream']}", "@upto", order.id)
    if row.get("x_order_id") != order.id:
        raise Refusal("stream", f"{p['stream']} belongs to another order")
    unit = order.link("product_uom_id")
    old = max(row.number("x_total"), in_unit(p.get("base") or 0, p["uom"], unit))
    new = max(old, in_unit(p["upto"], p["uom"], unit))
    row.write(x_total=new)
    streams = database.find(MODEL, "x_order_id", order.id)
    counted = round(sum(stream.number("x_total") for stream in streams if stream.text("x_kind") == "@upto"), 6)
    stands = order.number("qty_producing")
    if order.text("state") == "done":
        made = order.number("qty_produced")
        if counted > made + unit.number("rounding") / 2:
            raise Refusal("order_state", f"{order.text('name')} is done with {made}, and {counted} were counted")
        return result(order, added=0, covered=True, qty_producing=stands)
    quantity = round(stands + new - old, 6)
    if stands == order.number("product_qty") and counted < quantity:
        quantity = counted  # starting a work order in Odoo fills in the whole quantity: nobody counted that
    if new > old:
        limit(order, quantity, p)
        order.write(qty_producing=quantity)
        if p.get("consent"):
            planned = f"{order.number('product_qty')} {unit.text('name')}"
            note.post(order, f"UNS bridge: {quantity} of {planned} made by {key}{f' ({by})' if by else ''}")
    return result(order, added=round(new - old, 6), qty_producing=order.number("qty_producing"))


KINDS: Final[dict[str, Effect]] = {"progress": _progress}
