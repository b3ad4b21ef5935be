"""What Odoo works out on an open manufacturing order: its state, and its components in proportion to the quantity."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import stock
from odoo_adapter.simulator.records.record import Record

OPEN: Final = ("confirmed", "progress", "to_close")


def refresh_state(order: Record) -> None:
    """Set what Odoo computes: progress once something is made or consumed, to_close when all steps are done."""
    state = order.text("state")
    if state not in OPEN:
        return
    steps = [step.text("state") for step in order.links("workorder_ids")]
    producing = order.number("qty_producing")
    complete = all(step in ("done", "cancel") for step in steps) if steps else producing >= order.number("product_qty")
    if complete:
        state = "to_close"
    elif (
        any(step in ("progress", "done") for step in steps)
        or producing > 0
        or any(move.flag("picked") for move in order.links("move_raw_ids"))
    ):
        state = "progress"
    if state != order.text("state"):
        order.database.write(order, {"state": state})


def set_qty_producing(order: Record) -> None:
    """Set every component to the bill of materials' ratio of what is produced. Lots chosen before are lost."""
    producing = order.number("qty_producing")
    for move in [*order.links("move_raw_ids"), *order.links("move_byproduct_ids")]:
        if move.text("state") in ("done", "cancel") or _is_left_alone(move):
            continue
        stock.set_quantity(move, round(producing * move.number("unit_factor"), 6))
        if move.get("raw_material_production_id") is not None and move.number("quantity") > 0:
            move.write(picked=True)
    refresh_state(order)


def _is_left_alone(move: Record) -> bool:
    """What somebody said was used stays, and of what was not planned nothing is worked out."""
    said = move.flag("manual_consumption") and move.flag("picked")
    return said or abs(move.number("product_uom_qty")) <= stock.EPSILON


def open_moves(order: Record, field: str) -> list[Record]:
    return [move for move in order.links(field) if move.text("state") not in ("done", "cancel")]


def deviates(order: Record) -> bool:
    """Whether a component's quantity is not the bill of materials' ratio."""
    producing = order.number("qty_producing")
    return any(
        move.maybe("bom_line_id") is not None
        and abs(move.number("quantity") - producing * move.number("unit_factor")) > stock.EPSILON
        for move in open_moves(order, "move_raw_ids")
    )
