"""What is foreseen of postings, on the simulator: what is tested on a real one, and that nothing is written for it."""

from __future__ import annotations

from tests.live_odoo.test_foreseen import (
    KINDS,
    asked,
    mode,
    test_after_a_wrong_mapping_the_run_does_exactly_what_the_dry_run_said,
    test_other_content_under_a_key_that_stands_is_foreseen_to_be_declined,
    test_what_is_not_there_is_foreseen_to_be_posted_and_then_to_stand,
    test_what_odoo_would_decline_is_foreseen_with_its_reason,
)
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.situations import Bench

__all__ = [
    "asked",
    "mode",
    "test_after_a_wrong_mapping_the_run_does_exactly_what_the_dry_run_said",
    "test_other_content_under_a_key_that_stands_is_foreseen_to_be_declined",
    "test_what_is_not_there_is_foreseen_to_be_posted_and_then_to_stand",
    "test_what_odoo_would_decline_is_foreseen_with_its_reason",
]


async def test_nothing_is_written_to_foresee(asked: Bench, simulated: Simulated) -> None:
    jobs = [asked.job(await build(asked, await asked.order(10))) for build in KINDS]
    before = simulated.service.database.dump()
    assert await asked.odoo.foresee(jobs) == {}
    assert simulated.service.database.dump() == before
