"""Machines stop, break and are mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

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


@pytest.mark.parametrize(("evening", "night_hours"), [("2027-10-30T20:00", 8), ("2028-03-25T21:00", 6)])
async def test_a_stop_over_a_restart_a_shifts_end_and_the_night_when_clocks_change_is_one_in_its_true_length(
    plant: Factory, evening: str, night_hours: int
) -> None:
    """It begins at 23:00 in Hamburg, and ends three hours after the night shift, which ends at 6:00."""
    plant.clock.move_to(round(datetime.fromisoformat(evening).replace(tzinfo=UTC).timestamp() * 1000))
    await plant.passes(hours=1)
    await plant.mill.becomes("FAULT", fault="E12")
    await plant.passes(hours=4, minutes=30)
    await plant.bridge.restarts()
    await plant.passes(hours=night_hours - 4, minutes=150, seconds=-5)
    await plant.mill.becomes("RUN")
    await plant.passes(minutes=1)
    night, early = await plant.odoo.stops("MILL-1")
    assert (night.loss, early.loss) == ("Equipment Failure", "Equipment Failure")
    assert (night.lasts, early.lasts, night.ends) == (night_hours * 60, 180, early.begins)
    assert plant.is_done


async def test_vibration_that_crosses_its_threshold_forty_times_is_one_request_until_it_cleared_and_was_closed(
    plant: Factory,
) -> None:
    press = plant.presses[0]
    for _ in range(40):
        await press.vibrates(8)
        await plant.passes(seconds=15)
        await press.vibrates(6)
        await plant.passes(seconds=15)
    first = ("Vibration 8 mm/s on press-1", False)
    assert await plant.odoo.requests("PRESS-1") == [first]
    await calms_down_and_shakes_again(plant, 9)
    assert await plant.odoo.requests("PRESS-1") == [first]
    await plant.planner.closes_requests("PRESS-1")
    await calms_down_and_shakes_again(plant, 10)
    closed = ("Vibration 8 mm/s on press-1", True)
    assert await plant.odoo.requests("PRESS-1") == [closed, ("Vibration 10 mm/s on press-1", False)]
    assert plant.is_done


async def calms_down_and_shakes_again(plant: Factory, mm_per_s: float) -> None:
    await plant.presses[0].vibrates(4)
    await plant.passes(minutes=6)
    await plant.presses[0].vibrates(mm_per_s)
    await plant.passes(seconds=15)


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
