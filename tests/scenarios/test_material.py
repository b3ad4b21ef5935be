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
