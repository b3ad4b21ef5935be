"""What our edge nodes say on the wire, on MQTT 5 and 3.1.1: the packets between a node and the embedded broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.broker.link import LinkSettings, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.demo.servers import EmbeddedBroker, embedded_broker
from bridge.simulator.edge_session import EdgeSession, define_node
from sparkplug.catalog import BD_SEQ
from sparkplug.command import rebirth_command
from sparkplug.fact import NodeId
from sparkplug.topic import state_topic
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, encode_state
from tests.bridge.broker.ground import BASE, put, up
from tests.bridge.broker.ground import running as links_running
from tests.bridge.broker.proxy import proxy_to
from tests.bridge.broker.wire import Connect, Disconnect, Packet, Publish, Subscribe, SubscribeAcknowledged, Wire
from tests.bridge.simulator.listener import Listener, running, until

pytestmark = pytest.mark.embedded

NODE = NodeId("wire", "press")
HOST = "host-on-the-wire"
COMMANDS = {"spBv1.0/wire/NCMD/press": 1, "spBv1.0/wire/DCMD/press/+": 1}
DEATH = "spBv1.0/wire/NDEATH/press"


class Floor:
    """A broker, its host, and a node that reaches it over a tapped line."""

    def __init__(self, broker: EmbeddedBroker, version: int, folder: Path) -> None:
        self.broker, self.version, self.folder = broker, version, folder
        self.wire = Wire()
        self.cut: Callable[[], None] = lambda: None
        self.host = PahoLink(self.settings("host", broker.port(version)), [])

    def settings(self, client_id: str, port: int) -> LinkSettings:
        password = self.broker.password
        return replace(
            BASE,
            port=port,
            client_id=client_id,
            version=self.version,
            user=self.broker.user,
            password=lambda: password,
        )

    async def say_state(self, *, online: bool, at_ms: int) -> None:
        await put(self.host, state_topic(HOST), encode_state(HostState(online, at_ms)), retain=True)

    @asynccontextmanager
    async def node(self, *, primary_host: str | None = HOST) -> AsyncIterator[EdgeSession]:
        """A node that runs; at the end it has left."""
        node = define_node(NODE, {None: {"Speed": 1}, "arm": {"Force": 2}}, primary_host=primary_host)
        async with proxy_to(self.broker.port(self.version), self.wire.tap) as line:
            self.cut = line.cut
            session = EdgeSession(
                node,
                broker=self.settings("edge", line.port),
                link=PahoLink,
                clock=SystemClock(),
                data_dir=self.folder,
            )
            async with running(session.run()):
                yield session

    def published(self) -> list[str]:
        """The message types that the node published, in order."""
        return [packet.topic.split("/")[2] for packet in self.wire.of(Publish)]

    def will_bd_seqs(self) -> list[object]:
        wills = [packet.will for packet in self.wire.of(Connect)]
        return [decode(will.payload).metrics[0].raw for will in wills if will is not None]


@pytest.fixture(params=[5, 4], ids=["mqtt 5", "mqtt 3.1.1"])
async def floor(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Floor]:
    async with embedded_broker(tmp_path / "broker") as broker:
        floor = Floor(broker, request.param, tmp_path / "nodes")
        async with links_running(floor.host):
            await up(floor.host)
            yield floor


def is_message(packet: Packet, verb: str) -> bool:
    return isinstance(packet, Publish) and f"/{verb}/" in packet.topic


@pytest.mark.spec("tck-id-principles-persistence-clean-session-311")
@pytest.mark.spec("tck-id-principles-persistence-clean-session-50")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-topic")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-qos")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-will-retained")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message-qos")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message-retain")
async def test_a_node_connects_to_a_clean_session_and_leaves_its_death_as_the_will(floor: Floor) -> None:
    async with floor.node(primary_host=None) as session:
        await until(lambda: session.node.is_online)
        [connect] = floor.wire.of(Connect)

    assert (connect.version, connect.clean, connect.expiry_s) == (floor.version, True, 0)
    assert connect.will is not None
    assert (connect.will.topic, connect.will.qos, connect.will.retain) == (DEATH, 1, False)
    death = decode(connect.will.payload)
    assert ([metric.name for metric in death.metrics], death.seq) == ([BD_SEQ], None)


@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-connect")
@pytest.mark.spec("tck-id-message-flow-edge-node-ncmd-subscribe")
@pytest.mark.spec("tck-id-message-flow-device-dcmd-subscribe")
@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-birth-sequence-wait")
async def test_it_is_born_when_it_has_subscribed_and_its_host_is_online_and_publishes_at_qos_0(floor: Floor) -> None:
    async with floor.node() as session:
        await until(lambda: bool(floor.wire.of(SubscribeAcknowledged)))
        assert floor.published() == []
        await floor.say_state(online=True, at_ms=1)
        await until(lambda: session.node.is_online)
        await session.report("arm", {"Force": 3}, SystemClock().now_ms())
        await until(lambda: len(floor.published()) == 3)
        connect, *packets = floor.wire.packets

    assert isinstance(connect, Connect)
    assert packets[:2] == [Subscribe(COMMANDS | {state_topic(HOST): 1}), SubscribeAcknowledged()]
    messages = [packet for packet in packets[2:] if isinstance(packet, Publish)]
    assert [(one.topic, one.qos, one.retain) for one in messages] == [
        ("spBv1.0/wire/NBIRTH/press", 0, False),
        ("spBv1.0/wire/DBIRTH/press/arm", 0, False),
        ("spBv1.0/wire/DDATA/press/arm", 0, False),
    ]
    assert [decode(one.payload).seq for one in messages] == [0, 1, 2]


@pytest.mark.spec("tck-id-payloads-ndeath-will-message-publisher")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-intentional-disconnect-packet")
async def test_it_leaves_with_its_death_and_a_disconnect_that_keeps_the_will_where_mqtt_can(floor: Floor) -> None:
    async with floor.node(primary_host=None) as session:
        await until(lambda: session.node.is_online)
    await until(lambda: bool(floor.wire.of(Disconnect)))

    *_, death, disconnect = floor.wire.packets
    [will] = [connect.will for connect in floor.wire.of(Connect)]
    assert isinstance(death, Publish)
    assert will is not None
    assert (death.topic, death.qos, death.retain) == (DEATH, 1, False)
    assert decode(death.payload).metrics[0].raw == decode(will.payload).metrics[0].raw
    assert disconnect == Disconnect(4 if floor.version == 5 else 0)


@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-offline")
async def test_when_its_host_goes_offline_it_dies_and_waits_in_a_new_session(floor: Floor) -> None:
    await floor.say_state(online=True, at_ms=1)
    async with floor.node() as session:
        await until(lambda: session.node.is_online)
        await floor.say_state(online=False, at_ms=2)
        await until(lambda: len(floor.wire.of(SubscribeAcknowledged)) == 2)
        assert not session.node.is_online
        await floor.say_state(online=True, at_ms=3)
        await until(lambda: session.node.is_online)

    assert floor.published() == ["NBIRTH", "DBIRTH", "NDEATH", "NBIRTH", "DBIRTH", "NDEATH"]
    assert floor.will_bd_seqs() == [0, 1]


@pytest.mark.spec("tck-id-topics-nbirth-bdseq-increment")
@pytest.mark.spec("tck-id-topics-nbirth-bdseq-matching")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq")
async def test_its_bdseq_goes_on_in_the_next_process(floor: Floor) -> None:
    for _ in range(3):
        async with floor.node(primary_host=None) as session:
            await until(lambda session=session: session.node.is_online)  # type: ignore[misc]

    births = [decode(packet.payload) for packet in floor.wire.of(Publish) if is_message(packet, "NBIRTH")]
    assert floor.will_bd_seqs() == [0, 1, 2]
    assert [birth.metrics[0].raw for birth in births] == [0, 1, 2]


@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-action-2")
async def test_a_rebirth_command_is_obeyed_in_the_same_session(floor: Floor) -> None:
    async with floor.node(primary_host=None) as session:
        await until(lambda: session.node.is_online)
        await put(floor.host, *rebirth_command(NODE, 1), qos=0)
        await until(lambda: len(floor.published()) == 4)

    assert floor.published()[:4] == ["NBIRTH", "DBIRTH", "NBIRTH", "DBIRTH"]
    assert len(floor.wire.of(Connect)) == 1


@pytest.mark.spec("tck-id-payloads-ndeath-bdseq")
async def test_a_host_finds_nothing_wrong_over_sessions_that_end_in_all_ways(floor: Floor) -> None:
    ear = PahoLink(
        floor.settings("ear", floor.broker.port(floor.version)), [Subscription(filter="spBv1.0/wire/#", qos=1)]
    )
    listener = Listener(ear)
    async with links_running(ear):
        await up(ear)
        async with running(listener.run()):
            await floor.say_state(online=True, at_ms=1)
            async with floor.node() as session:
                await until(lambda: listener.turns == ["online"])
                floor.cut()
                await until(lambda: listener.turns == ["online", "offline", "online"])
                await floor.say_state(online=False, at_ms=2)
                await until(lambda: len(listener.turns) == 4)
                await session.report("arm", {"Force": 3}, 7)
                await floor.say_state(online=True, at_ms=3)
                await until(lambda: (3, True) in listener.values("Force", birth=False))
            await until(lambda: len(listener.turns) == 6)

    assert listener.turns == ["online", "offline"] * 3
    assert listener.findings == []
