"""What the Sparkplug host says on the wire, on MQTT 5 and 3.1.1: the packets between the bridge and mosquitto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.broker.link import (
    BrokerLink,
    LinkSettings,
    MayConnect,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.core.input import Command
from bridge.loop import Entering
from bridge.service import Service
from bridge.session import HostSession
from bridge.settings.broker import BrokerSettings
from bridge.wiring import Outside
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from sparkplug.command import write_command
from sparkplug.fact import Origin
from sparkplug.presence import DeclaredOffline, HostPresence
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.state import HostState, decode_state, encode_state
from state.memory_store import MemoryStore
from tests.bridge.broker.ground import BASE, put, up
from tests.bridge.broker.ground import running as links_running
from tests.bridge.broker.proxy import Proxy, proxy_to
from tests.bridge.broker.wire import Connect, Disconnect, Packet, Publish, Subscribe, SubscribeAcknowledged, Wire
from tests.bridge.simulator.listener import until
from tests.bridge.site import plant_in
from tests.servers import Mosquitto, StartMosquitto
from tests.sparkplug.situation import birth_bytes, data_bytes

pytestmark = pytest.mark.mosquitto

HOST = "host-on-the-wire"
STATE = f"spBv1.0/STATE/{HOST}"


@dataclass(slots=True)
class Server:
    """A broker, the line to it that the host takes, and what goes over that line."""

    broker: Mosquitto
    line: Proxy
    wire: Wire

    @property
    def state(self) -> list[HostState]:
        """What the host published of itself, in order."""
        return [decode_state(one.payload) for one in self.wire.of(Publish) if one.topic == STATE]

    @property
    def births(self) -> set[int]:
        """The timestamps of its births. One may be published twice: the will of a lost session is answered too."""
        return {state.timestamp_ms for state in self.state if state.online}

    def commands(self) -> list[Publish]:
        return [one for one in self.wire.of(Publish) if "CMD/" in one.topic]

    def settings(self, client_id: str) -> LinkSettings:
        password = self.broker.password
        return replace(
            BASE, port=self.broker.port, client_id=client_id, user=self.broker.user, password=lambda: password
        )

    async def say(self, *messages: tuple[str, bytes], retain: bool = False) -> None:
        """Publish as somebody else."""
        somebody = PahoLink(self.settings("somebody"), [])
        async with links_running(somebody):
            await up(somebody)
            for topic, payload in messages:
                await put(somebody, topic, payload, qos=0 if "/STATE/" not in topic else 1, retain=retain)


@dataclass(slots=True)
class Bridge:
    """A bridge whose host goes over the lines of `servers`; its other sessions do not."""

    servers: Sequence[Server]
    folder: Path
    version: int
    declared_offline: DeclaredOffline = DeclaredOffline.REPUBLISH
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Online at first; at the end it has stopped in order."""
        service = asyncio.create_task(self._service().run(self._stop))
        try:
            await until(lambda: service.done() or all(server.state for server in self.servers))
            yield
            self._stop.set()
            await asyncio.wait_for(service, 10)
        finally:
            service.cancel()
            await asyncio.wait([service])

    def _service(self) -> Service:
        plant, clock = plant_in(self.folder), SystemClock()
        brokers = tuple(BrokerSettings(port=place, version=self.version) for place, _ in enumerate(self.servers))
        sparkplug = replace(plant.settings.sparkplug, host_id=HOST, declared_offline=self.declared_offline)
        settings = replace(plant.settings, brokers=brokers, sparkplug=sparkplug)
        outside = Outside(
            store=MemoryStore(clock=clock.now_ms, weaknesses=()),
            odoo=MemoryOdoo(context=PlanContext(units={}, over=Decimal(0))),
            link=self._link,
            clock=clock,
        )
        return Service(replace(plant, settings=settings), outside, stage_s=5)

    def _link(
        self, asked: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        server = self.servers[asked.port]
        host = "-host" in asked.client_id.removeprefix(HOST)
        reached = replace(
            asked,
            port=server.line.port if host else server.broker.port,
            user=server.broker.user,
            password=lambda: server.broker.password,
            first_pause_s=0.02,
            longest_pause_s=0.1,
        )
        return PahoLink(reached, subscriptions, will, may_connect)


@asynccontextmanager
async def line_to(broker: Mosquitto) -> AsyncIterator[Server]:
    wire = Wire()
    async with proxy_to(broker.port, wire.tap) as line:
        yield Server(broker, line, wire)


@pytest.fixture
async def server(mosquitto: Mosquitto) -> AsyncIterator[Server]:
    """A server that remembers no earlier host."""
    async with line_to(mosquitto) as server:
        await server.say((STATE, b""), retain=True)
        yield server


@pytest.fixture(params=[5, 4], ids=["mqtt 5", "mqtt 3.1.1"])
def bridge(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Bridge:
    return Bridge((server,), tmp_path, request.param)


def is_birth(packet: Packet) -> bool:
    return isinstance(packet, Publish) and packet.topic == STATE and decode_state(packet.payload).online


@pytest.mark.spec("tck-id-intro-sparkplug-host-state")
@pytest.mark.spec("tck-id-conformance-primary-host")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-clean-session-311")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-clean-session-50")
@pytest.mark.spec("tck-id-host-topic-phid-death-required")
@pytest.mark.spec("tck-id-host-topic-phid-death-qos")
@pytest.mark.spec("tck-id-host-topic-phid-death-retain")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-payload")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-qos")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-retained")
@pytest.mark.spec("tck-id-payloads-state-will-message-qos")
@pytest.mark.spec("tck-id-payloads-state-will-message-retain")
async def test_the_host_connects_to_a_clean_session_and_leaves_its_death_as_the_will(
    bridge: Bridge, server: Server
) -> None:
    before_ms = SystemClock().now_ms()
    async with bridge.running():
        [connect] = server.wire.of(Connect)

    assert connect.will is not None
    death = decode_state(connect.will.payload)
    assert (connect.version, connect.clean, connect.expiry_s) == (bridge.version, True, 0)
    assert (connect.will.topic, connect.will.qos, connect.will.retain) == (STATE, 1, True)
    assert not death.online
    assert before_ms <= death.timestamp_ms <= SystemClock().now_ms()


