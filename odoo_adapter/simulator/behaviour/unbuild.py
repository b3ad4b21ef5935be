"""Unbuild orders: pieces of a done order taken apart; validated again they are taken apart again, as in Odoo."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import note, stock
from odoo_adapter.simulator.behaviour.product import convert, rounded
from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, related
from ruleset.sample import Plain

EPSILON: Final = stock.EPSILON


def made_lines(order: Record) -> list[Record]:
    """The lines in which the order brought its own product."""
    own = [move for move in order.links("move_finished_ids") if move.get("product_id") == order.get("product_id")]
    return [line for move in own if move.text("state") == "done" for line in move.links("move_line_ids")]


def taken_apart(order: Record, lot: Plain) -> float:
    """How much of a lot of the order was taken apart so far."""
    done = [one for one in order.database.find("mrp.unbuild", "mo_id", order.id) if one.text("state") == "done"]
    return sum(one.number("product_qty") for one in done if one.get("lot_id") == lot)


def validate(unbuild: Record) -> Plain:
    """Take apart if the pieces are there; otherwise answer the wizard that Odoo asks with, and do nothing."""
    product, lot = unbuild.link("product_id"), unbuild.maybe("lot_id")
    if product.text("tracking") != "none" and lot is None:
        raise user_error("You should provide a lot number for the final product.")
    order = unbuild.link("mo_id")
    if order.text("state") != "done":
        raise user_error("You cannot unbuild a undone manufacturing order.")
    wanted = convert(unbuild.number("product_qty"), unbuild.link("product_uom_id"), product.link("uom_id")) or 0.0
    there = stock.quant(product, unbuild.link("location_id"), lot)
    if there is None or there.number("available_quantity") < wanted - EPSILON:
        return {"res_model": "stock.warn.insufficient.qty.unbuild", "type": "ir.actions.act_window", "target": "new"}
    share = unbuild.number("product_qty") / order.number("qty_produced")
    for move in order.links("move_finished_ids"):
        own = move.get("product_id") == product.id
        _back(unbuild, move, share, unbuild.link("location_id"), move.link("location_id"), lot if own else None)
    for move in order.links("move_raw_ids"):
        _back(unbuild, move, share, move.link("location_dest_id"), unbuild.link("location_dest_id"), None)
    unbuild.write(state="done")
    measure = unbuild.link("product_uom_id").text("name")
    note.post(order, f"{unbuild.number('product_qty')} {measure} unbuilt in {unbuild.text('name')}")
    return True


def _back(unbuild: Record, move: Record, share: float, source: Record, place: Record, lot: Record | None) -> None:
    """Move that share of what a move brought back again, in this lot or in those in which it was."""
    if move.text("state") != "done":
        return
    unit = move.link("product_uom")
    quantity = rounded(move.number("quantity") * share, unit)
    values = stock.move_values(move.link("product_id"), unit, quantity, source, place)
    back = unbuild.database.create("stock.move", values | {"unbuild_id": unbuild.id, "picked": True})
    if lot is not None:
        stock.add_line(back, quantity, lot)
    else:
        for line in move.links("move_line_ids"):
            taken = min(quantity, line.number("quantity"))
            if taken > EPSILON:
                stock.add_line(back, taken, line.maybe("lot_id"))
                quantity = round(quantity - taken, 6)
    stock.finish(back)


def _created(unbuild: Record) -> None:
    unbuild.database.write(unbuild, {"name": f"UB/{unbuild.id:05}"})


def _run_validate(database: Database, records: list[Record], call: Call) -> Plain:
    answers = [validate(unbuild) for unbuild in records]
    return next((answer for answer in answers if answer is not True), True)


BEHAVIOURS: Final = {
    "mrp.unbuild": Behaviour(
        computed={"has_tracking": related("product_id.tracking")},
        created=_created,
        methods={"action_validate": Method(run=_run_validate), "message_post": note.message_post},
    ),
}
