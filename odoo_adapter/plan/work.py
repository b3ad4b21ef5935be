"""Work orders and the times of work centers."""

from __future__ import annotations

from typing import Final, TypeAlias

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import LONGEST_TEXT, PlanContext, clean, interval, moment, named, order_of, reference
from ruleset.sample import Plain
from ruleset.transaction import (
    CapacityBlock,
    CapacityUnblock,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderStart,
)

LOSSES: Final = frozenset(
    {"material_availability", "breakdown", "setup", "reduced_speed", "defect", "productive", "unclassified"}
)
"""Loss categories that have a reason in every Odoo; a plant may have more of its own."""
MOST_PARTS: Final = 100
"""Shifts of one stop that get rows of their own: a month of three a day. A longer stop is one row."""
_DAY_MS: Final = 86_400_000

Stop: TypeAlias = DowntimeOpen | DowntimeClose | DowntimeRecord | CapacityBlock | CapacityUnblock


def start_payload(start: WorkOrderStart) -> dict[str, Plain]:
    """What the inbox takes of a begun work order."""
    return {"wo": reference(start.work_order, "wo"), "at": moment(start.at_ms)}


def pause_payload(pause: WorkOrderPause) -> dict[str, Plain]:
    """What the inbox takes of a work order that rests."""
    return {"wo": reference(pause.work_order, "wo"), "at": moment(pause.at_ms)}


def finish_payload(finish: WorkOrderFinish) -> dict[str, Plain]:
    """What the inbox takes of an ended work order."""
    start, end = interval(finish.started_ms, finish.at_ms)
    return {"wo": reference(finish.work_order, "wo"), "at": end, "start": start}


def downtime_payload(stop: DowntimeRecord | DowntimeClose, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a stop that is over."""
    start, end = interval(stop.started_ms, stop.ended_ms)
    return {**_stop(stop, context), "start": start, "end": end}


def open_payload(stop: DowntimeOpen, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a stop that lasts."""
    return {**_stop(stop, context), "start": moment(stop.started_ms)}


def block_payload(block: CapacityBlock, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a work center that cannot run."""
    until_ms = block.at_ms + _DAY_MS if block.until_ms is None else block.until_ms
    start, until = interval(block.started_ms, until_ms)
    return {**_stop(block, context), "start": start, "until": until}


def unblock_payload(unblock: CapacityUnblock) -> dict[str, Plain]:
    """What the inbox takes of a work center that runs again."""
    start, end = interval(unblock.started_ms, unblock.ended_ms)
    return {"wc": named(unblock.work_center), "start": start, "end": end}


def stop_extras(transaction: Transaction, context: PlanContext) -> dict[str, Plain]:
    """What a stop's payload says beside the fact: which stop it is, the plant's own reason, and its shifts."""
    if not isinstance(transaction, Stop):
        return {}
    extras: dict[str, Plain] = {"mark": f"{named(transaction.equipment)} stopped at {moment(transaction.started_ms)}"}
    if not isinstance(transaction, CapacityUnblock) and (reason := context.losses.get(transaction.loss)):
        extras["reason"] = named(reason)
    if isinstance(transaction, DowntimeRecord | DowntimeClose) and 1 <= len(transaction.parts) <= MOST_PARTS:
        extras["parts"] = _parts(transaction)
    return extras


def _parts(stop: DowntimeRecord | DowntimeClose) -> list[Plain]:
    """Its shifts in whole seconds, none empty, from the stop's own start to its own end."""
    start, end = interval(stop.started_ms, stop.ended_ms)
    parts: list[Plain] = []
    for part in stop.parts:
        begins = start if part is stop.parts[0] else moment(part.started_ms)
        ends = end if part is stop.parts[-1] else moment(part.ended_ms)
        if str(begins) < ends:
            parts.append([begins, ends, clean(part.shift, 50)])
    return parts


def _stop(
    stop: DowntimeOpen | DowntimeClose | DowntimeRecord | CapacityBlock, context: PlanContext
) -> dict[str, Plain]:
    known = LOSSES | context.losses.keys()
    if stop.loss not in known:
        raise Refused("loss", f'unknown loss category "{stop.loss}"; known: {", ".join(sorted(known))}')
    return {
        "wc": named(stop.work_center),
        "order": None if stop.order is None else order_of(stop),
        "loss": stop.loss,
        "text": " ".join(clean(stop.text, LONGEST_TEXT).split()),
    }
