"""Posting without the inbox, on the simulator: what is tested on a real one, and every fault at every call."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Uncertain
from odoo_adapter.odoo import Applied, Declined, Held, Passed, Standing
from odoo_adapter.simulator.company import ADMINISTRATOR
from odoo_adapter.simulator.rpc import call
from ruleset.transaction import IdempotencyKey
from tests.live_odoo.postings import (
    completion,
    component_scrap,
    consumption,
    downtime,
    hold,
    hold_at_ratio,
    maintenance,
    note,
    scrap,
)
from tests.live_odoo.test_look_first import (
    KINDS,
    Build,
    count_by_hand,
    left,
    mode,
    test_a_draft_that_was_declined_takes_over_what_was_corrected_since,
    test_a_hold_location_that_is_missing_declines_holds_only_and_says_what_to_do,
    test_a_quantity_that_somebody_changed_is_held_and_goes_on_from_there_once_released,
    test_a_strict_bill_of_materials_takes_its_ratio_only,
    test_a_total_that_was_written_although_nobody_heard_of_it_is_not_added_again,
    test_an_administrator_is_refused,
    test_an_order_that_somebody_completed_otherwise_meanwhile_is_held,
    test_every_kind_leaves_the_same_records_as_through_the_inbox,
    test_scrap_of_which_only_the_draft_was_made_is_validated_once,
    test_the_check_tells_how_postings_happen,
)
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, CONTEXT, Simulated
from tests.odoo_adapter.simulator.lost import posted_with_a_call_lost
from tests.odoo_adapter.situations import HOUSING, Bench, complete, opened, progress

__all__ = [
    "mode",
    "test_a_draft_that_was_declined_takes_over_what_was_corrected_since",
    "test_a_hold_location_that_is_missing_declines_holds_only_and_says_what_to_do",
    "test_a_quantity_that_somebody_changed_is_held_and_goes_on_from_there_once_released",
    "test_a_strict_bill_of_materials_takes_its_ratio_only",
    "test_a_total_that_was_written_although_nobody_heard_of_it_is_not_added_again",
    "test_an_administrator_is_refused",
    "test_an_order_that_somebody_completed_otherwise_meanwhile_is_held",
    "test_every_kind_leaves_the_same_records_as_through_the_inbox",
    "test_scrap_of_which_only_the_draft_was_made_is_validated_once",
    "test_the_check_tells_how_postings_happen",
]

FAULTS = ("timeout_before_commit", "timeout_after_commit", "serialization_failures")
AS_RELEASED = {"qty_producing": 0.0, "qty_produced": 0.0, "lots": [], "destination": "WH/Stock"}
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
@pytest.mark.parametrize("build", [*KINDS, completion, hold, hold_at_ratio], ids=lambda build: build.__name__)
async def test_whichever_call_fails_and_however_the_next_attempt_leaves_the_same_records(
    build: Build, fault: str, simulated: Simulated, bench: Bench, admin: OdooApi
) -> None:
    wanted = await undisturbed(build, bench, admin)
    for calls in range(MOST_CALLS):
        order = await bench.order(10)
        await bench.post([await scrap(bench, order)])
        job = bench.job(await build(bench, order))
        outcome, struck = await posted_with_a_call_lost(simulated, bench, job, calls, fault)
        assert isinstance(outcome, Applied), (calls, outcome)
        assert await left(bench, admin, order) == wanted, calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt.repeated
        assert await left(bench, admin, order) == wanted, calls
        if not struck:
            return
    pytest.fail("it needs more calls than that")


@pytest.mark.parametrize("version", ["17.0", "19.0"])
@pytest.mark.parametrize("build", [completion, hold], ids=lambda build: build.__name__)
async def test_a_completion_that_odoo_refuses_half_way_is_put_back_and_can_be_replayed(
    build: Build, simulated: Simulated, bench: Bench, admin: OdooApi
) -> None:
    wanted = await undisturbed(build, bench, admin)
    for calls in range(MOST_CALLS):
        order = await bench.order(10)
        await bench.post([await scrap(bench, order)])
        job = bench.job(await build(bench, order))
        simulated.service.faults.set({"spare": calls, "refusals": 1})
        (declined,) = await bench.odoo.post([job])
        assert isinstance(declined, Declined)
        assert declined.code == "UserError"
        if "is done as posted" in declined.reason:
            return
        now = (await left(bench, admin, order))["order"]
        assert isinstance(now, dict)
        assert now["state"] in ("confirmed", "progress")
        assert {name: now[name] for name in AS_RELEASED} == AS_RELEASED
        (applied,) = await bench.odoo.post([job])
        assert isinstance(applied, Applied)
        assert await left(bench, admin, order) == wanted
    pytest.fail("it needs more calls than that")


async def test_a_refused_completion_tells_that_an_interrupted_attempt_may_have_written_what_is_left(
    simulated: Simulated, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    job = bench.job(await hold(bench, order))
    simulated.service.faults.set({"spare": 3, "timeout_after_commit": 1})
    with pytest.raises(Uncertain):
        await bench.odoo.post([job])
    sent_on = (await left(bench, admin, order))["order"]
    simulated.service.faults.set({"spare": 3, "refusals": 1})
    (declined,) = await bench.odoo.post([replace(job, uncertain=True)])
    assert isinstance(declined, Declined)
    assert "are as this attempt found them, perhaps written by an earlier one" in declined.reason
    assert isinstance(sent_on, dict)
    assert sent_on["destination"] == "WH/Quality Hold"


@pytest.mark.parametrize("version", ["19.0"])
async def test_a_completion_during_which_a_planner_changes_the_quantity_begins_anew(
    simulated: Simulated, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    job = bench.job(structs.replace(complete(bench, order), consumed=HOUSING[:2], short="backorder"))

    def plan_more(path: str, _body: object, _status: int, _answer: object) -> None:
        if path.endswith("/set_qty_producing") and not dialogs:
            values = {"mo_id": int(order[3:]), "product_qty": 12.0}
            (dialog,) = rpc("create", vals_list=[values])
            dialogs.append(dialog)
            rpc("change_prod_qty", ids=dialogs)

    def rpc(method: str, **body: Any) -> Any:
        return call(simulated.service.database, ADMINISTRATOR, "change.production.qty", method, body)

    dialogs: list[int] = []
    odoo = opened("look-first", simulated.connection(BRIDGE_KEY), CONTEXT, plan_more)
    with pytest.raises(Uncertain):
        await odoo.post([job])
    (outcome,) = await odoo.post([replace(job, uncertain=True)])
    await odoo.close()
    assert isinstance(outcome, Applied)
    rest = str(outcome.receipt.details["backorder"])
    (row,) = await admin.call("mrp.production", "read", writes=False, ids=[int(rest[3:])], fields=["product_qty"])
    assert row["product_qty"] == 2.0
    assert (await consumption(admin, order))["BOX"] == 10.0


async def test_where_odoo_goes_away_in_the_middle_what_was_not_tried_is_passed(
    simulated: Simulated, bench: Bench
) -> None:
    orders = [await bench.order(10) for _ in range(3)]
    jobs = [bench.job(progress(bench, order, 4)) for order in orders]
    simulated.service.faults.set({"spare": 1, "serialization_failures": 1})
    first, *others = await bench.odoo.post(jobs)
    assert isinstance(first, Applied)
    assert others == [Passed(key=job.transaction.key) for job in jobs[1:]]
    assert [type(one) for one in await bench.odoo.post(jobs[1:])] == [Applied, Applied]


async def test_one_job_of_a_lane_is_tried_at_a_time(bench: Bench) -> None:
    order, other = await bench.order(10), await bench.order(10)
    jobs = [bench.job(one) for one in (progress(bench, order, 4), progress(bench, order, 5), progress(bench, other, 1))]
    first, second, third = await bench.odoo.post(jobs)
    assert (isinstance(first, Applied), isinstance(third, Applied)) == (True, True)
    assert second == Passed(key=jobs[1].transaction.key)


async def test_a_defect_with_one_job_declines_it_and_the_others_go_on(bench: Bench) -> None:
    order, other = await bench.order(10), await bench.order(10)
    broken = replace(bench.job(progress(bench, order, 4)), standing=Standing(quantity=Decimal("sNaN")))
    declined, applied = await bench.odoo.post([broken, bench.job(progress(bench, other, 4))])
    assert isinstance(declined, Declined)
    assert (declined.code, isinstance(applied, Applied)) == ("not_foreseen", True)


@pytest.mark.parametrize("build", [*KINDS, completion], ids=lambda build: build.__name__)
async def test_looking_up_finds_each_kind_once_it_stands_and_changes_nothing(
    build: Build, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    job = bench.job(await build(bench, order))
    before = await left(bench, admin, order)
    assert await bench.odoo.look_up([job]) == {}
    assert await left(bench, admin, order) == before
    (applied,) = await bench.odoo.post([job])
    assert isinstance(applied, Applied)
    found = await bench.odoo.look_up([replace(job, uncertain=True)])
    assert found == {job.transaction.key: replace(applied.receipt, repeated=True)}


ODD = "a\\b 50%_ <b>x</b> & \"q\" 'z' [ü] (s) " + "x" * 350 + "\\"
"""What an event's id may hold: what patterns, markup and our own marks around a key could stumble over."""


