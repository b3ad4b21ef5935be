"""What is made: pieces are counted, thrown away, reported beyond what was ordered, and corrected."""

from __future__ import annotations

import asyncio

from tests.scenarios.factory import Factory
from tests.scenarios.office import Confirmed, Done, Running, Scrapped

MINUTE_BY_MINUTE = 51
"""A thousand pieces in fifty minutes, with a posting every minute or 25 pieces."""


async def test_a_thousand_pieces_counted_one_by_one_are_few_postings_whose_sum_is_exact(plant: Factory) -> None:
    order, line = await plant.releases(1000), plant.lines[0]
    await line.runs(order)
    for _ in range(1000):
        await line.makes(1)
        await plant.passes(seconds=3)
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=1000)
    assert plant.posted("production.progress") <= MINUTE_BY_MINUTE
    assert plant.is_done


async def test_a_counter_that_is_reset_adds_only_real_pieces_and_the_jump_is_listed(plant: Factory) -> None:
    order, line = await plant.releases(100), plant.lines[0]
    await line.runs(order)
    await line.makes(60)
    await line.starts_counting_at(3)
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=63)
    assert plant.remarks == [
        "counter-reset: good_count went from 60 to 3: reset; 3 counted, "
        "what else was made before the reset is not known"
    ]


async def test_a_counter_that_goes_over_the_top_adds_only_real_pieces(plant: Factory) -> None:
    line = plant.lines[0]
    await line.makes(65_530)
    order = await plant.releases(100)
    await line.runs(order)
    await line.makes(5)
    await line.starts_counting_at(3)
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=9)
    assert "counter-rollover" in plant.remarks[-1]
    assert plant.is_done


async def test_after_a_restart_nodes_that_go_on_with_aliases_are_asked_for_one_birth_each_and_nothing_is_lost(
    plant: Factory,
) -> None:
    order, line = await plant.releases(100), plant.lines[0]
    await line.runs(order)
    await line.makes(30)
    await plant.bridge.restarts(unnoticed=True)
    for _ in range(10):
        await line.makes(1)
        await plant.passes(seconds=6)
    assert await plant.odoo.order(order) == Running(counted=40)
    asked = [one.fields["node"] for one in plant.bridge.notices if one.name == "rebirth.asked"]
    assert (len(asked), len(set(asked))) == (2, 2)
    assert plant.is_done


async def test_a_document_that_comes_twice_and_a_birth_with_the_same_count_post_nothing(plant: Factory) -> None:
    order, line = await plant.releases(100), plant.lines[0]
    await line.runs(order)
    await line.makes(30)
    await plant.mes.scraps(order, 2, "S01")
    await plant.mes.repeats_itself()
    await plant.bridge.restarts()
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=30)
    assert len(await plant.odoo.scrapped(order)) == 1
    assert plant.is_done


async def test_history_that_a_node_sends_twice_and_a_document_that_the_mes_repeats_are_posted_once(
    plant: Factory,
) -> None:
    orders, line = [await plant.releases(100), await plant.releases(50)], plant.lines[0]
    await line.runs(orders[0])
    await line.makes(30)
    await line.is_cut_off()
    await plant.passes(minutes=2)
    await line.makes(20)
    await plant.passes(minutes=2)
    await line.runs(orders[1])
    await line.makes(7)
    await line.is_back()
    await plant.mes.scraps(orders[0], 2, "S01")
    for _ in range(2):  # before the first history has settled, and long after
        await line.sends_its_history_again()
        await plant.mes.repeats_itself()
        await plant.passes(minutes=2)
    assert [await plant.odoo.order(order) for order in orders] == [Running(counted=50), Running(counted=7)]
    assert [one.quantity for one in await plant.odoo.scrapped(orders[0])] == [2]
    assert plant.is_done


async def test_a_planner_who_edits_the_order_while_four_lines_report_meets_no_error_and_nothing_is_lost(
    plant: Factory,
) -> None:
    order = await plant.releases(400)
    for line in plant.lines:
        await line.runs(order)

    async def edit() -> None:
        for number in range(1, 9):
            await plant.planner.edits(order, origin=f"SO-{number}")

    async def report() -> None:
        for _ in range(4):
            for line in plant.lines:
                await line.makes(25)
            await plant.passes(minutes=1)

    await asyncio.gather(edit(), report())
    await plant.passes(minutes=10)
    assert await plant.odoo.order(order) == Running(counted=400)
    assert await plant.odoo.origin(order) == "SO-8"
    assert plant.is_done


async def test_more_than_the_tolerance_is_held_until_a_supervisor_releases_it(plant: Factory) -> None:
    order, line = await plant.releases(100), plant.lines[0]
    await line.runs(order)
    await line.makes(100)
    await line.makes(5)
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=100)
    ((action, reason),) = plant.held
    assert action == "production.progress"
    assert reason.startswith("105 ")
    assert "above the tolerance of 3 %" in reason
    await plant.supervisor_releases()
    assert await plant.odoo.order(order) == Running(counted=105)
    assert any("released by Ana Weber" in note for note in await plant.odoo.notes(order))
    assert plant.is_done


