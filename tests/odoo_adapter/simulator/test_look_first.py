"""Posting without the inbox, on the simulator: what is tested on a real one, and every fault at every call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from odoo_adapter.api import OdooApi
from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from tests.live_odoo.postings import completion, hold, scrap
from tests.live_odoo.test_look_first import (
    KINDS,
    Build,
    left,
    mode,
    test_a_hold_location_that_is_missing_declines_holds_only_and_says_what_to_do,
    test_a_quantity_that_somebody_changed_is_held_and_goes_on_from_there_once_released,
    test_a_total_that_was_written_although_nobody_heard_of_it_is_not_added_again,
    test_an_order_that_somebody_completed_otherwise_meanwhile_is_held,
    test_every_kind_leaves_the_same_records_as_through_the_inbox,
    test_scrap_of_which_only_the_draft_was_made_is_validated_once,
)
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.situations import Bench

__all__ = [
    "mode",
    "test_a_hold_location_that_is_missing_declines_holds_only_and_says_what_to_do",
    "test_a_quantity_that_somebody_changed_is_held_and_goes_on_from_there_once_released",
    "test_a_total_that_was_written_although_nobody_heard_of_it_is_not_added_again",
    "test_an_order_that_somebody_completed_otherwise_meanwhile_is_held",
    "test_every_kind_leaves_the_same_records_as_through_the_inbox",
    "test_scrap_of_which_only_the_draft_was_made_is_validated_once",
]

FAULTS = ("timeout_before_commit", "timeout_after_commit", "serialization_failures")
MOST_CALLS = 20
"""More writing calls than any kind needs."""


@pytest.fixture(params=["17.0", "18.0", "19.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def undisturbed(build: Build, bench: Bench, admin: OdooApi) -> dict[str, object]:
    """What the posting leaves when all goes well, on an order that has scrap of its own."""
    order = await bench.order(10)
    await bench.post([await scrap(bench, order), await build(bench, order)])
    return await left(bench, admin, order)


@pytest.mark.parametrize("version", ["17.0", "19.0"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("build", [*KINDS, completion, hold], ids=lambda build: build.__name__)
async def test_whichever_call_fails_and_however_the_next_attempt_leaves_the_same_records(
    build: Build, fault: str, simulated: Simulated, bench: Bench, admin: OdooApi
) -> None:
    wanted = await undisturbed(build, bench, admin)
    for calls in range(MOST_CALLS):
        order = await bench.order(10)
        await bench.post([await scrap(bench, order)])
        job = bench.job(await build(bench, order))
        simulated.service.faults.set({"spare": calls, fault: 1})
        try:
            outcomes = await bench.odoo.post([job])
        except (Uncertain, Unavailable) as error:
            outcomes = await bench.odoo.post([replace(job, uncertain=isinstance(error, Uncertain))])
        struck = not simulated.service.faults.shown()[fault]
        simulated.service.faults.set({"spare": 0, fault: 0})
        (outcome,) = outcomes
        assert isinstance(outcome, Applied), (calls, outcome)
        assert await left(bench, admin, order) == wanted, calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt.repeated
        assert await left(bench, admin, order) == wanted, calls
        if not struck:
            return
    pytest.fail("it needs more calls than that")
