"""Blocked capacity on a real Odoo: what is planned moves behind it, and back when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.plan import moment
from odoo_adapter.seed import Planner
from tests.live_odoo.machine import (
    BREAKDOWN,
    DAY_MS,
    MINUTE_MS,
    Machine,
    Work,
)
from tests.live_odoo.postings import work_orders
from tests.odoo_adapter.situations import AT_MS, Bench, both_modes

mode = both_modes


@pytest.fixture
async def machine(bench: Bench, admin: OdooApi) -> Machine:
    return Machine(bench, admin, await bench.center(f"T-{bench.fresh}-"))


@pytest.fixture
async def work(machine: Machine, planner: Planner) -> Work:
    order = await planner.create_planned_order(5, center=machine.center)
    (step,) = await work_orders(machine.bench, order)
    return Work(machine, order, step)


async def planned(admin: OdooApi, order: str) -> tuple[str, str]:
    fields = ["date_start", "date_finished"]
    (row,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=fields)
    return row["date_start"], row["date_finished"]


@pytest.fixture
async def now_ms(admin: OdooApi, planner: Planner) -> int:
    """Odoo plans nothing in the past, so what is planned anew is around its present."""
    (row,) = (await admin.call(TIMES, "default_get", writes=False, fields=["date_start"]),)
    return int(datetime.fromisoformat(str(row["date_start"])[:19]).replace(tzinfo=UTC).timestamp() * 1000)


async def test_blocked_capacity_moves_planned_work_behind_it_and_back_when_it_ends(
    work: Work, admin: OdooApi, planner: Planner, now_ms: int
) -> None:
    machine, second = work.machine, await planner.create_planned_order(5, center=work.machine.center)
    before = [await planned(admin, order) for order in (work.order, second)]
    started_ms = now_ms - 45 * MINUTE_MS
    (blocked,) = await machine.post(machine.blocked(started_ms, now_ms + 10 * DAY_MS))
    assert {name: blocked.receipt.details[name] for name in ("moved", "left")} == {"moved": 2, "left": 0}
    until = moment(now_ms + 10 * DAY_MS)
    assert [(leave["date_from"], leave["date_to"]) for leave in await machine.leaves()] == [(moment(started_ms), until)]
    moved = [await planned(admin, order) for order in (work.order, second)]
    assert until <= moved[0][0] < moved[0][1] <= moved[1][0]
    assert (await machine.read())["working_state"] == "blocked"
    await machine.post(machine.blocked(started_ms, now_ms + 20 * DAY_MS, "extended"))
    assert [leave["date_to"] for leave in await machine.leaves()] == [moment(now_ms + 20 * DAY_MS)]
    assert (await planned(admin, work.order))[0] >= moment(now_ms + 20 * DAY_MS)
    (freed,) = await machine.post(machine.unblocked(started_ms, now_ms))
    assert freed.receipt.details["moved"] == 2
    assert [leave["date_to"] for leave in await machine.leaves()] == [moment(now_ms)]
    back = [await planned(admin, order) for order in (work.order, second)]
    assert all(is_close(one[0], other[0]) for one, other in zip(back, before, strict=True)), (back, before)
    assert (await machine.read())["working_state"] == "normal"
    (row,) = await machine.rows()
    assert (row["date_start"], row["date_end"], row["loss_id"][1]) == (moment(started_ms), moment(now_ms), BREAKDOWN)


def is_close(one: str, other: str) -> bool:
    """But for what the test itself took."""
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < timedelta(minutes=15)


async def test_an_order_that_a_person_planned_anew_meanwhile_is_left_there(
    work: Work, admin: OdooApi, now_ms: int
) -> None:
    machine = work.machine
    await machine.post(machine.blocked(now_ms, now_ms + 3 * DAY_MS))
    order = int(work.order[3:])
    await admin.call("mrp.production", "button_unplan", writes=True, ids=[order])
    await admin.call(
        "mrp.production", "write", writes=True, ids=[order], vals={"date_start": moment(now_ms + 30 * DAY_MS)}
    )
    await admin.call("mrp.production", "button_plan", writes=True, ids=[order])
    by_hand = await planned(admin, work.order)
    (freed,) = await machine.post(machine.unblocked(now_ms, now_ms + MINUTE_MS))
    assert freed.receipt.details["moved"] == 0
    assert await planned(admin, work.order) == by_hand


async def test_a_blocked_stop_is_counted_once_beside_the_record_of_its_downtime(machine: Machine) -> None:
    start_ms, end_ms = AT_MS + 5 * MINUTE_MS, AT_MS + 60 * MINUTE_MS
    await machine.post(
        machine.blocked(start_ms, start_ms + DAY_MS), machine.stopped(3, 58), machine.unblocked(start_ms, end_ms)
    )
    assert await machine.times() == [(3, 5, BREAKDOWN), (5, 60, BREAKDOWN)]


async def test_an_end_of_a_block_that_never_was_changes_nothing(machine: Machine) -> None:
    (applied,) = await machine.post(machine.unblocked(AT_MS, AT_MS + MINUTE_MS))
    assert applied.receipt.details["already"] is True
    assert (await machine.rows(), await machine.leaves()) == ([], [])