@pytest.mark.spec("tck-id-principles-birth-certificates-order")
@pytest.mark.spec("tck-id-host-topic-phid-birth-message")
@pytest.mark.spec("tck-id-host-topic-phid-birth-qos")
@pytest.mark.spec("tck-id-host-topic-phid-birth-retain")
@pytest.mark.spec("tck-id-host-topic-phid-birth-required")
@pytest.mark.spec("tck-id-host-topic-phid-birth-sub-required")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-subscription")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-state-publish")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth-qos")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth-retained")
@pytest.mark.spec("tck-id-payloads-state-birth")
@pytest.mark.spec("tck-id-payloads-state-subscribe")
async def test_the_first_publication_is_the_birth_of_the_host_once_it_has_subscribed(
    bridge: Bridge, server: Server
) -> None:
    async with bridge.running():
        connect, subscribe, acknowledged, birth, *_ = server.wire.packets

    assert isinstance(connect, Connect)
    assert connect.will is not None
    assert subscribe == Subscribe({STATE: 1, "spBv1.0/acme-berlin/#": 0})
    assert acknowledged == SubscribeAcknowledged()
    assert birth == Publish(
        topic=STATE,
        payload=encode_state(HostState(True, decode_state(connect.will.payload).timestamp_ms)),
        qos=1,
        retain=True,
    )


@pytest.mark.spec("tck-id-components-ph-state")
@pytest.mark.spec("tck-id-host-topic-phid-birth-payload-timestamp")
@pytest.mark.spec("tck-id-host-topic-phid-death-payload-timestamp-connect")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-state-publish-payload-timestamp")
@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-state")
async def test_every_session_has_a_will_of_its_own_time_and_begins_with_the_birth_of_that_time(
    bridge: Bridge, server: Server
) -> None:
    async with bridge.running():
        server.line.cut()
        await until(lambda: len(server.births) == 2)
        sessions = server.wire.sessions()

    times = []
    for session in sessions:
        connect, birth = session[0], next(packet for packet in session if isinstance(packet, Publish))
        assert isinstance(connect, Connect)
        assert connect.will is not None
        times.append((decode_state(connect.will.payload).timestamp_ms, decode_state(birth.payload)))
    assert [birth for _, birth in times] == [HostState(True, will_ms) for will_ms, _ in times]
    assert times[0][0] < times[1][0]


@pytest.mark.spec("tck-id-operational-behavior-host-application-termination")
@pytest.mark.spec("tck-id-operational-behavior-host-application-death-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-death-payload")
@pytest.mark.spec("tck-id-operational-behavior-host-application-death-qos")
@pytest.mark.spec("tck-id-operational-behavior-host-application-death-retained")
@pytest.mark.spec("tck-id-operational-behavior-host-application-disconnect-intentional")
@pytest.mark.spec("tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean")
async def test_a_host_that_stops_publishes_its_death_of_that_moment_disconnects_and_does_not_answer_itself(
    bridge: Bridge, server: Server
) -> None:
    async with bridge.running():
        stopped_ms = SystemClock().now_ms()
    death, disconnect = server.wire.packets[-2:]

    assert isinstance(death, Publish)
    assert (death.topic, death.qos, death.retain) == (STATE, 1, True)
    assert not decode_state(death.payload).online
    assert decode_state(death.payload).timestamp_ms >= stopped_ms
    assert disconnect == Disconnect(0)
    assert [state.online for state in server.state] == [True, False]


