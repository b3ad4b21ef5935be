"""Odoo is away while the plant goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.scenarios.factory import Factory
from tests.scenarios.office import Done, Running

TEN_IN_HAMBURG = datetime(2027, 11, 22, 9, tzinfo=UTC)
EIGHT_HOURS = range(0, 8 * 60, 2)
PIECES = len(EIGHT_HOURS)


async def test_eight_hours_without_odoo_over_a_shifts_end_are_alerted_and_made_up_for_in_order(plant: Factory) -> None:
    finished, order, other = [await plant.releases(quantity) for quantity in (250, 1000, 1000)]
    plant.clock.move_to(round(TEN_IN_HAMBURG.timestamp() * 1000))
    line, second = plant.lines[:2]
    await line.runs(order)
    await second.runs(other)
    await plant.mes.finishes(finished, 245, lot="L1", consumed={("RESIN", "R-1"): 12.25})
    await plant.passes(minutes=1)
    there = len(plant.bridge.posted)

    plant.cable.is_cut = True
    await plant.mes.decides(finished, "L1", "reject")
    await plant.passes(minutes=2)
    assert any(alert.startswith("entries.overdue") for alert in plant.alerts)
    for minute in EIGHT_HOURS:
        if minute == 226:  # at 13:49; the early shift ends at 14:00
            await plant.mill.becomes("FAULT", fault="E12")
        if minute == 256:
            await plant.mill.becomes("RUN")
        if minute in (100, 400):
            await plant.mes.scraps(order, 2, "S01")
        await line.makes(1)
        await second.makes(2)
        await plant.passes(minutes=2)
    assert len(plant.bridge.posted) == there
    assert len(plant.bridge.entries) < 20

    plant.cable.is_cut = False
    await plant.passes(minutes=10)
    assert plant.is_done
    assert await plant.odoo.order(finished) == Done(quantity=245, lot="L1")
    assert await plant.odoo.stock("HOUSING", "L1") == {"Quality Hold": 245}
    assert await plant.odoo.order(order) == Running(counted=PIECES)
    assert await plant.odoo.order(other) == Running(counted=2 * PIECES)
    assert len(await plant.odoo.scrapped(order)) == 2
    early, late = await plant.odoo.stops("MILL-1")
    assert (early.lasts, late.lasts, early.ends) == (11, 19, late.begins)
    caught_up = plant.bridge.posted[there:]
    assert "quality.hold" in caught_up[:3], caught_up
