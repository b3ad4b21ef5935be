"""What orders really used, and lots, as it is tested on a real Odoo, on the simulator; and what only that can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.odoo import Applied, Held, Standing
from tests.live_odoo.kitchen import Kitchen, all_applied, named_lot, used_up
from tests.live_odoo.test_material import (
    kitchen,
    mode,
    test_a_batch_leads_to_its_raw_lots_and_rework_and_each_of_them_to_its_batches,
    test_a_completion_keeps_what_was_recorded_and_takes_the_rest_at_the_bills_ratio,
    test_a_completion_that_lists_an_expired_lot_is_held_and_posted_once_released,
    test_a_component_that_the_order_has_not_is_held_and_added_once_released,
    test_a_lot_keeps_its_expiration_date_where_the_product_has_such_and_is_refused_where_not,
    test_a_lot_that_had_expired_when_it_was_used_is_held_and_posted_once_released,
    test_a_lot_that_is_on_hold_is_held_and_taken_from_there_once_released,
    test_a_report_for_an_order_that_is_done_is_refused_with_what_to_do,
    test_a_report_sent_once_twice_and_four_times_at_once_is_used_up_once,
    test_four_at_once_name_one_lot_and_a_completion_goes_into_it,
    test_it_refuses,
    test_reports_of_a_component_add_up_and_show_at_once,
    test_stock_in_bags_takes_from_a_scale_what_odoos_digits_can_hold_and_no_other,
    test_what_a_completion_lists_wins_over_what_was_recorded,
    test_what_odoo_filled_in_when_a_work_order_ended_is_not_used_up_twice,
    test_what_one_order_used_up_is_not_there_for_another,
)
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.simulator.lost import posted_with_a_call_lost
from tests.odoo_adapter.situations import Bench

__all__ = [
    "kitchen",
    "mode",
    "test_a_batch_leads_to_its_raw_lots_and_rework_and_each_of_them_to_its_batches",
    "test_a_completion_keeps_what_was_recorded_and_takes_the_rest_at_the_bills_ratio",
    "test_a_completion_that_lists_an_expired_lot_is_held_and_posted_once_released",
    "test_a_component_that_the_order_has_not_is_held_and_added_once_released",
    "test_a_lot_keeps_its_expiration_date_where_the_product_has_such_and_is_refused_where_not",
    "test_a_lot_that_had_expired_when_it_was_used_is_held_and_posted_once_released",
    "test_a_lot_that_is_on_hold_is_held_and_taken_from_there_once_released",
    "test_a_report_for_an_order_that_is_done_is_refused_with_what_to_do",
    "test_a_report_sent_once_twice_and_four_times_at_once_is_used_up_once",
    "test_four_at_once_name_one_lot_and_a_completion_goes_into_it",
    "test_it_refuses",
    "test_reports_of_a_component_add_up_and_show_at_once",
    "test_stock_in_bags_takes_from_a_scale_what_odoos_digits_can_hold_and_no_other",
    "test_what_a_completion_lists_wins_over_what_was_recorded",
    "test_what_odoo_filled_in_when_a_work_order_ended_is_not_used_up_twice",
    "test_what_one_order_used_up_is_not_there_for_another",
]

FAULTS = ("timeout_before_commit", "timeout_after_commit", "serialization_failures")
MOST_CALLS = 8
"""More writing calls than a report needs."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("component", ["RESIN-A", "RESIN-B"])
async def test_whichever_call_fails_the_next_attempt_uses_up_the_same(
    component: str, fault: str, simulated: Simulated, benches: Callable[..., Bench], kitchen: Kitchen
) -> None:
    bench = benches("look-first")
    other = await kitchen.product("RESIN-B")
    code, lot = ("RESIN-A", "R-1") if component == "RESIN-A" else (kitchen.code("RESIN-B"), kitchen.code("B-1"))
    await kitchen.lot(other, "B-1", 1000)
    for calls in range(MOST_CALLS):
        order = await bench.order(10)
        assert all_applied(await bench.post([used_up(bench, order, code, "0.1", lot=lot, consent="eve")]))
        job = bench.job(used_up(bench, order, code, "400", "g", lot=lot, consent="eve"))
        outcome, struck = await posted_with_a_call_lost(simulated, bench, job, calls, fault)
        assert all_applied([outcome]), calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt.repeated
        assert list((await kitchen.used(order)).values()) == [0.5], calls
        if not struck:
            return
    pytest.fail("it needs more calls than that")


@pytest.mark.parametrize("fault", FAULTS)
async def test_whichever_call_fails_the_next_attempt_names_the_same_lot(
    fault: str, simulated: Simulated, benches: Callable[..., Bench], kitchen: Kitchen
) -> None:
    bench, product = benches("look-first"), await kitchen.product("DOUGH")
    for calls in range(MOST_CALLS):
        name = f"D-{calls}"
        job = bench.job(named_lot(bench, kitchen.code("DOUGH"), name))
        simulated.service.faults.set({"spare": calls, fault: 1})
        try:
            outcomes = await bench.odoo.post([job])
        except (Uncertain, Unavailable):
            outcomes = await bench.odoo.post([replace(job, uncertain=True)])
        struck = not simulated.service.faults.shown()[fault]
        simulated.service.faults.set({"spare": 0, fault: 0})
        assert all_applied(outcomes), calls
        same = [["name", "=", name], ["product_id", "=", product]]
        assert await kitchen.admin.call("stock.lot", "search_count", writes=False, domain=same) == 1
        assert set(await bench.odoo.look_up([job])) == {job.transaction.key}
        if not struck:
            return
    pytest.fail("it needs more calls than that")


async def test_what_somebody_else_changed_is_held_and_added_to_what_stands_once_released(
    benches: Callable[..., Bench], kitchen: Kitchen
) -> None:
    bench = benches("look-first")
    order = await bench.order(10)
    assert all_applied(await bench.post([used_up(bench, order, "RESIN-A", "0.1", lot="R-1")]))
    job = bench.job(used_up(bench, order, "RESIN-A", "0.2", lot="R-1"))
    elsewhere = replace(job, standing=Standing(consumed={"RESIN-A": {"R-1": Decimal("0.05")}}))
    (held,) = await bench.odoo.post([elsewhere])
    assert isinstance(held, Held)
    assert "shows 0.1 kg of RESIN-A, lot R-1 used, expected 0.05: somebody changed it" in held.reason
    assert all_applied(await bench.odoo.post([replace(elsewhere, released=True)]))
    assert await kitchen.used(order) == {("RESIN-A", "R-1"): 0.3}
