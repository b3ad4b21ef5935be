"""What orders really used, lots and their genealogy, on a real Odoo."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined, Held
from ruleset.transaction import Consumption
from tests.live_odoo.kitchen import Kitchen, all_applied, finished, named_lot, used_up
from tests.live_odoo.postings import finish, start
from tests.odoo_adapter.situations import AT_MS, Bench, both_modes, progress

mode = both_modes

RESIN = {("RESIN-A", "R-1"): 0.4, ("RESIN-A", "R-2"): 0.15}
DAY_MS = 86_400_000


@pytest.fixture
def kitchen(admin: OdooApi, bench: Bench) -> Kitchen:
    return Kitchen(admin=admin, fresh=bench.fresh)


async def test_reports_of_a_component_add_up_and_show_at_once(bench: Bench, kitchen: Kitchen) -> None:
    order = await bench.order(10)
    first = used_up(bench, order, "RESIN-A", "300", "g", lot="R-1")
    (applied,) = await bench.post([first])
    assert isinstance(applied, Applied)
    assert applied.receipt.details == {"lot": "R-1", "consumed": 0.3}
    assert await kitchen.used(order) == {("RESIN-A", "R-1"): 0.3}
    second = used_up(bench, order, "RESIN-A", "0.1", lot="R-1")
    third = used_up(bench, order, "RESIN-A", "150", "g", lot="R-2")
    assert all_applied(await bench.post([second, third]))
    assert await kitchen.used(order) == RESIN


async def test_a_completion_keeps_what_was_recorded_and_takes_the_rest_at_the_bills_ratio(
    bench: Bench, kitchen: Kitchen, admin: OdooApi
) -> None:
    order = await bench.order(10)
    reports = [
        used_up(bench, order, "RESIN-A", "400", "g", lot="R-1"),
        used_up(bench, order, "RESIN-A", "0.15", lot="R-2"),
    ]
    done = finished(bench, order, 8, f"H-{order}-{bench.fresh}")
    assert all_applied(await bench.post([*reports, progress(bench, order, 8), done]))
    assert await kitchen.used(order) == {**RESIN, ("BOX", ""): 8.0}


async def test_what_a_completion_lists_wins_over_what_was_recorded(bench: Bench, kitchen: Kitchen) -> None:
    order = await bench.order(10)
    done = finished(bench, order, 10, f"H-{order}-{bench.fresh}")
    listed = (Consumption(product="RESIN-A", quantity=Decimal("0.5"), unit="kg", lot="R-2"),)
    report = used_up(bench, order, "RESIN-A", "0.3", lot="R-1")
    assert all_applied(await bench.post([report, structs.replace(done, consumed=listed)]))
    assert await kitchen.used(order) == {("RESIN-A", "R-2"): 0.5, ("BOX", ""): 10.0}


async def test_what_odoo_filled_in_when_a_work_order_ended_is_not_used_up_twice(bench: Bench, kitchen: Kitchen) -> None:
    order = await bench.order(10)
    assert all_applied(await bench.post([await start(bench, order), await finish(bench, order)]))
    assert all_applied(await bench.post([used_up(bench, order, "BOX", "7", "pcs")]))
    used = await kitchen.used(order)
    assert used["BOX", ""] == 7


async def test_a_report_sent_once_twice_and_four_times_at_once_is_used_up_once(bench: Bench, kitchen: Kitchen) -> None:
    order = await bench.order(10)
    report = used_up(bench, order, "RESIN-A", "0.3", lot="R-1")
    answers = await asyncio.gather(*(bench.post([report]) for _ in range(4)))
    answers.append(await bench.post([report]))
    repeated = [one.receipt.repeated for (one,) in answers if isinstance(one, Applied)]
    assert sorted(repeated) == [False, True, True, True, True]
    assert await kitchen.used(order) == {("RESIN-A", "R-1"): 0.3}


async def test_a_report_for_an_order_that_is_done_is_refused_with_what_to_do(bench: Bench, kitchen: Kitchen) -> None:
    order = await bench.order(10)
    report = used_up(bench, order, "RESIN-A", "0.5", lot="R-1")
    assert all_applied(await bench.post([report, finished(bench, order, 10, f"H-{order}-{bench.fresh}")]))
    before = await kitchen.used(order)
    (late,) = await bench.post([used_up(bench, order, "RESIN-A", "0.1", lot="R-1")])
    assert isinstance(late, Declined)
    assert late.code == "order_state"
    assert late.reason.endswith("is done, and what it used is closed: correct that in Odoo, then skip this report")
    assert await kitchen.used(order) == before


async def test_a_component_that_the_order_has_not_is_held_and_added_once_released(
    bench: Bench, kitchen: Kitchen
) -> None:
    order = await bench.order(10)
    other = await kitchen.product("RESIN-B")
    lot = await kitchen.lot(other, "B-1", 5)
    report = used_up(bench, order, kitchen.code("RESIN-B"), "0.2", lot=lot)
    (held,) = await bench.post([report])
    assert isinstance(held, Held)
    assert f"{kitchen.code('RESIN-B')} is not a component of " in held.reason
    assert await kitchen.used(order) == {}
    released = structs.replace(report, consent="eve")
    assert all_applied(await bench.post([released]))
    again = used_up(bench, order, kitchen.code("RESIN-B"), "100", "g", lot=lot)
    rest = used_up(bench, order, "RESIN-A", "0.3", lot="R-1")
    done = finished(bench, order, 10, f"H-{order}-{bench.fresh}")
    assert all_applied(await bench.post([again, rest, done]))
    used = {("RESIN-A", "R-1"): 0.3, ("RESIN-B", "B-1"): 0.3, ("BOX", ""): 10.0}
    assert await kitchen.used(order) == used
    assert await kitchen.stock(other, lot) == 4.7
