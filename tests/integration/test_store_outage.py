"""Redis ends, refuses to write, or is not durable enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, write_folder
from tests.integration.plant import running_plant
from tests.servers import Mosquitto, StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 4
WRONG = 2


async def told(client: Client, command: list[str]) -> None:
    """An administrator tells Redis something."""
    execute: Callable[..., Awaitable[object]] = client.execute_command
    await execute(*command)


async def test_a_redis_that_is_killed_and_started_again_costs_nothing(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    redis = start_redis()
    async with running_plant(tmp_path, start_mosquitto(), redis) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 6)
        redis.kill()
        await plant.bridge.until_told("host.offline", because="the store takes no commits")
        await plant.until_nodes_store()
        await asyncio.to_thread(redis.start)
        await plant.bridge.until_told("host.connected", times=2)
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)


@pytest.mark.parametrize(
    ("refuse", "accept"),
    [
        (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
        (["REPLICAOF", "127.0.0.1", "9"], ["REPLICAOF", "NO", "ONE"]),
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    ],
    ids=["too few replicas", "a replica", "full"],
)
async def test_while_redis_refuses_to_write_the_host_is_offline_and_nodes_store(
    refuse: list[str], accept: list[str], tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    redis = start_redis()
    async with (
        running_plant(tmp_path, start_mosquitto(), redis, seed=2) as plant,
        Client.from_url(redis.url) as client,
    ):
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 8)
        await told(client, refuse)
        await plant.bridge.until_told("host.offline", because="the store takes no commits")
        await plant.until_nodes_store()
        await told(client, accept)
        await plant.bridge.until_told("host.connected", times=2)
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)


async def test_a_redis_without_append_only_file_is_refused_with_a_sentence(
    tmp_path: Path, mosquitto: Mosquitto, start_redis: StartRedis
) -> None:
    weak = start_redis({"appendonly": "no"})
    bridge = Bridge(write_folder(tmp_path / "plant", mosquitto, weak, OdooAccess()), tmp_path / "bridge.log")
    await bridge.start()
    assert await bridge.ended() == WRONG
    assert "the server keeps no append-only file: what it confirmed is lost when it ends" in bridge.log
    assert "set `appendonly yes` in redis.conf" in bridge.log
    assert bridge.told("bridge.started") == []


async def test_a_weak_redis_that_is_accepted_is_logged_and_used(
    tmp_path: Path, mosquitto: Mosquitto, start_redis: StartRedis
) -> None:
    weak = start_redis({"appendonly": "no"})
    folder = write_folder(
        tmp_path / "plant",
        mosquitto,
        weak,
        OdooAccess(),
        {"redis": {"accept_weak_durability": True}, "sparkplug": {"host_id": "weak-bridge"}},
    )
    bridge = Bridge(folder, tmp_path / "bridge.log")
    await bridge.start()
    try:
        await bridge.until_told("host.connected")
        assert await bridge.stop() == 0
    finally:
        await bridge.remove()
    weaknesses = [line["weakness"] for line in bridge.told("store.weak")]
    assert len(weaknesses) == 1
    assert weaknesses[0].startswith("the server keeps no append-only file")
