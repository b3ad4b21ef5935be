"""Transfers of goods inside the company: moves with their lines, confirmed, and carried out."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import stock
from odoo_adapter.simulator.behaviour.note import message_post
from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row
from ruleset.sample import Plain


def confirm(picking: Record) -> None:
    """What its moves still lack is reserved."""
    for move in picking.links("move_ids"):
        if move.text("state") == "draft":
            stock.reserve(move)
    if picking.text("state") == "draft":
        picking.write(state="assigned")


def validate(picking: Record) -> None:
    """Carry out its moves. One that is done stays as it is."""
    if picking.text("state") == "done":
        return
    if not picking.links("move_ids"):
        raise user_error("You can't validate an empty transfer. Please add some products to move before proceeding.")
    confirm(picking)
    for move in picking.links("move_ids"):
        stock.finish(move)
    picking.write(state="done", date_done=picking.database.now())


def _prepare(database: Database, row: Row) -> None:
    row.setdefault("name", f"WH/INT/{len(database.all('stock.picking')) + 1:05}")


def _name_moves(picking: Record) -> None:
    """Moves and lines are called like their transfer."""
    for move in picking.links("move_ids"):
        if move.text("reference") != picking.text("name"):
            move.write(reference=picking.get("name"))
        for line in move.links("move_line_ids"):
            line.write(reference=picking.get("name"), picking_id=picking.id)


def _written(picking: Record, names: frozenset[str]) -> None:
    if "move_ids" in names:
        _name_moves(picking)


def _run_confirm(database: Database, records: list[Record], call: Call) -> Plain:
    for record in records:
        confirm(record)
    return True


def _run_validate(database: Database, records: list[Record], call: Call) -> Plain:
    for record in records:
        validate(record)
    return True


BEHAVIOURS: Final = {
    "stock.picking": Behaviour(
        prepare=_prepare,
        created=_name_moves,
        written=_written,
        methods={
            "action_confirm": Method(run=_run_confirm),
            "button_validate": Method(run=_run_validate),
            "message_post": message_post,
        },
    ),
}
