"""Time on a real Odoo: stops while they last and when they are over, and pauses of work orders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.seed import Planner
from ruleset.transaction import Transaction
from tests.live_odoo.machine import (
    BREAKDOWN,
    DAY_MS,
    MATERIAL,
    MINUTE_MS,
    OPEN,
    PRODUCTIVE,
    SETUP,
    Machine,
    Work,
    clock,
)
from tests.live_odoo.postings import work_orders
from tests.odoo_adapter.situations import AT_MS, Bench, both_modes

mode = both_modes


@pytest.fixture
async def machine(bench: Bench, admin: OdooApi) -> Machine:
    return Machine(bench, admin, await bench.center(f"T-{bench.fresh}-"))


async def test_a_fault_and_a_starved_time_are_two_rows_with_their_losses(machine: Machine) -> None:
    await machine.post(machine.stopped(0, 6), machine.stopped(30, 50, "material_availability"))
    assert await machine.times() == [(0, 6, BREAKDOWN), (30, 50, MATERIAL)]


async def test_a_reason_of_the_plants_own_is_found_by_its_name(machine: Machine) -> None:
    await machine.post(machine.stopped(0, 6, "tool_change"))
    assert await machine.times() == [(0, 6, SETUP)]


async def test_an_open_stop_is_seen_while_it_lasts_and_closed_with_what_was_learnt(machine: Machine) -> None:
    await machine.post(machine.opened(0))
    assert await machine.times() == [(0, None, OPEN)]
    assert (await machine.read())["working_state"] == "blocked"
    await machine.post(machine.closed(0, 6))
    assert await machine.times() == [(0, 6, BREAKDOWN)]
    assert (await machine.read())["working_state"] == "normal"
    (row,) = await machine.rows()
    assert f"[{machine.opened(0).key}]" in row["description"]
    assert row["description"].endswith(f"[{machine.closed(0, 6).key}]")


async def test_a_close_without_an_open_records_the_stop(machine: Machine) -> None:
    await machine.post(machine.closed(0, 6))
    assert await machine.times() == [(0, 6, BREAKDOWN)]


async def test_a_record_of_a_stop_that_is_open_closes_it(machine: Machine) -> None:
    await machine.post(machine.opened(0), machine.stopped(0, 6))
    assert await machine.times() == [(0, 6, BREAKDOWN)]


async def test_a_stop_that_was_closed_is_not_recorded_again(machine: Machine) -> None:
    *_, again = await machine.post(machine.opened(0), machine.closed(0, 6), machine.stopped(0, 6))
    assert again.receipt.details == {"already": True}
    assert await machine.times() == [(0, 6, BREAKDOWN)]


async def test_what_a_person_said_of_an_open_stop_stays(machine: Machine) -> None:
    (opened,) = await machine.post(machine.opened(0))
    (reason,) = await machine.admin.call(
        "mrp.workcenter.productivity.loss", "search", writes=False, domain=[["name", "=", SETUP]], limit=1
    )
    await machine.admin.call(TIMES, "write", writes=True, ids=[opened.receipt.id], vals={"loss_id": reason})
    await machine.post(machine.closed(0, 6))
    assert await machine.times() == [(0, 6, SETUP)]


async def test_a_stop_that_a_person_ended_stays_as_long_as_the_person_said(machine: Machine) -> None:
    (opened,) = await machine.post(machine.opened(0))
    await machine.admin.call(TIMES, "write", writes=True, ids=[opened.receipt.id], vals={"date_end": clock(4)})
    await machine.post(machine.closed(0, 6))
    assert await machine.times() == [(0, 4, OPEN)]


async def test_times_of_a_work_center_never_overlap(machine: Machine) -> None:
    await machine.by_person(2, 4)
    await machine.post(machine.stopped(0, 6), machine.stopped(5, 8, "material_availability"))
    assert await machine.times() == [(0, 2, BREAKDOWN), (2, 4, SETUP), (4, 6, BREAKDOWN), (6, 8, MATERIAL)]
    (covered,) = await machine.post(machine.stopped(1, 7))
    assert covered.receipt.details == {"covered": True}
    assert len(await machine.rows()) == 4


async def test_a_stop_within_one_that_is_open_is_covered_by_it(machine: Machine) -> None:
    within = machine.opened(2)
    _, covered = await machine.post(machine.opened(0), within)
    assert covered.receipt.details == {"covered": True}
    await machine.post(machine.closed(0, 6), machine.closed(2, 8, "setup"))
    assert await machine.times() == [(0, 6, BREAKDOWN), (6, 8, SETUP)]


async def test_a_stop_is_divided_at_the_ends_of_its_shifts(machine: Machine) -> None:
    await machine.post(machine.stopped(0, 60, cuts=(20, 50)))
    assert await machine.times() == [(0, 20, BREAKDOWN), (20, 50, BREAKDOWN), (50, 60, BREAKDOWN)]
    told = [row["description"].partition(" [")[0] for row in await machine.rows()]
    assert told == ["E12, shift s0, part 1 of 3", "E12, shift s1, part 2 of 3", "E12, shift s2, part 3 of 3"]


async def test_an_open_stop_that_lasted_over_shifts_is_divided_when_it_ends(machine: Machine) -> None:
    closed = structs.replace(machine.closed(0, 60), parts=machine.stopped(0, 60, cuts=(20,)).parts)
    await machine.post(machine.opened(0), closed)
    assert await machine.times() == [(0, 20, BREAKDOWN), (20, 60, BREAKDOWN)]


Build = Callable[[Machine], Transaction]
ONCE: dict[str, Build] = {
    "open": lambda machine: machine.opened(0),
    "close": lambda machine: machine.closed(-30, -20),
    "record": lambda machine: machine.stopped(-60, -50, cuts=(-55,)),
    "block": lambda machine: machine.blocked(AT_MS, AT_MS + DAY_MS),
    "unblock": lambda machine: machine.unblocked(AT_MS, AT_MS + MINUTE_MS),
}


@pytest.mark.parametrize("kind", ONCE)
async def test_once_twice_and_four_times_at_once_is_one_effect(kind: str, machine: Machine) -> None:
    if kind == "unblock":
        await machine.post(ONCE["block"](machine))
    transaction = ONCE[kind](machine)
    answers = await asyncio.gather(*(machine.bench.post([transaction]) for _ in range(4)))
    after = await machine.rows(), await machine.leaves()
    (again,) = await machine.post(transaction)
    assert sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied)) == [False, True, True, True]
    assert again.receipt.repeated
    assert (await machine.rows(), await machine.leaves()) == after


async def test_a_stop_that_ends_before_it_begins_is_refused_and_changes_nothing(machine: Machine) -> None:
    (declined,) = await machine.bench.post([structs.replace(machine.stopped(0, 6), ended_ms=AT_MS - MINUTE_MS)])
    assert isinstance(declined, Declined)
    assert declined.code == "bad_interval"
    assert await machine.rows() == []


@pytest.fixture
async def work(machine: Machine, planner: Planner) -> Work:
    order = await planner.create_planned_order(5, center=machine.center)
    (step,) = await work_orders(machine.bench, order)
    return Work(machine, order, step)


async def test_run_time_is_without_pauses_and_stops(work: Work) -> None:
    machine = work.machine
    await machine.post(work.start(0), work.pause(10))
    assert [row[:2] for row in await machine.times()] == [(0, 10)]
    await machine.post(work.start(20), machine.stopped(25, 30), work.finish(40))
    assert await machine.times() == [
        (0, 10, PRODUCTIVE),
        (20, 25, PRODUCTIVE),
        (25, 30, BREAKDOWN),
        (30, 40, PRODUCTIVE),
    ]
    read = await work.read()
    assert (read["state"], read["date_start"], read["date_finished"]) == ("done", clock(0), clock(40))
    assert read["duration"] == 25


async def test_work_that_ended_in_a_pause_ran_until_the_pause(work: Work) -> None:
    await work.machine.post(work.start(0), work.pause(10), work.finish(30, 0))
    assert await work.machine.times() == [(0, 10, PRODUCTIVE)]


async def test_a_pause_of_what_rests_and_a_start_of_what_runs_change_nothing(work: Work) -> None:
    machine = work.machine
    started = await machine.post(work.start(0), work.start(5), work.pause(10), work.pause(12))
    assert [one.receipt.details["already"] for one in started] == [False, True, False, True]
    assert [row[:2] for row in await machine.times()] == [(0, 10)]


async def test_work_that_was_never_started_is_not_paused(work: Work) -> None:
    (declined,) = await work.machine.bench.post([work.pause(10)])
    assert isinstance(declined, Declined)
    assert declined.code == "wo_state"


async def test_a_persons_own_time_is_neither_ended_by_a_pause_nor_counted_twice(work: Work) -> None:
    machine = work.machine
    await machine.post(work.start(0))
    own = await machine.by_person(2, None, PRODUCTIVE, int(work.step[3:]))
    await machine.post(work.pause(10))
    (row,) = [row for row in await machine.rows() if row["id"] == own]
    assert row["date_end"] is False
    await machine.admin.call(TIMES, "write", writes=True, ids=[own], vals={"date_end": clock(6)})
    await machine.post(work.finish(20))
    assert [row[:2] for row in await machine.times()] == [(0, 2), (2, 6), (6, 10)]


async def test_work_that_begins_while_a_stop_is_open_is_started_all_the_same(work: Work) -> None:
    machine = work.machine
    await machine.post(machine.opened(-5), work.start(0))
    assert (await work.read())["state"] == "progress"
    assert (-5, None, OPEN) in await machine.times()
    await machine.post(machine.closed(-5, 3), work.finish(10))
    assert await machine.times() == [(-5, 3, BREAKDOWN), (3, 10, PRODUCTIVE)]


async def test_a_stop_that_is_told_after_the_finish_takes_its_time_from_the_run_time(work: Work) -> None:
    machine = work.machine
    await machine.post(work.start(0), work.finish(20), machine.stopped(5, 10))
    assert await machine.times() == [(0, 5, PRODUCTIVE), (5, 10, BREAKDOWN), (10, 20, PRODUCTIVE)]


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_a_pause_and_a_start_after_it_happen_once(what: str, work: Work) -> None:
    await work.machine.post(work.start(0))
    transaction: Transaction = work.pause(10)
    if what == "resume":
        await work.machine.post(transaction)
        transaction = work.start(20)
    answers = await asyncio.gather(*(work.machine.bench.post([transaction]) for _ in range(4)))
    assert sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied)) == [False, True, True, True]
    assert len(await work.machine.rows()) == (1 if what == "pause" else 2)
