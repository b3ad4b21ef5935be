"""Bridges on a Redis Cluster: two sites, and a failover to a replica that lacks what was confirmed last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridge.commands.exit import WRONG
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, Sections, write_folder
from tests.integration.plant import running_plant
from tests.redis_cluster import Cluster, cluster, told
from tests.servers import Mosquitto, StartMosquitto

pytestmark = pytest.mark.slow

ORDERS = 4
BERLIN, LYON = "acme/berlin", "acme/lyon"


@pytest.fixture
def whole() -> Iterator[Cluster]:
    """Three primaries."""
    with ExitStack() as stack:
        yield cluster(stack)


@pytest.fixture
def failing() -> Iterator[Cluster]:
    """Three primaries with a replica each."""
    with ExitStack() as stack:
        yield cluster(stack, replicas=True)


def on(cluster: Cluster, **redis: object) -> Sections:
    """The settings of a bridge on this cluster."""
    return {"redis": {"nodes": list(cluster.nodes), **redis}}


def part_replica(cluster: Cluster, site: str) -> None:
    """From now on the replica gets nothing of its primary any more."""
    told(cluster.replica_of(site), "CONFIG SET", "masterauth", "wrong")
    told(cluster.primary_of(site), "CLIENT KILL", "TYPE", "REPLICA")


def promote_replica(cluster: Cluster, site: str) -> None:
    """Make it the primary with what it has."""
    told(cluster.replica_of(site), "CLUSTER FAILOVER", "TAKEOVER")
    cluster.primary_of(site).kill()


async def test_two_sites_are_each_on_the_node_of_their_slot(
    tmp_path: Path, mosquitto: Mosquitto, whole: Cluster
) -> None:
    assert whole.primary_of(BERLIN) is not whole.primary_of(LYON)
    bridges = {}
    for site in (BERLIN, LYON):
        name = site.partition("/")[2]
        changes = {**on(whole), "sparkplug": {"host_id": f"cluster-{name}"}, "edge_node": {"group": name}}
        folder = write_folder(tmp_path / name, mosquitto, whole.servers[0], OdooAccess(), changes)
        for file in folder.rglob("*.yaml"):
            file.write_text(file.read_text("utf-8").replace("berlin", name), "utf-8")
        bridges[site] = Bridge(folder, tmp_path / f"{name}.log")
    try:
        for site, bridge in bridges.items():
            await bridge.start()
            await bridge.until_told("bridge.started", site=site)
            await bridge.until_told("host.connected")
            assert await bridge.stop() == 0
            assert any(site.encode() in key for key in told(whole.primary_of(site), "KEYS", "*:token"))
    finally:
        for bridge in bridges.values():
            await bridge.remove()


async def test_a_replica_that_lacks_commits_gets_them_again_from_the_leader_that_runs(
    tmp_path: Path, start_mosquitto: StartMosquitto, failing: Cluster
) -> None:
    changes = on(failing, accept_weak_durability=True)
    async with running_plant(tmp_path, start_mosquitto(), failing.servers[0], seed=31, changes=changes) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 4)
        part_replica(failing, BERLIN)
        await plant.until_happened(ORDERS + 10)
        promote_replica(failing, BERLIN)
        await plant.bridge.until_told("store.fell_back")
        report = await plant.ended()
        [fell] = plant.bridge.told("store.fell_back")
    assert fell["confirmed"] > fell["stored"] > 0
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)


async def test_a_bridge_that_starts_on_a_replica_that_lacks_commits_is_refused_with_both_numbers(
    tmp_path: Path, start_mosquitto: StartMosquitto, failing: Cluster
) -> None:
    changes = on(failing, accept_weak_durability=True)
    async with running_plant(tmp_path, start_mosquitto(), failing.servers[0], seed=32, changes=changes) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 4)
        part_replica(failing, BERLIN)
        await plant.until_happened(ORDERS + 8)
        await plant.bridge.kill()
        promote_replica(failing, BERLIN)
        await plant.bridge.start()
        assert await plant.bridge.ended() == WRONG
        assert "are lost, by a failover to a replica that lacked them" in plant.bridge.log
        (plant.folder / "data" / "commit").unlink()
        await plant.bridge.start()
        await plant.bridge.until_told("host.connected", times=2)