@pytest.mark.parametrize("version", ["17.0", "19.0"])
@pytest.mark.parametrize("build", [*KINDS, completion, hold], ids=lambda build: build.__name__)
async def test_a_key_of_any_letters_is_found_again(build: Build, bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    plain = await build(bench, order)
    job = bench.job(structs.replace(plain, key=IdempotencyKey(f"{plain.key}/{ODD}")))
    (first,) = await bench.odoo.post([job])
    assert isinstance(first, Applied)
    stands = await left(bench, admin, order)
    (again,) = await bench.odoo.post([replace(job, uncertain=True)])
    assert again == Applied(key=job.transaction.key, receipt=replace(first.receipt, repeated=True))
    assert await left(bench, admin, order) == stands


@pytest.mark.parametrize(
    "build", [scrap, component_scrap, downtime, note, maintenance], ids=lambda build: build.__name__
)
async def test_a_key_that_begins_another_one_is_a_fact_of_its_own(build: Build, bench: Bench) -> None:
    short = await build(bench, await bench.order(10))
    longer = structs.replace(short, key=IdempotencyKey(f"{short.key} b"))
    for transaction in (longer, short):
        assert await bench.odoo.look_up([replace(bench.job(transaction), uncertain=True)]) == {}
        (outcome,) = await bench.odoo.post([bench.job(transaction)])
        assert isinstance(outcome, Applied)
        assert not outcome.receipt.repeated


async def test_scrap_whose_source_somebody_changed_is_not_validated_again(bench: Bench, admin: OdooApi) -> None:
    job = bench.job(await scrap(bench, await bench.order(10)))
    (first,) = await bench.odoo.post([job])
    assert isinstance(first, Applied)
    await admin.call("stock.scrap", "write", writes=True, ids=[first.receipt.id], vals={"origin": "mine"})
    (again,) = await bench.odoo.post([replace(job, uncertain=True)])
    assert again == Applied(key=job.transaction.key, receipt=replace(first.receipt, repeated=True))


async def test_a_whole_quantity_that_odoo_did_not_fill_in_is_somebodys_and_held(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 4)])
    await count_by_hand(admin, order, 10)
    (held,) = await bench.odoo.post([bench.job(progress(bench, order, 5))])
    assert isinstance(held, Held)


async def test_an_order_goes_on_in_a_unit_that_was_archived(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    units = await admin.call("uom.uom", "search", writes=False, domain=[["name", "=", "Units"]])
    await admin.call("uom.uom", "write", writes=True, ids=units, vals={"active": False})
    (applied,) = await bench.odoo.post([bench.job(progress(bench, order, 4))])
    assert isinstance(applied, Applied)
