"""What goes into an order, of which lots, and what comes out of it."""

from __future__ import annotations

from tests.scenarios.factory import Factory
from tests.scenarios.office import Confirmed, Done


async def test_less_than_ordered_with_a_by_product_closes_the_order_with_what_really_came(plant: Factory) -> None:
    await plant.planner.product("FRAME", tracking="lot")
    await plant.planner.product("SPRUE", tracking="lot")
    await plant.planner.bom("FRAME", {"RESIN": (0.05, "kg")}, byproducts={"SPRUE": 0.02})
    order = await plant.releases(500, "FRAME")
    await plant.mes.decides(order, "F1", "accept")
    await plant.mes.finishes(order, 487, lot="F1", consumed={("RESIN", "R-1"): 25}, byproducts={("SPRUE", "S1"): 9})
    assert await plant.odoo.order(order) == Done(quantity=487, lot="F1")
    assert await plant.odoo.made(order) == {("FRAME", "F1"): 487, ("SPRUE", "S1"): 9}
    assert await plant.odoo.consumed(order) == {("RESIN", "R-1"): 25}
    assert plant.is_done


async def test_what_the_scale_says_in_grams_is_consumed_to_the_gram_of_an_order_in_kilograms(plant: Factory) -> None:
    await plant.planner.product("POWDER", unit="g", lots={"P-1": 50_000, "P-2": 50_000})
    await plant.planner.product("MIX", unit="kg", tracking="lot")
    await plant.planner.bom("MIX", {"POWDER": (1, "kg")}, unit="kg")
    order = await plant.releases(5, "MIX")
    await plant.mes.weighs(order, "POWDER", "P-1", grams=3_141)
    await plant.mes.weighs(order, "POWDER", "P-2", grams=1_862)
    await plant.mes.empties(order, "M1", kilograms=5)
    assert (plant.dead, plant.held) == ([], [])
    assert await plant.odoo.order(order) == Done(quantity=5, lot="M1")
    assert await plant.odoo.consumed(order) == {("POWDER", "P-1"): 3.141, ("POWDER", "P-2"): 1.862}


async def test_grams_of_what_is_counted_in_pieces_are_refused_and_nothing_is_consumed(plant: Factory) -> None:
    order = await plant.releases(100)
    await plant.mes.weighs(order, "BOX", "", grams=500)
    ((action, reason),) = plant.dead
    assert action == "material.consume"
    assert reason.startswith("unit: ")
    assert await plant.odoo.consumed(order) == {}
    assert await plant.odoo.order(order) == Confirmed()


BATCHES = {
    "D-0": (20, {("FLOUR", "F-1"): 16, ("WATER", "W-1"): 4}),
    "D-1": (500, {("FLOUR", "F-1"): 300, ("FLOUR", "F-2"): 100, ("WATER", "W-1"): 80, ("DOUGH", "D-0"): 20}),
    "D-2": (100, {("FLOUR", "F-2"): 80, ("WATER", "W-1"): 20}),
}
"""Kilograms, and what went in. The rework D-0 is no component of a dough; F-2 is split over two batches."""


async def test_a_batch_leads_to_its_raw_lots_and_its_rework_and_each_of_them_to_its_batches(plant: Factory) -> None:
    await plant.planner.product("FLOUR", unit="kg", lots={"F-1": 1000, "F-2": 1000})
    await plant.planner.product("WATER", unit="kg", lots={"W-1": 1000})
    await plant.planner.product("DOUGH", unit="kg", tracking="lot")
    await plant.planner.bom("DOUGH", {"FLOUR": (0.8, "kg"), "WATER": (0.2, "kg")}, unit="kg")
    for batch, (kilograms, used) in BATCHES.items():
        order = await plant.releases(kilograms, "DOUGH")
        for (product, lot), amount in used.items():
            await plant.mes.weighs(order, product, lot, grams=amount * 1000)
        await plant.supervisor_releases("rework of the week before")
        await plant.mes.empties(order, batch, kilograms=kilograms)
        assert await plant.odoo.order(order) == Done(quantity=kilograms, lot=batch)
    assert await plant.odoo.made_of("DOUGH", "D-1") == BATCHES["D-1"][1]
    assert await plant.odoo.made_of("DOUGH", "D-0") == BATCHES["D-0"][1]
    assert await plant.odoo.went_into("FLOUR", "F-2") == {("DOUGH", "D-1"): 500, ("DOUGH", "D-2"): 100}
    assert await plant.odoo.went_into("DOUGH", "D-0") == {("DOUGH", "D-1"): 500}
    assert plant.is_done


async def test_a_substitute_is_held_with_the_reason_and_is_an_additional_component_once_approved(
    plant: Factory,
) -> None:
    await plant.planner.product("RESIN-B", unit="kg", lots={"B-1": 5})
    order = await plant.releases(10)
    await plant.mes.weighs(order, "RESIN-B", "B-1", grams=200)
    ((action, reason),) = plant.held
    assert action == "material.consume"
    assert f"{plant.planner.code('RESIN-B')} is not a component of " in reason
    assert await plant.odoo.consumed(order) == {}
    await plant.supervisor_releases("resin A is used up")
    assert await plant.odoo.consumed(order) == {("RESIN-B", "B-1"): 0.2}
    assert plant.is_done


async def test_an_expired_lot_is_held_with_the_reason_and_is_used_once_approved(plant: Factory) -> None:
    await plant.planner.keeps_expiration_dates()
    await plant.planner.product("GLUE", unit="kg", tracking="lot", use_expiration_date=True, expiration_time=30)
    await plant.planner.lot("GLUE", "G-OLD", 5, expiration_date="2026-01-01 00:00:00")
    await plant.planner.product("BOARD", tracking="lot")
    await plant.planner.bom("BOARD", {"GLUE": (0.1, "kg")})
    order = await plant.releases(10, "BOARD")
    await plant.mes.weighs(order, "GLUE", "G-OLD", grams=1000)
    ((_, reason),) = plant.held
    assert "lot G-OLD of " in reason
    assert "expired at 2026-01-01 00:00:00" in reason
    await plant.supervisor_releases("tested, still good")
    assert await plant.odoo.consumed(order) == {("GLUE", "G-OLD"): 1}
    assert plant.is_done


async def test_a_lot_on_hold_is_held_with_the_reason_and_is_taken_from_there_once_approved(plant: Factory) -> None:
    await plant.planner.product("GLUE", unit="kg", tracking="lot")
    await plant.planner.lot("GLUE", "G-BLOCKED", 5, on_hold=True)
    await plant.planner.product("BOARD", tracking="lot")
    await plant.planner.bom("BOARD", {"GLUE": (0.1, "kg")})
    order = await plant.releases(10, "BOARD")
    await plant.mes.weighs(order, "GLUE", "G-BLOCKED", grams=1000)
    ((_, reason),) = plant.held
    assert "is on hold" in reason
    assert await plant.odoo.consumed(order) == {}
    await plant.supervisor_releases("the laboratory agrees")
    assert await plant.odoo.consumed(order) == {("GLUE", "G-BLOCKED"): 1}
    assert plant.is_done
