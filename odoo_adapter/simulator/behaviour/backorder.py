"""Splitting an order that made less than it was for: what is left becomes an order of its own, and both are renamed."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import stock
from odoo_adapter.simulator.behaviour.order import open_moves
from odoo_adapter.simulator.records.record import Record

_GOES_ALONG: Final = ("product_id", "product_uom_id", "bom_id", "company_id", "origin", "date_deadline", "priority")


def split(order: Record) -> Record:
    """Leave the order what it made, and make a draft of the rest."""
    made, planned = order.number("qty_producing"), order.number("product_qty")
    base, sequence = order.text("name"), order.integer("backorder_sequence")
    if base.endswith(f"-{sequence:03}"):
        base = base[:-4]
    rest = order.database.create(
        "mrp.production",
        {name: order.get(name) for name in _GOES_ALONG} | {"product_qty": round(planned - made, 6)},
    )
    group = order.get("production_group_id")
    rest.write(name=f"{base}-{sequence + 1:03}", backorder_sequence=sequence + 1, production_group_id=group)
    order.write(name=f"{base}-{sequence:03}", product_qty=made)
    for move in [*open_moves(order, "move_raw_ids"), *open_moves(order, "move_finished_ids")]:
        needed = round(move.number("product_uom_qty") * made / planned, 6)
        move.write(product_uom_qty=needed)
        if not move.flag("picked"):
            stock.set_quantity(move, min(needed, move.number("quantity")))
    return rest
