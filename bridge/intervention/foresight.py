"""What would become of entries that a person lets go: what the bridge says by itself, and what Odoo says when asked.

Odoo is only read. What it checks while it writes, and what one entry would change for a later one, is not foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec
from msgspec.structs import replace as replace_struct

from bridge.core.input import Destination
from bridge.core.job import read_job
from bridge.core.site import Core
from bridge.intervention.act import Step
from odoo_adapter.errors import OdooError
from odoo_adapter.odoo import Applied, Declined, Held, Job, Odoo, Outcome
from state.entry import EntryState
from state.intervention import Prediction


async def foreseen(core: Core, odoo: Odoo, steps: Sequence[Step]) -> tuple[Prediction, ...]:
    """The predictions of these steps, with what Odoo has and would say. Raises nothing that Odoo raises."""
    jobs = [job for step in steps if (job := _job(core, step)) is not None]
    try:
        answers = await odoo.foresee(jobs) if jobs else {}
    except OdooError as error:
        return unasked(core, steps, str(error))
    return tuple(_with(step.prediction, answers.get(step.prediction.key)) for step in steps)


def unasked(core: Core, steps: Sequence[Step], why: str) -> tuple[Prediction, ...]:
    """The predictions where Odoo could not be asked."""
    return tuple(
        replace(one, text=f"{one.text} (Odoo could not be asked: {why})") if _job(core, step) is not None else one
        for step, one in ((step, step.prediction) for step in steps)
    )


def _job(core: Core, step: Step) -> Job | None:
    """What would be asked of Odoo; None where nothing would be."""
    entry = core.outbox.entry(step.prediction.key)
    if entry is None or step.prediction.would is not EntryState.PENDING or entry.destination != Destination.ODOO:
        return None
    if step.told is not None:
        entry = replace_struct(entry, body=step.told.body, lane=step.told.lane)
    with suppress(msgspec.MsgspecError):
        return read_job(entry, core.standings.of(entry.lane))
    return None


def _with(one: Prediction, outcome: Outcome | None) -> Prediction:
    match outcome:
        case Applied(receipt=receipt):
            return Prediction(one.key, EntryState.DELIVERED, f"stands in Odoo already as {receipt.model} {receipt.id}")
        case Declined(code=code, reason=reason):
            return Prediction(one.key, EntryState.DEAD, f"Odoo would decline it: {code}: {reason}")
        case Held(reason=reason):
            return Prediction(one.key, EntryState.HELD, f"it would be held: {reason}")
        case _:
            return one
