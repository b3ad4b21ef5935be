"""Odoo is away, does not know the bridge, or loses the answer: entries wait, none dies, and all is posted once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.plant import PlantUnderTest, running_plant
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 4
SOME = 3


async def the_floor_runs_on(plant: PlantUnderTest, entries: int = SOME) -> None:
    """Entries pile up; none of them is a dead letter but those that the rules refuse."""
    await plant.bridge.until_told("orders.unreadable")
    await plant.until_waiting(entries)
    await plant.until_made()
    await plant.until_waiting(entries)


async def test_entries_wait_for_a_key_that_odoo_takes_and_go_out_without_a_restart(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=6) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        plant.replace_key_of_odoo("1" * 40)
        await the_floor_runs_on(plant)
        plant.replace_key_of_odoo()
        report = await plant.ended()
        dead = await plant.dead_letters()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert len(dead) == report.dead


async def test_entries_wait_while_odoo_is_away_also_over_a_power_cut(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=7) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        await plant.odoo_fails(away=True)
        await the_floor_runs_on(plant)
        await plant.bridge.kill()
        await plant.odoo_fails(away=False)
        await plant.bridge.start()
        report = await plant.ended()
        dead = await plant.dead_letters()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert len(dead) == report.dead


async def test_entries_wait_while_the_database_has_the_wrong_name(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=8) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        await plant.bridge.kill()
        plant.change_setting("odoo", "database", "another")
        await plant.bridge.start()
        await the_floor_runs_on(plant)
        await plant.bridge.kill()
        plant.change_setting("odoo", "database", "demo")
        await plant.bridge.start()
        report = await plant.ended()
        dead = await plant.dead_letters()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert len(dead) == report.dead


async def test_lost_answers_and_serialization_failures_post_nothing_twice(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=9) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        for nth, fault in enumerate(["timeout_after_commit", "serialization_failures", "timeout_before_commit"]):
            await plant.until_happened(ORDERS + 5 * (nth + 1))
            await plant.odoo_fails(**{fault: SOME})
        report = await plant.ended()
        dead = await plant.dead_letters()
        left = await plant.odoo_fails()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert len(dead) == report.dead
    assert not any(left.values()), "every fault must have struck"
