"""`uns-bridge nodes` on what a bridge keeps of a press, and on what the last bridge left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.broker.link import Publication
from bridge.core.site import STRANGERS_ID
from bridge.plant import load_plant
from bridge.wiring import open_store
from sparkplug.host import HostApplication
from sparkplug.snapshot import stored_findings
from state.record import Commit, RecordId, Table
from tests.bridge.commands.floor import plant_on
from tests.bridge.commands.press import Floor, floor_on, run
from tests.integration.patience import until
from tests.servers import Mosquitto, Redis
from tests.sparkplug.situation import NODE, birth_bytes, death_bytes

NODE_TOPIC = "spBv1.0/plant/{}/press"


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    return plant_on(tmp_path, redis_server)


@pytest.fixture
async def floor(plant: Path, mosquitto: Mosquitto) -> AsyncIterator[Floor]:
    async with floor_on(plant, mosquitto) as floor:
        yield floor


async def left(plant: Path) -> None:
    """What a bridge left that heard a birth with a wrong `seq` and then a death."""
    host = HostApplication("host")
    host.connected(0, will_ms=0)
    host.receive(NODE_TOPIC.format("NBIRTH"), birth_bytes(seq=3), retain=False, now_ms=1_700_000_000_500)
    host.receive(NODE_TOPIC.format("NDEATH"), death_bytes(), retain=False, now_ms=1_700_000_060_000)
    store = open_store(load_plant(plant))
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts={RecordId(Table.NODE, str(NODE)): host.snapshot(NODE)}))
    await store.release(lease)
    await store.close()


def listed(plant: Path, *arguments: str) -> Any:
    return json.loads(run(plant, "nodes", *arguments, "--json").stdout)


@pytest.mark.mosquitto
async def test_the_nodes_of_a_running_bridge_are_told_with_their_devices_and_findings(floor: Floor) -> None:
    group = floor.press.name.split("/")[0]
    topic = f"spBv1.0/{group}/DDATA/press/leg"
    await floor.press.link.publish(Publication(topic=topic, payload=b"\xff", qos=0, retain=False))

    async def is_found() -> bool:
        view = await floor.view()
        return view is not None and "payload-unreadable" in view.findings

    await until(is_found, "the finding is stored", 5)
    told = await floor.command("nodes")
    answer = json.loads((await floor.command("nodes", floor.press.name, "--json", "--samples")).stdout)
    [node] = answer["nodes"]
    [finding] = node["findings"]

    assert told.exit_code == 0
    assert told.stdout.startswith("what the bridge ")
    assert f"{floor.press.name}: payload-unreadable once" in told.stdout
    assert (node["node"], node["state"], node["bd_seq"], node["devices"]) == (
        floor.press.name,
        "online",
        0,
        {"arm": True},
    )
    assert abs(node["skew_ms"]) < 5_000
    assert (finding["finding"], finding["count"], finding["decoded"]) == ("payload-unreadable", 1, "ff")
    assert finding["requirement"] == "tck-id-message-flow-edge-node-birth-publish-nbirth-payload"


def test_without_a_bridge_the_last_known_is_told_and_how_old_it_is(plant: Path) -> None:
    asyncio.run(left(plant))
    told = run(plant, "nodes", "--samples")
    [node] = listed(plant)["nodes"]

    assert told.exit_code == 0
    assert told.stdout.startswith("no bridge runs: this is what the last one knew, ")
    assert "offline" in told.stdout
    assert "plant/press: birth-seq-not-zero once" in told.stdout
    assert "(tck-id-topics-nbirth-seq-num): NBIRTH with seq 3" in told.stdout
    assert "    seq 3, bdSeq 7, Node Control/Rebirth false, speed 10" in told.stdout
    assert listed(plant)["bridge"] is None
    assert (node["state"], node["since_ms"], node["bd_seq"], node["metrics"]) == ("offline", 1_700_000_060_000, 7, 3)
    assert "sample" not in node["findings"][0]


def test_where_nothing_was_ever_heard_that_is_said(plant: Path) -> None:
    assert run(plant, "nodes").stdout == "no edge node was ever heard of, and no bridge runs\n"
    assert listed(plant) == {"bridge": None, "nodes": [], "findings": []}


async def say_by_nobody(floor: Floor, topic: str, finding: str) -> None:
    """Something wrong of no node, on the broker; returns when the bridge has stored that it was found."""
    await floor.press.link.publish(Publication(topic=topic, payload=b"\xff", qos=0, retain=False))

    async def is_found() -> bool:
        stored = await floor.store.read_one(Table.META, STRANGERS_ID)
        return stored is not None and finding in stored_findings(stored)

    await until(is_found, f"{finding} is stored", 5)


@pytest.mark.mosquitto
async def test_what_belongs_to_no_node_is_told_too_and_outlives_a_restart(plant: Path, mosquitto: Mosquitto) -> None:
    async with floor_on(plant, mosquitto) as floor:
        await say_by_nobody(floor, "spBv1.0/plant/NFOO/press", "topic-invalid")
    async with floor_on(plant, mosquitto) as floor:
        await say_by_nobody(floor, "spBv1.0/plant/NDATA/nobody", "payload-unreadable")
        told = (await floor.command("nodes", "--samples")).stdout
        answer = json.loads((await floor.command("nodes", "--samples", "--json")).stdout)
        of_one = json.loads((await floor.command("nodes", floor.press.name, "--json")).stdout)

    assert "no node that is followed: topic-invalid once, last " in told
    assert "(tck-id-topic-structure): 'spBv1.0/plant/NFOO/press' is no topic of Sparkplug B 3.0" in told
    assert "no node that is followed: payload-unreadable once, last " in told
    assert ": NDATA of plant/nobody: not a Sparkplug payload" in told
    assert told.count("\n    ff\n") == 2
    assert [(one["finding"], one["count"], one["decoded"]) for one in answer["findings"]] == [
        ("payload-unreadable", 1, "ff"),
        ("topic-invalid", 1, "ff"),
    ]
    assert of_one["findings"] == []


def test_a_node_that_is_not_there_is_said_to_be_none(plant: Path) -> None:
    asyncio.run(left(plant))
    told = run(plant, "nodes", "plant/pres")

    assert (told.exit_code, told.stderr) == (
        1,
        "no edge node 'plant/pres' was ever heard of; did you mean 'plant/press'?\n",
    )