async def test_scrap_is_posted_once_from_its_lot_with_its_reason(plant: Factory) -> None:
    order, line = await plant.releases(100), plant.lines[0]
    await line.runs(order)
    await line.makes(50)
    await plant.mes.scraps(order, 4, "S04", lot="L1")
    assert plant.dead == []
    (scrapped,) = await plant.odoo.scrapped(order)
    assert scrapped == Scrapped(quantity=4, lot="L1", reason="Wrong dimension")
    assert await plant.odoo.order(order) == Running(counted=50)


async def test_scrap_with_a_reason_that_nobody_mapped_is_a_dead_letter_and_changes_nothing(plant: Factory) -> None:
    order = await plant.releases(100)
    await plant.mes.scraps(order, 4, "S99")
    assert plant.dead == [("production.scrap", "scrap reason S99 is not in codes.yaml")]
    assert await plant.odoo.scrapped(order) == []
    assert await plant.odoo.order(order) == Confirmed()


async def test_a_late_correction_of_a_finished_order_is_a_movement_of_its_own_that_names_what_it_corrects(
    plant: Factory,
) -> None:
    order = await plant.releases(250)
    await plant.mes.decides(order, "L1", "accept")
    await plant.mes.finishes(order, 250, lot="L1", consumed={("RESIN", "R-1"): 12.5})
    assert await plant.odoo.order(order) == Done(quantity=250, lot="L1")
    await plant.mes.miscounted(order, -5, of="finished-L1", reason="a carton was counted twice")
    assert (plant.dead, plant.held) == ([], [])
    assert await plant.odoo.stock("HOUSING", "L1") == {"Stock": 245}
    assert any("finished-L1" in note for note in await plant.odoo.notes(order))


async def test_a_correction_of_what_runs_lowers_the_count_and_counting_goes_on_from_there(plant: Factory) -> None:
    order, line = await plant.releases(300), plant.lines[0]
    await line.runs(order)
    await line.makes(250)
    await plant.mes.miscounted(order, -5, of="line-1", reason="a carton was counted twice")
    assert await plant.odoo.order(order) == Running(counted=245)
    await line.makes(10)
    await plant.passes(minutes=1)
    assert await plant.odoo.order(order) == Running(counted=255)
    assert plant.is_done


async def test_pieces_of_a_cell_without_a_terminal_belong_to_the_order_that_is_started_there(plant: Factory) -> None:
    first, second = await _for_the_cell(plant), await plant.releases(50, "GADGET")
    await plant.planner.starts_work(first)
    await plant.bridge.poll()
    await plant.cell.makes(7)
    await plant.passes(minutes=2)
    assert await plant.odoo.order(first) == Running(7)
    await plant.bridge.restarts()
    await plant.cell.makes(5)
    await plant.planner.starts_work(second)
    await plant.bridge.poll()
    await plant.cell.makes(2)
    assert plant.remarks[-2:] == [
        f"order-ambiguous: {first} and {second} are started at {plant.planner.code('CELL-1')}: "
        "nobody knows which of them runs, so none does",
        "count-without-order: good_count counts, but no order is running; its pieces will be held for a person",
    ]
    await plant.planner.ends_work(first)
    await plant.bridge.poll()
    await plant.cell.makes(4)
    await plant.passes(minutes=2)
    assert [await plant.odoo.order(one) for one in (first, second)] == [Running(12), Running(4)]
    (held,) = plant.held
    assert held[0] == "production.progress"
    assert "no order ran at" in held[1]


async def test_what_is_made_and_broken_while_no_order_runs_waits_until_a_person_says_for_which(plant: Factory) -> None:
    order = await _for_the_cell(plant)
    await plant.cell.makes(6)
    await plant.mes.says("assembly/cell-1/broken", qty=1, reason="S01")
    await plant.planner.starts_work(order)
    await plant.bridge.poll()
    await plant.cell.makes(3)
    await plant.passes(minutes=2)
    assert await plant.odoo.order(order) == Running(3)
    assert sorted(action for action, _ in plant.held) == ["production.progress", "production.scrap"]
    await plant.supervisor_releases()
    await plant.supervisor_releases(order="WH/MO/99999")
    assert (len(plant.held), await plant.odoo.scrapped(order)) == (2, [])
    await plant.supervisor_releases(order=order)
    await plant.mes.repeats_itself()
    await plant.bridge.restarts()
    await plant.passes(minutes=2)
    assert plant.is_done
    assert await plant.odoo.order(order) == Running(9)
    assert [one.quantity for one in await plant.odoo.scrapped(order)] == [1]


async def _for_the_cell(plant: Factory) -> str:
    """An order of fifty gadgets, which are made in one step at the cell."""
    await plant.planner.product("GADGET")
    await plant.planner.bom("GADGET", {"BOX": (1, "Units")}, [("Assemble", "CELL-1")])
    return await plant.releases(50, "GADGET")
