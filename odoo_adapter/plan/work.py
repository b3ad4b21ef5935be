"""Work orders and the times of work centers."""

from __future__ import annotations

from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import LONGEST_TEXT, clean, interval, moment, named, order_of, reference
from ruleset.sample import Plain
from ruleset.transaction import DowntimeRecord, WorkOrderFinish, WorkOrderStart

LOSSES: Final = frozenset(
    {"material_availability", "breakdown", "setup", "reduced_speed", "defect", "productive", "unclassified"}
)


def start_payload(start: WorkOrderStart) -> dict[str, Plain]:
    """What the inbox takes of a begun work order."""
    return {"wo": reference(start.work_order, "wo"), "at": moment(start.at_ms)}


def finish_payload(finish: WorkOrderFinish) -> dict[str, Plain]:
    """What the inbox takes of an ended work order."""
    start, end = interval(finish.started_ms, finish.at_ms)
    return {"wo": reference(finish.work_order, "wo"), "at": end, "start": start}


def downtime_payload(stop: DowntimeRecord) -> dict[str, Plain]:
    """What the inbox takes of a closed stop."""
    if stop.loss not in LOSSES:
        raise Refused("loss", f'unknown loss category "{stop.loss}"; known: {", ".join(sorted(LOSSES))}')
    start, end = interval(stop.started_ms, stop.ended_ms)
    return {
        "wc": named(stop.work_center),
        "order": None if stop.order is None else order_of(stop),
        "start": start,
        "end": end,
        "loss": stop.loss,
        "text": clean(stop.text, LONGEST_TEXT),
    }