@pytest.mark.spec("tck-id-message-flow-hid-sparkplug-state-message-delivered")
async def test_a_false_death_is_answered_at_once_with_the_same_birth(bridge: Bridge, server: Server) -> None:
    async with bridge.running():
        await server.say((STATE, encode_state(HostState(False, SystemClock().now_ms()))), retain=True)
        await until(lambda: len(server.state) == 2)

    assert server.state[0] == server.state[1]
    assert len(server.wire.of(Connect)) == 1


async def test_a_host_that_is_to_reconnect_answers_a_false_death_with_a_new_session(
    bridge: Bridge, server: Server
) -> None:
    bridge.declared_offline = DeclaredOffline.RECONNECT
    async with bridge.running():
        said_ms = SystemClock().now_ms()
        await server.say((STATE, encode_state(HostState(False, said_ms))), retain=True)
        await until(lambda: len(server.wire.sessions()) == 2 and any(map(is_birth, server.wire.sessions()[1])))
        first, second = server.wire.sessions()

    assert first[-1] == Disconnect(0), "the will is not for a host that goes on"
    assert next(decode_state(one.payload).timestamp_ms for one in second if isinstance(one, Publish)) >= said_ms


@pytest.mark.spec("tck-id-topics-ncmd-mqtt")
@pytest.mark.spec("tck-id-payloads-ncmd-qos")
@pytest.mark.spec("tck-id-payloads-ncmd-retain")
async def test_a_rebirth_is_asked_at_qos_0_and_not_retained(bridge: Bridge, server: Server) -> None:
    async with bridge.running():
        await server.say(("spBv1.0/acme-berlin/NDATA/press", data_bytes(1, 11)))
        await until(lambda: bool(server.commands()))
        [command] = server.commands()

    assert (command.topic, command.qos, command.retain) == ("spBv1.0/acme-berlin/NCMD/press", 0, False)


@pytest.mark.spec("tck-id-topics-dcmd-mqtt")
@pytest.mark.spec("tck-id-payloads-dcmd-qos")
@pytest.mark.spec("tck-id-payloads-dcmd-retain")
async def test_a_device_is_written_at_qos_0_and_not_retained(server: Server) -> None:
    presence = HostPresence(HOST)
    link = PahoLink(
        replace(server.settings("writer"), port=server.line.port),
        [Subscription(filter=STATE, qos=1)],
        will_of(presence),
    )
    entered: list[Entering] = []

    async def enter(entering: Entering) -> None:
        entered.append(entering)

    session = HostSession(link, presence, enter, SystemClock())
    topic, payload = write_command(Origin("acme-berlin", "press", "arm"), "force", Datatype.INT32, 5, 1)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work()) for work in (link.run, session.run, session.send)]
        await until(lambda: bool(entered))
        session.command(Command(topic, payload))
        await until(lambda: bool(server.commands()))
        for task in running:
            task.cancel()

    assert server.commands() == [Publish(topic=topic, payload=payload, qos=0, retain=False)]


@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-state")
@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs")
@pytest.mark.spec("tck-id-operational-behavior-host-application-multi-server-timestamp")
async def test_on_two_servers_the_host_has_two_states_and_commands_go_to_where_the_node_lives(
    server: Server, start_mosquitto: StartMosquitto, tmp_path: Path
) -> None:
    async with line_to(start_mosquitto()) as other, Bridge((server, other), tmp_path, version=5).running():
        other.line.cut()
        await until(lambda: len(other.births) == 2)
        await other.say(
            ("spBv1.0/acme-berlin/NBIRTH/press", birth_bytes()),
            ("spBv1.0/acme-berlin/NDATA/press", data_bytes(1, 11, alias=99)),
        )
        await until(lambda: bool(other.commands()))

    assert server.commands() == []
    assert [command.topic for command in other.commands()] == ["spBv1.0/acme-berlin/NCMD/press"]
    assert len(server.births) == 1
    for one in (server, other):
        wills = [connect.will for connect in one.wire.of(Connect) if connect.will is not None]
        assert one.births == {decode_state(will.payload).timestamp_ms for will in wills}
        assert not one.state[-1].online


def will_of(presence: HostPresence) -> Callable[[], Publication]:
    def will() -> Publication:
        topic, payload = presence.will(SystemClock().now_ms())
        return Publication(topic=topic, payload=payload, qos=1, retain=True)

    return will
