"""Machines stop, break and are mended."""

from __future__ import annotations

from tests.scenarios.factory import Factory
from tests.scenarios.office import Stop


async def test_a_short_stop_is_totalled_and_long_ones_are_time_records_with_their_losses_that_do_not_overlap(
    plant: Factory,
) -> None:
    press = plant.presses[0]
    for state, fault, lasts in (("STOPPED", "", 1.5), ("FAULT", "E12", 6), ("STARVED", "", 20)):
        await plant.passes(minutes=10)
        await press.becomes(state, fault=fault)
        await plant.passes(minutes=lasts)
        await press.becomes("RUN")
    await plant.passes(minutes=1)
    assert await plant.odoo.stops("PRESS-1") == [
        Stop("Equipment Failure", begins=21.58, ends=27.58),
        Stop("Material Availability", begins=37.58, ends=57.58),
    ]
    assert plant.remarks == ["micro-stop: rule downtime: 90s; 1 so far, 90s in all"]
    assert await plant.odoo.stops("PRESS-2") == []
    assert plant.is_done


async def test_a_fault_of_half_an_hour_asks_maintenance_once(plant: Factory) -> None:
    press = plant.presses[0]
    await press.becomes("FAULT", fault="E12")
    await plant.passes(minutes=29)
    assert await plant.odoo.requests("PRESS-1") == []
    await plant.passes(minutes=20)
    assert await plant.odoo.requests("PRESS-1") == [("Fault E12 on press-1 for half an hour", False)]
    await press.becomes("RUN")
    await plant.passes(minutes=2)
    assert await plant.odoo.stops("PRESS-1") == [Stop("Equipment Failure", begins=0.08, ends=49.08)]
    assert plant.is_done
