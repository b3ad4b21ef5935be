"""Stops of work centers, with their loss."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.simulator.behaviour import workorder
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    one,
    result,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

_LOSSES: Final = {
    "material_availability": "mrp.block_reason0",
    "breakdown": "mrp.block_reason1",
    "setup": "mrp.block_reason2",
    "reduced_speed": "mrp.block_reason4",
    "defect": "mrp.block_reason5",
    "productive": "mrp.block_reason7",
    "unclassified": f"{MODULE}.loss_unclassified",
}


def loss_row(database: Database, center: Record, loss: Plain, start: Plain, end: Plain, text: str) -> Payload:
    name = _LOSSES.get(loss) if isinstance(loss, str) else None
    if name is None:
        raise Refusal("loss", str(loss))
    kind = reference(database, name)
    if kind is None:
        raise Refusal("missing", f"loss reason {loss}")
    if not str(start) < str(end):
        raise Refusal("bad_interval", f"{start} to {end}")
    return {
        "workcenter_id": center.id,
        "loss_id": kind.id,
        "date_start": start,
        "date_end": end,
        "description": text,
    }


def _downtime(database: Database, p: Payload, key: str, by: str) -> Payload:
    center = one(database, "mrp.workcenter", "code", p["wc"], "work center")
    text = f"{p.get('text') or ''} [{key}]".strip()
    return result(database.create(workorder.TIMES, loss_row(database, center, p["loss"], p["start"], p["end"], text)))


KINDS: Final[dict[str, Effect]] = {"downtime": _downtime}
