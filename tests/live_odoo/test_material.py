"""What orders really used, lots and their genealogy, on a real Odoo."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined, Held
from ruleset.transaction import Consumption
from tests.live_odoo.kitchen import IN_A_MONTH, Kitchen, all_applied, finished, named_lot, used_up
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


async def test_a_lot_that_had_expired_when_it_was_used_is_held_and_posted_once_released(
    bench: Bench, kitchen: Kitchen
) -> None:
    await kitchen.keep_expiration_dates()
    order, milk = await kitchen.simple_order("MILK", IN_A_MONTH)
    old = await kitchen.lot(milk, "OLD", 5, expiration_date="2026-11-22 00:00:00")
    good = await kitchen.lot(milk, "GOOD", 5, expiration_date="2030-01-01 00:00:00")
    report = used_up(bench, order, kitchen.code("MILK"), "1", lot=old)
    (held,) = await bench.post([report])
    assert isinstance(held, Held)
    assert f"lot {old} of {kitchen.code('MILK')} expired at 2026-11-22 00:00:00" in held.reason
    assert await kitchen.used(order) == {}
    fresh = used_up(bench, order, kitchen.code("MILK"), "1", lot=good)
    assert all_applied(await bench.post([structs.replace(report, consent="eve"), fresh]))
    assert all_applied(await bench.post([finished(bench, order, 2, kitchen.code("CAKE"), unit="kg")]))
    assert await kitchen.used(order) == {("MILK", "OLD"): 1, ("MILK", "GOOD"): 1}


async def test_a_completion_that_lists_an_expired_lot_is_held_and_posted_once_released(
    bench: Bench, kitchen: Kitchen
) -> None:
    await kitchen.keep_expiration_dates()
    order, milk = await kitchen.simple_order("MILK", IN_A_MONTH)
    old = await kitchen.lot(milk, "OLD", 5, expiration_date="2026-11-22 00:00:00")
    listed = (Consumption(product=kitchen.code("MILK"), quantity=Decimal(2), unit="kg", lot=old),)
    done = structs.replace(finished(bench, order, 2, kitchen.code("CAKE"), unit="kg"), consumed=listed)
    (held,) = await bench.post([done])
    assert isinstance(held, Held)
    assert f"lot {old} of " in held.reason
    assert await kitchen.used(order) == {}
    assert all_applied(await bench.post([structs.replace(done, consent="eve")]))
    assert await kitchen.used(order) == {("MILK", "OLD"): 2}


async def test_a_lot_that_is_on_hold_is_held_and_taken_from_there_once_released(bench: Bench, kitchen: Kitchen) -> None:
    order, milk = await kitchen.simple_order("MILK")
    lot = await kitchen.lot(milk, "BLOCKED", 5, on_hold=True)
    report = used_up(bench, order, kitchen.code("MILK"), "2", lot=lot)
    (held,) = await bench.post([report])
    assert isinstance(held, Held)
    assert f"lot {lot} of {kitchen.code('MILK')} is on hold" in held.reason
    released = structs.replace(report, consent="eve")
    assert all_applied(await bench.post([released, finished(bench, order, 2, kitchen.code("CAKE"), unit="kg")]))
    assert await kitchen.used(order) == {("MILK", "BLOCKED"): 2}
    assert await kitchen.stock(milk, lot) == 3


REFUSALS: dict[str, tuple[str, str, str, str]] = {
    "a unit of another kind": ("unit", "5", "pcs", "is not convertible to kg"),
    "less than stock is counted in": ("precision", "1234", "g", "Odoo counts it in steps of 0.01 kg"),
    "more than the lot has": ("no_stock", "6", "kg", "of "),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_it_refuses(why: str, bench: Bench, kitchen: Kitchen) -> None:
    code, quantity, unit, said = REFUSALS[why]
    order, milk = await kitchen.simple_order("MILK")
    lot = await kitchen.lot(milk, "M", 5)
    (declined,) = await bench.post([used_up(bench, order, kitchen.code("MILK"), quantity, unit, lot=lot)])
    assert isinstance(declined, Declined)
    assert declined.code == code
    assert said in declined.reason
    assert await kitchen.used(order) == {}


async def test_what_one_order_used_up_is_not_there_for_another(bench: Bench, kitchen: Kitchen) -> None:
    order, milk = await kitchen.simple_order("MILK")
    other = await kitchen.order(await kitchen.find("CAKE"), 2)
    lot = await kitchen.lot(milk, "M", 5)
    assert all_applied(await bench.post([used_up(bench, order, kitchen.code("MILK"), "3", lot=lot)]))
    (declined,) = await bench.post([used_up(bench, other, kitchen.code("MILK"), "3", lot=lot)])
    assert isinstance(declined, Declined)
    assert declined.code == "no_stock"
    assert all_applied(await bench.post([used_up(bench, other, kitchen.code("MILK"), "2", lot=lot)]))


async def test_four_at_once_name_one_lot_and_a_completion_goes_into_it(bench: Bench, kitchen: Kitchen) -> None:
    order, milk = await kitchen.simple_order("MILK")
    lot, cake = await kitchen.lot(milk, "M", 5), kitchen.code("CAKE")
    named = [named_lot(bench, cake, kitchen.code("C"), name=f"/{number}") for number in range(4)]
    answers = await asyncio.gather(*(bench.post([one]) for one in named))
    ids = {one.receipt.id for (one,) in answers if isinstance(one, Applied)}
    assert len(ids) == 1
    assert all_applied([one for (one,) in answers])
    report = used_up(bench, order, kitchen.code("MILK"), "2", lot=lot)
    assert all_applied(await bench.post([report, finished(bench, order, 2, kitchen.code("C"), unit="kg")]))
    assert await kitchen.stock(await kitchen.find("CAKE"), kitchen.code("C")) == 2
    (again,) = await bench.post([named[0]])
    assert isinstance(again, Applied)
    assert (again.receipt.repeated, again.receipt.id) == (True, ids.pop())


async def test_a_lot_keeps_its_expiration_date_where_the_product_has_such_and_is_refused_where_not(
    bench: Bench, kitchen: Kitchen, admin: OdooApi
) -> None:
    await kitchen.keep_expiration_dates()
    await kitchen.product("MILK", IN_A_MONTH)
    await kitchen.product("SALT")
    dated = named_lot(bench, kitchen.code("MILK"), "M", expires_ms=AT_MS + 10 * DAY_MS)
    plain = named_lot(bench, kitchen.code("SALT"), "S", expires_ms=AT_MS + 10 * DAY_MS)
    (applied,) = await bench.post([dated])
    (declined,) = await bench.post([plain])
    assert isinstance(applied, Applied)
    fields = ["name", "expiration_date"]
    (row,) = await admin.call("stock.lot", "read", writes=False, ids=[applied.receipt.id], fields=fields)
    assert (row["name"], row["expiration_date"]) == ("M", "2026-12-03 02:13:20")
    assert isinstance(declined, Declined)
    assert declined.code == "expiry"


async def flour_in_bags(kitchen: Kitchen) -> tuple[str, str]:
    """An order of a cake of flour that is counted in bags of 25 kg, and a lot of ten bags."""
    flour, cake = await kitchen.product("FLOUR", unit=await kitchen.bag()), await kitchen.product("CAKE")
    await kitchen.bom(cake, {flour: 1.0})
    return await kitchen.order(cake, 2), await kitchen.lot(flour, "F", 10)


async def test_stock_in_bags_takes_from_a_scale_what_odoos_digits_can_hold_and_no_other(
    bench: Bench, kitchen: Kitchen
) -> None:
    order, lot = await flour_in_bags(kitchen)
    code = kitchen.code("FLOUR")
    (declined,) = await bench.post([used_up(bench, order, code, "337", "g", lot=lot)])
    assert isinstance(declined, Declined)
    assert (declined.code, "Odoo counts it in steps of 0.01 " in declined.reason) == ("precision", True)
    assert all_applied(await bench.post([used_up(bench, order, code, "750", "g", lot=lot)]))
    assert await kitchen.used(order) == {("FLOUR", "F"): 0.75}
    assert all_applied(await bench.post([finished(bench, order, 2, kitchen.code("CAKE"), unit="kg")]))
    assert await kitchen.stock(await kitchen.find("FLOUR"), lot) == 9.97


async def test_with_more_digits_stock_in_bags_is_right_to_the_gram(bench: Bench, kitchen: Kitchen) -> None:
    await kitchen.digits(5)
    try:
        order, lot = await flour_in_bags(kitchen)
        reports = [used_up(bench, order, kitchen.code("FLOUR"), grams, "g", lot=lot) for grams in ("1337", "12001")]
        done = finished(bench, order, 2, kitchen.code("CAKE"), unit="kg")
        assert all_applied(await bench.post([*reports, done]))
        assert await kitchen.used(order) == {("FLOUR", "F"): 13.338}
        assert await kitchen.stock(await kitchen.find("FLOUR"), lot) == 9.46648
    finally:
        await kitchen.digits(2)


async def bake(bench: Bench, kitchen: Kitchen) -> None:
    """A batch of 500 kg of three raw lots and 20 kg of rework; one of the raw lots goes into another batch too."""
    flour, water = await kitchen.product("FLOUR"), await kitchen.product("WATER")
    dough = await kitchen.product("DOUGH")
    await kitchen.bom(dough, {flour: 0.8, water: 0.2})
    lots = {name: await kitchen.lot(flour, name, 1000) for name in ("F-1", "F-2")}
    lots["W-1"] = await kitchen.lot(water, "W-1", 1000)
    lots |= {name: kitchen.code(name) for name in ("D-0", "D-1", "D-2")}
    batches = {
        "D-0": (20, [("FLOUR", "F-1", "16"), ("WATER", "W-1", "4")]),
        "D-1": (
            500,
            [("FLOUR", "F-1", "300"), ("FLOUR", "F-2", "100"), ("WATER", "W-1", "80"), ("DOUGH", "D-0", "20")],
        ),
        "D-2": (100, [("FLOUR", "F-2", "80"), ("WATER", "W-1", "20")]),
    }
    for batch, (quantity, used) in batches.items():
        order = await kitchen.order(dough, quantity)
        reports = [
            used_up(bench, order, kitchen.code(code), amount, lot=lots[lot], consent="eve")
            for code, lot, amount in used
        ]
        assert all_applied(await bench.post([*reports, finished(bench, order, quantity, lots[batch], unit="kg")]))


async def test_a_batch_leads_to_its_raw_lots_and_rework_and_each_of_them_to_its_batches(
    bench: Bench, kitchen: Kitchen
) -> None:
    await bake(bench, kitchen)
    made_of = await kitchen.links(kitchen.code("D-1"), "consume_line_ids")
    assert made_of == {("FLOUR", "F-1"): 300, ("FLOUR", "F-2"): 100, ("WATER", "W-1"): 80, ("DOUGH", "D-0"): 20}
    assert await kitchen.links(kitchen.code("D-0"), "consume_line_ids") == {("FLOUR", "F-1"): 16, ("WATER", "W-1"): 4}
    assert await kitchen.links(kitchen.code("D-0"), "produce_line_ids") == {("DOUGH", "D-1"): 500}
    went_into = await kitchen.links(kitchen.code("F-2"), "produce_line_ids")
    assert went_into == {("DOUGH", "D-1"): 500, ("DOUGH", "D-2"): 100}
    assert await kitchen.stock(await kitchen.find("DOUGH"), kitchen.code("D-0")) == 0


async def test_odoos_traceability_report_shows_the_batch_and_its_lots_in_both_directions(
    bench: Bench, kitchen: Kitchen, integration: OdooApi
) -> None:
    await bake(bench, kitchen)
    up = await kitchen.report(integration, "D-1", "consume")
    assert up == {("F-1", "300.00 kg"), ("F-2", "100.00 kg"), ("W-1", "80.00 kg"), ("D-0", "20.00 kg")}
    down = await kitchen.report(integration, "F-2", "produce")
    assert down == {("D-1", "500.00 kg"), ("D-2", "100.00 kg")}
