"""What people do beside the bridge, on a real Odoo: they release quantities, and start and finish work orders."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.seed import Planner
from tests.live_odoo.postings import (
    finish,
    hold,
    internal_stock,
    start,
    work_orders,
)
from tests.odoo_adapter.situations import AT_MS, Bench, both_modes, complete, progress

mode = both_modes


async def test_an_order_started_by_hand_still_counts_what_the_floor_counted(bench: Bench, admin: OdooApi) -> None:
    """Odoo's own Start button fills in the whole quantity; nobody made those pieces."""
    order = await bench.order(10)
    (press, _) = await work_orders(bench, order)
    await admin.call("mrp.workorder", "button_start", writes=True, ids=[int(press[3:])])
    (applied,) = await bench.post([progress(bench, order, 4)])
    assert isinstance(applied, Applied)
    assert applied.receipt.details["qty_producing"] == 4


async def test_more_than_the_tolerance_is_posted_once_a_person_released_it(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(100)
    counted, done = progress(bench, order, 106), complete(bench, order, quantity=106)
    refused, _ = await bench.post([counted, done])
    assert isinstance(refused, Declined)
    assert refused.code == "too_much"
    released = [structs.replace(one, consent="eve@example.com") for one in (counted, done)]
    assert [type(one) for one in await bench.post(released)] == [Applied, Applied]
    again = await bench.post([counted, done])
    assert [isinstance(one, Applied) and one.receipt.repeated for one in again] == [True, True]
    (read,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_produced"])
    assert read["qty_produced"] == 106
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 106.0)]
    notes = await admin.call(
        "mail.message",
        "search_count",
        writes=False,
        domain=[
            ["model", "=", "mrp.production"],
            ["res_id", "=", int(order[3:])],
            ["body", "ilike", "released by eve@example.com"],
        ],
    )
    assert notes == 2


async def test_more_than_the_tolerance_is_put_on_hold_once_a_person_released_it(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    many = structs.replace(await hold(bench, order), quantity=Decimal(11))
    (refused,) = await bench.post([many])
    assert isinstance(refused, Declined)
    assert refused.code == "too_much"
    (applied,) = await bench.post([structs.replace(many, consent="eve")])
    assert isinstance(applied, Applied)
    assert await internal_stock(admin, many.lot or "") == [("WH/Quality Hold", 11.0)]


async def times(admin: OdooApi, work_order: str) -> list[tuple[str, str, str]]:
    rows = await admin.call(
        "mrp.workcenter.productivity",
        "search_read",
        writes=False,
        domain=[["workorder_id", "=", int(work_order[3:])]],
        fields=["date_start", "date_end", "user_id"],
        order="id",
    )
    return [(one["date_start"], one["date_end"], one["user_id"][1]) for one in rows]


async def test_a_finish_after_the_orders_completion_stands_and_brings_the_machines_times(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    late = structs.replace(begun, key=bench.key("start/late"))
    outcomes = await bench.post([begun, complete(bench, order), ended, late])
    states = [one.receipt.details.get("already") for one in outcomes if isinstance(one, Applied)]
    assert states == [False, None, True, True]
    ((first, last, _),) = await times(admin, ended.work_order)
    assert (first, last) == ("2026-11-23 02:13:20", "2026-11-23 03:13:20")
    (second,) = await bench.post([structs.replace(ended, key=bench.key("finish/again"), started_ms=AT_MS - 1000)])
    assert isinstance(second, Applied)
    assert len(await times(admin, ended.work_order)) == 1
    assert (await times(admin, ended.work_order))[0][:2] == (first, last)
    (read,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["date_finished"])
    assert read["date_finished"] == "2026-11-23 02:13:20"


async def test_what_a_person_started_and_finished_stays_as_the_person_left_it(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    work = int(ended.work_order[3:])
    await admin.call("mrp.workorder", "button_start", writes=True, ids=[work])
    (started,) = await bench.post([begun])
    await admin.call("mrp.workorder", "button_finish", writes=True, ids=[work])
    fields = ["date_start", "date_finished", "qty_produced", "duration"]
    before = await admin.call("mrp.workorder", "read", writes=False, ids=[work], fields=fields)
    persons = await times(admin, ended.work_order)
    (finished,) = await bench.post([ended])
    assert isinstance(started, Applied)
    assert isinstance(finished, Applied)
    assert (started.receipt.details["already"], finished.receipt.details["already"]) == (True, True)
    assert await admin.call("mrp.workorder", "read", writes=False, ids=[work], fields=fields) == before
    assert await times(admin, ended.work_order) == persons


async def test_a_cancelled_work_order_is_neither_started_nor_finished(bench: Bench, planner: Planner) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    await planner.cancel_order(order)
    for transaction in (begun, ended):
        (declined,) = await bench.post([transaction])
        assert isinstance(declined, Declined)
        assert declined.code == "order_state"


async def test_work_that_was_planned_for_later_and_never_started_is_finished_when_the_machine_says_so(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    later = {"date_start": "2027-03-01 08:00:00"}
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals=later)
    await admin.call("mrp.production", "button_plan", writes=True, ids=[int(order[3:])])
    ended = await finish(bench, order)
    (applied,) = await bench.post([ended])
    assert isinstance(applied, Applied)
    fields = ["state", "date_start", "date_finished"]
    (read,) = await admin.call("mrp.workorder", "read", writes=False, ids=[int(ended.work_order[3:])], fields=fields)
    assert (read["state"], read["date_start"]) == ("done", "2026-11-23 02:13:20")
    assert read["date_finished"] == "2026-11-23 03:13:20"
