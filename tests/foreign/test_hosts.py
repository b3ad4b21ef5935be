"""Other makers' host applications follow our edge node: births, data, rebirths, writes, a death."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bridge.broker.link import LinkDown, LinkUp, Message, Publication, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from sparkplug.edge import EdgeNode, EdgeOutput, Publish, Rebirthed, Written
from sparkplug.edge.origin import MetricDefinition
from sparkplug.message import REBIRTH
from sparkplug.wire.datatype import Datatype
from tests.bridge.broker.ground import BASE
from tests.foreign.host import NODE_ID
from tests.foreign.nodes import (
    DEVICE,
    GROUP,
    MQTT_SPB_WRAPPER,
    NODE,
    PYSPARKPLUG,
    ForeignNode,
    Library,
    foreign_process,
)
from tests.foreign.value import ARRAYS, NULLS, SCALARS, Given, Json, spell, whole
from tests.integration.patience import until
from tests.servers import Mosquitto, StartMosquitto

pytestmark = pytest.mark.slow

LIMIT_S = 20.0
HOST = "foreign-host"
NARROW = (Datatype.INT8, Datatype.INT16)


@pytest.fixture
def mosquitto(start_mosquitto: StartMosquitto) -> Mosquitto:
    """A broker of the test's own: hosts leave their retained STATE behind."""
    return start_mosquitto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A host of this library, and what it can read. `is_primary`: it says the STATE that an edge node waits for."""

    library: Library
    is_primary: bool
    metrics: tuple[Given, ...]


PRIMARY = Follower(
    library=replace(PYSPARKPLUG, driver="pysparkplug_host.py"),
    is_primary=True,
    # A negative Int8 or Int16 in the form of the reference implementation ends its network thread.
    metrics=(*(each for each in SCALARS if each.datatype not in NARROW), *NULLS, *ARRAYS),
)
SCADA = Follower(
    library=replace(MQTT_SPB_WRAPPER, driver="mqtt_spb_wrapper_host.py"),
    is_primary=False,  # its STATE is under a topic of its group
    metrics=SCALARS,
)
FOLLOWERS = (PRIMARY, SCADA)


@dataclass(slots=True)
class OwnNode:
    """Our edge node on a real broker, with a device that has these metrics, each with an alias."""

    broker: Mosquitto
    follower: Follower
    outputs: list[EdgeOutput] = field(default_factory=list)
    node: EdgeNode = field(init=False)
    _link: PahoLink = field(init=False)
    _clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.node = EdgeNode(NODE_ID, primary_host=HOST if self.follower.is_primary else None)
        self.node.define_device(
            DEVICE,
            [
                MetricDefinition(name=each.name, datatype=each.datatype, value=each.value, alias=alias)
                for alias, each in enumerate(self.follower.metrics, 1)
            ],
        )
        settings = replace(
            BASE, port=self.broker.port, client_id="own", user=self.broker.user, password=lambda: self.broker.password
        )
        subscriptions = [Subscription(filter=filter, qos=1) for filter in self.node.subscriptions]
        self._link = PahoLink(settings, subscriptions, self._will)

    async def report(self, metrics: Iterable[Given]) -> None:
        """The device's metrics have these values."""
        values = {metric.name: metric.value for metric in metrics}
        await self._carry_out(self.node.update(DEVICE, values, self._clock.now_ms()))

    async def until_online(self) -> None:
        await until(lambda: self.node.is_online, "our node online", LIMIT_S)

    async def until_told(self, output: EdgeOutput) -> None:
        await until(lambda: output in self.outputs, lambda: f"{output} in {self.outputs}", LIMIT_S)

    async def run(self) -> None:
        """Keep the session until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(), name="link")
            while True:
                match await self._link.next_event():
                    case LinkUp(at_ms=at_ms):
                        await self._carry_out(self.node.connected(at_ms))
                    case LinkDown(at_ms=at_ms):
                        self.node.disconnected(at_ms)
                    case Message(topic=topic, payload=payload, received_ms=at_ms, token=token):
                        await self._carry_out(self.node.receive(topic, payload, at_ms))
                        await self._link.acknowledge(token)

    async def leave(self) -> None:
        """Say its death."""
        await self._carry_out(self.node.leave(self._clock.now_ms()))

    async def _carry_out(self, outputs: tuple[EdgeOutput, ...]) -> None:
        for output in outputs:
            self.outputs.append(output)
            if isinstance(output, Publish):
                publication = Publication(
                    topic=output.topic, payload=output.payload, qos=output.qos, retain=output.retain
                )
                await self._link.publish(publication)

    def _will(self) -> Publication:
        topic, payload = self.node.will(self._clock.now_ms())
        return Publication(topic=topic, payload=payload, qos=1, retain=False)


@asynccontextmanager
async def own_node(broker: Mosquitto, follower: Follower) -> AsyncIterator[OwnNode]:
    """Our node, connected at some time."""
    node = OwnNode(broker, follower)
    running = asyncio.create_task(node.run(), name="own-node")
    try:
        yield node
    finally:
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def following(follower: Follower, broker: Mosquitto, log: Path) -> AsyncIterator[ForeignNode]:
    """The foreign host, online."""
    settings = {
        "host": broker.host,
        "port": broker.port,
        "user": broker.user,
        "password": broker.password,
        "group": GROUP,
        "node": NODE,
        "state": HOST,
    }
    async with foreign_process(follower.library, settings, log) as host:
        yield host


async def until_seen(host: ForeignNode, type: str, device: str | None, times: int = 1) -> dict[str, Json]:
    """The metrics of the last message of this type that the host has seen."""

    def seen() -> list[dict[str, Any]]:
        return [each for each in host.messages if (each["type"], each["device"]) == (type, device)]

    await until(lambda: len(seen()) >= times, lambda: f"{times} {type} of {device} in {host.messages}", LIMIT_S)
    metrics: dict[str, Json] = seen()[-1]["metrics"]
    return metrics


@pytest.mark.parametrize("follower", FOLLOWERS, ids=lambda each: each.library.package)
async def test_a_foreign_host_reads_our_births_is_answered_with_more_and_sees_our_death(
    follower: Follower, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    shown = {metric.name: spell(metric.value) for metric in follower.metrics}
    async with following(follower, mosquitto, tmp_path / "log") as host, own_node(mosquitto, follower) as node:
        assert await until_seen(host, "DBIRTH", DEVICE) == shown
        await host.tell({"device": None, "name": REBIRTH, "type": "Boolean", "value": True})
        assert await until_seen(host, "DBIRTH", DEVICE, times=2) == shown
        assert Rebirthed(NODE_ID) in node.outputs
        await node.leave()
        await until_seen(host, "NDEATH", None)


async def test_a_node_waits_for_a_foreign_primary_host_and_its_data_is_read_by_alias(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with own_node(mosquitto, PRIMARY) as node:
        async with following(PRIMARY, mosquitto, tmp_path / "log") as host:
            await node.until_online()
            await node.report(PRIMARY.metrics)
            assert await until_seen(host, "DDATA", DEVICE) == {each.name: spell(each.value) for each in PRIMARY.metrics}
            await host.kill()
            await until(lambda: not node.node.is_online, "our node stores", LIMIT_S)
        await node.report([whole("Int64/0", 5)])
        async with following(PRIMARY, mosquitto, tmp_path / "log") as host:
            assert await until_seen(host, "DDATA", DEVICE) == {"Int64/0": "5"}


async def test_a_host_that_takes_no_datatypes_from_births_sees_that_there_is_data_and_no_value_of_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with following(SCADA, mosquitto, tmp_path / "log") as host, own_node(mosquitto, SCADA) as node:
        await until_seen(host, "DBIRTH", DEVICE)
        await node.report(SCADA.metrics)
        assert await until_seen(host, "DDATA", DEVICE) == {
            str(alias): None for alias in range(1, len(SCADA.metrics) + 1)
        }


@pytest.mark.parametrize("follower", FOLLOWERS, ids=lambda each: each.library.package)
async def test_what_a_foreign_host_writes_arrives_with_its_value(
    follower: Follower, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    writes = [
        whole("Int64/0", -5),
        Given(name="Double/0", datatype=Datatype.DOUBLE, value=math.inf),
        Given(name="Boolean/0", datatype=Datatype.BOOLEAN, value=True),
        Given(name="Text/0", datatype=Datatype.TEXT, value="Größe"),
    ]
    async with following(follower, mosquitto, tmp_path / "log") as host, own_node(mosquitto, follower) as node:
        await until_seen(host, "DBIRTH", DEVICE)
        for each in writes:
            await host.tell({"device": DEVICE, **each.told()})
        expected = [Written(device=DEVICE, metric=each.name, value=each.value) for each in writes]
        await node.until_told(expected[-1])
        assert [output for output in node.outputs if isinstance(output, Written)] == expected
