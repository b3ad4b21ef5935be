"""A posting of which one call goes wrong, tried again as the delivery would."""

from __future__ import annotations

from dataclasses import replace

from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.odoo import Job, Outcome
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.situations import Bench


async def posted_with_a_call_lost(
    simulated: Simulated, bench: Bench, job: Job, calls: int, fault: str
) -> tuple[Outcome, bool]:
    """What became of it when the call after so many goes wrong in this way, and whether there was such a call."""
    simulated.service.faults.set({"spare": calls, fault: 1})
    try:
        (outcome,) = await bench.odoo.post([job])
    except (Uncertain, Unavailable) as error:
        (outcome,) = await bench.odoo.post([replace(job, uncertain=isinstance(error, Uncertain))])
    struck = not simulated.service.faults.shown()[fault]
    simulated.service.faults.set({"spare": 0, fault: 0})
    return outcome, struck
