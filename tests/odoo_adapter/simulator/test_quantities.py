"""Completions and corrections on the simulator of each version: the tests of a real Odoo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from ruleset.transaction import Transaction
from tests.live_odoo.master import Master
from tests.live_odoo.postings import consumption
from tests.live_odoo.test_completion import (
    brought,
    made,
    master,
    meters,
    mode,
    order_row,
    orders_of,
    test_a_strict_bill_of_materials_takes_its_ratio_only,
    test_as_many_serial_numbers_as_pieces_are_asked_for,
    test_by_products_that_do_not_fit_are_refused,
    test_each_piece_gets_its_serial_number,
    test_goods_on_hold_leave_a_backorder_too,
    test_less_than_ordered_is_closed_or_leaves_a_backorder_and_by_products_are_what_came,
    test_one_piece_at_a_time_with_its_serial_number_goes_on_every_version,
    with_sprues,
)
from tests.live_odoo.test_correction import (
    correct,
    notes,
    test_a_correction_below_nothing_or_beyond_the_order_is_refused,
    test_a_correction_of_a_done_order_takes_pieces_apart_again,
    test_a_correction_of_what_was_counted_moves_the_total_and_later_totals_count_on_from_there,
    test_a_done_order_gets_no_more_pieces_and_the_refusal_says_what_to_do,
    test_a_done_order_has_no_more_taken_from_it_than_it_made,
    test_a_whole_quantity_that_a_person_wrote_beside_the_counts_stays,
    test_four_at_once_correct_once,
    test_goods_that_are_not_there_any_more_are_not_taken_apart,
)
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.simulator.lost import posted_with_a_call_lost
from tests.odoo_adapter.situations import Bench, complete, progress

__all__ = [
    "master",
    "mode",
    "test_a_correction_below_nothing_or_beyond_the_order_is_refused",
    "test_a_correction_of_a_done_order_takes_pieces_apart_again",
    "test_a_correction_of_what_was_counted_moves_the_total_and_later_totals_count_on_from_there",
    "test_a_done_order_gets_no_more_pieces_and_the_refusal_says_what_to_do",
    "test_a_done_order_has_no_more_taken_from_it_than_it_made",
    "test_a_strict_bill_of_materials_takes_its_ratio_only",
    "test_a_whole_quantity_that_a_person_wrote_beside_the_counts_stays",
    "test_as_many_serial_numbers_as_pieces_are_asked_for",
    "test_by_products_that_do_not_fit_are_refused",
    "test_each_piece_gets_its_serial_number",
    "test_four_at_once_correct_once",
    "test_goods_on_hold_leave_a_backorder_too",
    "test_goods_that_are_not_there_any_more_are_not_taken_apart",
    "test_less_than_ordered_is_closed_or_leaves_a_backorder_and_by_products_are_what_came",
    "test_one_piece_at_a_time_with_its_serial_number_goes_on_every_version",
]


@pytest.fixture(params=["17.0", "18.0", "19.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def counted_wrong(bench: Bench, master: Master) -> list[Transaction]:
    order = await bench.order(50)
    return [progress(bench, order, 20), correct(bench, order, -5)]


async def completed_wrong(bench: Bench, master: Master) -> list[Transaction]:
    order = await bench.order(50)
    return [complete(bench, order, quantity=50), correct(bench, order, -5)]


async def completed_short(bench: Bench, master: Master) -> list[Transaction]:
    return [with_sprues(bench, made(bench, await master.frames(50), 40, short="backorder"), 2)]


async def completed_with_serials(bench: Bench, master: Master) -> list[Transaction]:
    order = await master.meters(2)
    one_by_one = not (await master.capabilities()).finished_lot_many
    return [meters(bench, order, 1 if one_by_one else 2, short="backorder")]


Story = Callable[[Bench, Master], Awaitable[list[Transaction]]]


async def told(bench: Bench, admin: OdooApi, transaction: Transaction) -> object:
    """What stands of the order and what came of it, in words that another order's may equal."""
    order = str(transaction.order)
    row = await order_row(admin, order)
    unbuilt = await admin.call(
        "mrp.unbuild",
        "search_read",
        writes=False,
        domain=[["mo_id", "=", int(order[3:])]],
        fields=["state", "product_qty", "lot_id"],
    )
    rests = await orders_of(admin, "FRAME") + await orders_of(admin, "METER")
    brought_by_code = sorted((code, quantity) for (code, _), quantity in (await brought(admin, order)).items())
    return (
        (row["state"], row["qty_producing"], row["qty_produced"], row["product_qty"]),
        [(one["state"], one["product_qty"]) for one in unbuilt],
        brought_by_code,
        await consumption(admin, order),
        await notes(admin, "mrp.production", int(order[3:]), transaction.key),
        rests,
    )


@pytest.mark.parametrize("version", ["17.0", "19.0"])
@pytest.mark.parametrize("mode", ["look-first"])
@pytest.mark.parametrize("fault", ["timeout_before_commit", "timeout_after_commit", "serialization_failures"])
@pytest.mark.parametrize(
    "story",
    [counted_wrong, completed_wrong, completed_short, completed_with_serials],
    ids=lambda story: story.__name__,
)
async def test_whichever_call_of_it_fails_the_next_attempt_leaves_the_same(
    story: Story, fault: str, simulated: Simulated, bench: Bench, admin: OdooApi, master: Master
) -> None:
    *before, last = await story(bench, master)
    await bench.post([*before, last])
    wanted = await told(bench, admin, last)
    for calls in range(25):
        started = await orders_of(admin, "FRAME") + await orders_of(admin, "METER")
        *before, last = await story(bench, master)
        await bench.post(before)
        job = bench.job(last)
        outcome, struck = await posted_with_a_call_lost(simulated, bench, job, calls, fault)
        assert isinstance(outcome, Applied), (calls, outcome)
        found = await told(bench, admin, last)
        assert isinstance(found, tuple)
        assert isinstance(wanted, tuple)
        assert (found[:-1], found[-1] - started) == (wanted[:-1], wanted[-1]), calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt == replace(outcome.receipt, repeated=True)
        assert await told(bench, admin, last) == found, calls
        if not struck:
            return
    pytest.fail("it needs more calls than that")


async def test_a_unit_whose_name_several_have_is_ambiguous(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    await admin.call("uom.uom", "create", writes=True, vals_list=[{"name": "Units", "relative_factor": 1.0}])
    (declined,) = await bench.post([progress(bench, order, 4)])
    assert isinstance(declined, Declined)
    assert (declined.code, declined.reason) == ("ambiguous", "unit Units: 2 units have this name")


async def test_the_inbox_counts_what_all_streams_counted_before_it_was_there(benches: Callable[..., Bench]) -> None:
    before = benches("look-first")
    order = await before.order(10)
    await before.post([progress(before, order, 4), progress(before, order, 5, stream="2")])
    after = replace(benches("inbox"), standings=before.standings)
    (_, late) = await after.post([complete(after, order, quantity=9), progress(after, order, 5)])
    assert isinstance(late, Declined)
    assert late.reason.endswith(" is done with 9.0, and 10.0 were counted")


@pytest.mark.parametrize("mode", ["look-first"])
async def test_a_count_that_a_person_released_is_covered_by_its_done_order_like_any_other(bench: Bench) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 7), complete(bench, order)])
    (covered,) = await bench.odoo.post([replace(bench.job(progress(bench, order, 9)), released=True)])
    assert isinstance(covered, Applied)
    assert covered.receipt.details["covered"]
