"""Times and capacity posted without the inbox, with every call of a posting lost in turn: the records are the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from odoo_adapter.seed import Planner
from ruleset.transaction import Transaction
from tests.live_odoo.machine import DAY_MS, MINUTE_MS, Machine, Work
from tests.live_odoo.postings import work_orders
from tests.odoo_adapter.simulator.conftest import TWO_HOURS_MS, Simulated
from tests.odoo_adapter.simulator.lost import posted_with_a_call_lost
from tests.odoo_adapter.situations import AT_MS, Bench

FAULTS = ("timeout_before_commit", "timeout_after_commit", "serialization_failures")
NOW_MS = AT_MS + TWO_HOURS_MS
MOST_CALLS = 30


@pytest.fixture
def mode() -> str:
    return "look-first"


async def pause(work: Work) -> Transaction:
    await work.machine.post(work.start(0))
    return work.pause(10)


async def resume(work: Work) -> Transaction:
    await work.machine.post(work.start(0), work.pause(10))
    return work.start(20)


async def start_while_it_stands_still(work: Work) -> Transaction:
    await work.machine.post(work.machine.opened(-5))
    return work.start(0)


async def finish_after_a_pause(work: Work) -> Transaction:
    await work.machine.post(work.start(0), work.pause(10), work.start(20), work.machine.stopped(25, 30))
    return work.finish(40)


async def late_stop(work: Work) -> Transaction:
    await work.machine.post(work.start(0), work.finish(40))
    return work.machine.stopped(10, 30, cuts=(20,))


async def opened(work: Work) -> Transaction:
    await work.machine.by_person(2, 4)
    return work.machine.opened(0)


async def closed(work: Work) -> Transaction:
    await work.machine.post(work.machine.opened(0))
    await work.machine.by_person(2, 4)
    return work.machine.closed(0, 20)


async def block(work: Work) -> Transaction:
    return work.machine.blocked(NOW_MS, NOW_MS + 3 * DAY_MS)


async def unblock(work: Work) -> Transaction:
    await work.machine.post(await block(work))
    return work.machine.unblocked(NOW_MS, NOW_MS + MINUTE_MS)


BUILDS = (
    *(pause, resume, start_while_it_stands_still, finish_after_a_pause, late_stop),
    *(opened, closed, block, unblock),
)
Make = Callable[[], Awaitable[Work]]


@pytest.fixture
async def make(bench: Bench, admin: OdooApi, planner: Planner) -> Make:
    """Another machine with a planned order."""
    made: list[str] = []

    async def make() -> Work:
        made.append(await bench.center(f"T-{len(made)}-"))
        machine = Machine(bench, admin, made[-1])
        order = await planner.create_planned_order(5, center=machine.center)
        (step,) = await work_orders(bench, order)
        return Work(machine, order, step)

    return make


async def stands(work: Work) -> dict[str, object]:
    """All that a posting may have changed, without the names of one run."""
    rows = [
        (row["date_start"], row["date_end"], row["loss_id"][1], bool(row["workorder_id"]), plain(work, row))
        for row in await work.machine.rows()
    ]
    absent = [(leave["date_from"], leave["date_to"]) for leave in await work.machine.leaves()]
    (order,) = await work.machine.admin.call(
        "mrp.production",
        "read",
        writes=False,
        ids=[int(work.order[3:])],
        fields=["state", "date_start", "qty_producing"],
    )
    step = await work.read()
    del order["id"], step["id"]
    return {"rows": sorted(rows), "absent": absent, "order": order, "step": step}


def plain(work: Work, row: dict[str, object]) -> str:
    return str(row["description"]).replace(work.machine.center, "CENTER").replace(work.step, "STEP")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
async def test_whichever_call_is_lost_and_however_the_next_attempt_leaves_the_same_records(
    build: Callable[[Work], Awaitable[Transaction]], fault: str, simulated: Simulated, bench: Bench, make: Make
) -> None:
    first = await make()
    await first.machine.post(await build(first))
    wanted = await stands(first)
    for calls in range(MOST_CALLS):
        work = await make()
        job = bench.job(await build(work))
        outcome, struck = await posted_with_a_call_lost(simulated, bench, job, calls, fault)
        assert isinstance(outcome, Applied), (calls, outcome)
        assert await stands(work) == wanted, calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt.repeated
        assert await stands(work) == wanted, calls
        found = await bench.odoo.look_up([replace(job, uncertain=True)])
        assert list(found) == [job.transaction.key]
        if not struck:
            return
    pytest.fail("it needs more calls than that")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_stop_that_is_told_while_it_is_not_known_what_came_of_a_finish_changes_nothing_of_it(
    fault: str, make: Make, simulated: Simulated, bench: Bench
) -> None:
    for calls in range(MOST_CALLS):
        work = await make()
        await work.machine.post(work.start(0))
        job = bench.job(work.finish(40))
        simulated.service.faults.set({"spare": calls, fault: 1})
        is_uncertain = False
        try:
            await bench.odoo.post([job])
        except (Uncertain, Unavailable) as error:
            is_uncertain = isinstance(error, Uncertain)
        struck = not simulated.service.faults.shown()[fault]
        simulated.service.faults.set({"spare": 0, fault: 0})
        await work.machine.post(work.machine.stopped(50, 60))
        (outcome,) = await bench.odoo.post([replace(job, uncertain=is_uncertain)])
        assert isinstance(outcome, Applied)
        assert await work.machine.times() == [(0, 40, "Fully Productive Time"), (50, 60, "Equipment Failure")], calls
        if not struck:
            return
    pytest.fail("it needs more calls than that")
