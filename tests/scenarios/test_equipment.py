"""Machines stop, break and are mended."""

from __future__ import annotations

from datetime import datetime, timedelta

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
    assert "micro-stop: rule downtime: 90s; 1 so far, 90s in all" in plant.remarks
    assert await plant.odoo.stops("PRESS-2") == []
    assert plant.is_done


async def test_a_press_that_is_broken_for_half_an_hour_is_blocked_in_planning_until_it_runs_again(
    plant: Factory,
) -> None:
    order, press = await plant.releases(100), plant.presses[0]
    await plant.planner.plans(order)
    before = await plant.odoo.planned(order)
    await press.becomes("FAULT", fault="E12")
    await plant.passes(minutes=29)
    assert await plant.odoo.requests("PRESS-1") == []
    assert not await plant.odoo.is_blocked("PRESS-1")
    await plant.passes(minutes=20)
    assert await plant.odoo.requests("PRESS-1") == [("Fault E12 on press-1 for half an hour", False)]
    assert await plant.odoo.is_blocked("PRESS-1")
    assert await plant.odoo.planned(order) >= await plant.odoo.blocked_until("PRESS-1")
    await press.becomes("RUN")
    await plant.passes(minutes=2)
    assert not await plant.odoo.is_blocked("PRESS-1")
    assert is_within_an_hour(await plant.odoo.planned(order), before)
    assert await plant.odoo.stops("PRESS-1") == [Stop("Equipment Failure", begins=0.08, ends=49.08)]
    assert plant.is_done


def is_within_an_hour(one: str, other: str) -> bool:
    """Odoo plans nothing in the past, so what is planned anew moves with its clock."""
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < timedelta(hours=1)
