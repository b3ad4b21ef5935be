"""The broker ends and comes back, speaks the older protocol, or wants TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.certificate import Tls
from tests.integration.plant import running_plant
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 4


async def test_a_broker_that_is_killed_and_started_again_costs_nothing(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    # Saved at every change: what mosquitto acknowledged before it last saved would otherwise be lost with it.
    broker = start_mosquitto(config={"autosave_on_changes": "true"})
    async with running_plant(tmp_path, broker, start_redis(), seed=3) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        broker.kill()
        await plant.bridge.until_told("host.disconnected")
        await plant.until_nodes_store()
        await asyncio.to_thread(broker.start)
        await plant.bridge.until_told("host.connected", times=2)
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)


async def test_a_day_over_mqtt_3_1_1_is_posted_once(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    changes = {"broker": {"version": 4}}
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=4, changes=changes) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        await plant.cut_power_of_the_bridge()
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)


async def test_a_day_over_tls_is_posted_once(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis, tls: Tls
) -> None:
    async with running_plant(tmp_path, start_mosquitto(tls=tls), start_redis(), seed=5) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
