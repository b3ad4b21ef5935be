"""Two plants whose devices, codes and lots have the same names, of two companies in one Odoo."""

from __future__ import annotations

from tests.scenarios.factory import Factory
from tests.scenarios.office import Confirmed, Done, Running, Scrapped


async def test_each_plant_posts_to_its_own_company_only(plant: Factory, other_plant: Factory) -> None:
    here, there = await plant.releases(100), await other_plant.releases(100)
    await other_plant.bridge.poll()
    assert (plant.knows(there), other_plant.knows(here)) == (False, False)
    for one, order, pieces in ((plant, here, 30), (other_plant, there, 40)):
        await one.lines[0].runs(order)
        await one.lines[0].makes(pieces)
        await one.presses[0].becomes("FAULT", fault="E12")
        await one.passes(minutes=pieces)
        await one.presses[0].becomes("RUN")
        await one.passes(minutes=1)
    assert (await plant.odoo.order(here), await other_plant.odoo.order(there)) == (Running(30), Running(40))
    assert len(await plant.odoo.stops("PRESS-1")) == len(await other_plant.odoo.stops("PRESS-1")) == 1
    await plant.mes.decides(here, "L1", "accept")
    await plant.mes.finishes(here, 31, lot="L1", consumed={("RESIN", "R-1"): 1.55})
    assert await plant.odoo.order(here) == Done(quantity=31, lot="L1")
    assert await plant.odoo.stock("HOUSING", "L1") == {"Stock": 31}
    assert await other_plant.odoo.stock("HOUSING", "L1") == {}
    await other_plant.mes.decides(there, "L1", "reject")
    await other_plant.mes.finishes(there, 42, lot="L1", consumed={("RESIN", "R-1"): 2.1})
    assert await other_plant.odoo.stock("HOUSING", "L1") == {"Quality Hold": 42}
    assert await plant.odoo.stock("HOUSING", "L1") == {"Stock": 31}


async def test_dead_letters_of_one_company_do_not_delay_the_other(plant: Factory, other_plant: Factory) -> None:
    here, there = await plant.releases(100), await other_plant.releases(100)
    for reason in ("S97", "S98", "S99"):
        await plant.mes.scraps(here, 4, reason)
    await other_plant.mes.scraps(there, 4, "S01", lot="L1")
    assert [action for action, _ in plant.dead] == ["production.scrap"] * 3
    assert other_plant.is_done
    assert await other_plant.odoo.scrapped(there) == [Scrapped(quantity=4, lot="L1", reason="Short shot")]


async def test_a_bridge_that_is_told_of_the_other_companys_order_changes_nothing_there(
    plant: Factory, other_plant: Factory
) -> None:
    there = await other_plant.releases(100)
    await plant.mes.scraps(there, 4, "S01")
    await plant.lines[0].runs(there)
    await plant.lines[0].makes(30)
    assert {action for action, _ in plant.dead} <= {"production.scrap", "production.progress"}
    assert plant.dead != []
    assert await other_plant.odoo.scrapped(there) == []
    assert await other_plant.odoo.order(there) == Confirmed()
