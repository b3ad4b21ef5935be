"""`MemoryBroker` and `MemoryLink`: an MQTT broker in this process, for tests of what stands on a link.

It does what the bridge relies on: QoS 0 and 1, retained messages, wills, kept sessions that hold QoS 1 messages back
for their client and deliver them again until acknowledged, wildcards. It can be cut and stopped at will. It shares
its test suite with `paho.PahoLink`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bridge.broker.errors import LinkLost, Unheard
from bridge.broker.link import LinkSettings, MayConnect, Publication, Subscription, Subscriptions, WillSource
from bridge.broker.reconnect import PacketId, Received, Reconnecting, always, no_will, wall_clock_ms

LARGEST_PACKET_ID = 65535
MOST_MATCHES = 4096
"""Pairs of filter and topic that are remembered: a plant says the same topics all day."""
PUBLISH_WINDOW = 65535
MQTT_5 = 5


@lru_cache(MOST_MATCHES)
def filter_matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic is meant by a filter with `+` and `#`. These do not stand for a first level `$...`."""
    levels, names = topic_filter.split("/"), topic.split("/")
    if names[0].startswith("$") and levels[0] in ("+", "#"):
        return False
    for at, level in enumerate(levels):
        if level == "#":
            return True
        if at >= len(names) or level not in ("+", names[at]):
            return False
    return len(levels) == len(names)


class MemoryLink:
    """A `BrokerLink` to a `MemoryBroker`. Of the settings, the address and the credentials mean nothing to it."""

    def __init__(
        self,
        broker: MemoryBroker,
        settings: LinkSettings,
        subscriptions: Subscriptions,
        will: WillSource = no_will,
        may_connect: MayConnect = always,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        link = Reconnecting(
            settings, lambda receive: Connection(broker, settings, subscriptions, will(), receive), may_connect, now_ms
        )
        self.run = link.run
        self.next_event = link.next_event
        self.publish = link.publish
        self.acknowledge = link.acknowledge
        self.drop = link.drop


@dataclass(slots=True)
class _ClientSession:
    """What the broker keeps of a client."""

    is_clean: bool
    connection: Connection | None = None
    filters: dict[str, int] = field(default_factory=dict)
    outgoing: deque[Publication] = field(default_factory=deque)
    unacknowledged: dict[PacketId, Publication] = field(default_factory=dict)
    again: deque[PacketId] = field(default_factory=deque)
    last_packet_id: int = 0

    def granted(self, topic: str) -> list[int]:
        """The QoS of each subscription that the topic matches."""
        return [qos for one, qos in self.filters.items() if filter_matches(one, topic)]

    def next_packet_id(self) -> PacketId:
        while True:
            self.last_packet_id = self.last_packet_id % LARGEST_PACKET_ID + 1
            if self.last_packet_id not in self.unacknowledged:
                return PacketId(self.last_packet_id)


class MemoryBroker:
    """The broker. Its methods are what tests do to it; links connect by themselves.

    Sessions and retained messages outlive `stop`, as in a broker with persistence.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _ClientSession] = {}
        self._retained: dict[str, Publication] = {}
        self._is_running = True
        self._cut_at_publish: set[str] = set()

    def publish(self, publication: Publication) -> None:
        """Take a publication, as from a client, and pass it to everybody who subscribed."""
        if publication.retain:
            if publication.payload:
                self._retained[publication.topic] = publication
            else:
                self._retained.pop(publication.topic, None)
        for session in self._sessions.values():
            if granted := session.granted(publication.topic):
                qos = min(publication.qos, max(granted))
                if qos > 0 or session.connection is not None:
                    session.outgoing.append(replace(publication, qos=qos, retain=False))
                    _deliver(session)

    def retained(self, topic: str) -> Publication | None:
        """The retained message of a topic."""
        return self._retained.get(topic)

    def cut(self, client_id: str) -> None:
        """Lose a client's connection, as a cut cable: its will is published."""
        session = self._sessions.get(client_id)
        if session is not None and session.connection is not None:
            connection = session.connection
            self._disconnected(connection)
            connection.lose("the connection was cut")
            if connection.will is not None:
                self.publish(connection.will)

    def cut_at_next_publish(self, client_id: str) -> None:
        """Take the client's next publication, and cut the connection before it is acknowledged."""
        self._cut_at_publish.add(client_id)

    def silence(self, client_id: str) -> None:
        """Let nothing of the client arrive any more, although its connection stands."""
        session = self._sessions.get(client_id)
        if session is not None and session.connection is not None:
            session.connection.is_silent = True

    def stop(self) -> None:
        """Lose all connections, and take none until `start`. The wills are not published: nobody is there to."""
        self._is_running = False
        for session in list(self._sessions.values()):
            if (connection := session.connection) is not None:
                self._disconnected(connection)
                connection.lose("the broker has stopped")

    def start(self) -> None:
        """Take connections again."""
        self._is_running = True

    def _connect(self, connection: Connection) -> bool:
        """Whether the client's session was known. Raises `LinkLost` when stopped."""
        if not self._is_running:
            raise LinkLost("the broker is stopped")
        settings = connection.settings
        self.cut(settings.client_id)
        known = self._sessions.get(settings.client_id)
        if known is None or settings.clean:
            self._sessions[settings.client_id] = _ClientSession(settings.clean, connection)
            return False
        known.is_clean = False
        known.connection = connection
        known.again = deque(known.unacknowledged)
        _deliver(known)
        return True

    def _subscribe(self, connection: Connection, subscriptions: tuple[Subscription, ...]) -> None:
        session = self._sessions[connection.settings.client_id]
        for subscription in subscriptions:
            session.filters[subscription.filter] = subscription.qos
            session.outgoing.extend(
                replace(message, qos=min(message.qos, subscription.qos))
                for topic, message in sorted(self._retained.items())
                if filter_matches(subscription.filter, topic)
            )
        _deliver(session)

    def _publish_of(self, connection: Connection, publication: Publication) -> None:
        """Raises `LinkLost` when told to cut before the acknowledgement."""
        self.publish(publication)
        client_id = connection.settings.client_id
        if client_id in self._cut_at_publish:
            self._cut_at_publish.discard(client_id)
            self.cut(client_id)
            raise LinkLost("cut before the acknowledgement")
        if publication.heard and not any(session.granted(publication.topic) for session in self._sessions.values()):
            raise Unheard("nobody has subscribed to it")

    def _acknowledged(self, connection: Connection, packet_id: PacketId) -> None:
        session = self._sessions[connection.settings.client_id]
        session.unacknowledged.pop(packet_id, None)
        _deliver(session)

    def _disconnected(self, connection: Connection) -> None:
        session = self._sessions[connection.settings.client_id]
        if session.connection is connection:
            session.connection = None
            session.outgoing = deque(one for one in session.outgoing if one.qos > 0)
            if session.is_clean:
                del self._sessions[connection.settings.client_id]


def _deliver(session: _ClientSession) -> None:
    """Send what waits, as long as the client reads and has room in its receive window."""
    while (connection := session.connection) is not None and connection.is_reading:
        if session.again:
            packet_id = session.again.popleft()
            connection.send(session.unacknowledged[packet_id], packet_id, duplicate=True)
        elif not session.outgoing:
            return
        elif session.outgoing[0].qos == 0:
            connection.send(session.outgoing.popleft(), PacketId(0), duplicate=False)
        elif len(session.unacknowledged) < connection.settings.receive_maximum:
            packet_id = session.next_packet_id()
            session.unacknowledged[packet_id] = publication = session.outgoing.popleft()
            connection.send(publication, packet_id, duplicate=False)
        else:
            return


class Connection:
    """The client's side of one connection: a `Session` of `Reconnecting`. Tests put a slower way below it."""

    def __init__(
        self,
        broker: MemoryBroker,
        settings: LinkSettings,
        subscriptions: Subscriptions,
        will: Publication | None,
        receive: Received,
    ) -> None:
        self.settings = settings
        self.will = will
        self.is_reading = True
        self.is_silent = False
        self._broker = broker
        self._subscriptions = tuple(subscriptions)
        self._receive = receive
        self._is_open = False
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self) -> tuple[bool, int]:
        await asyncio.sleep(0)
        if self._ended.done():
            raise LinkLost("closed while connecting")
        session_present = self._broker._connect(self)
        self._is_open = True
        self._broker._subscribe(self, self._subscriptions)
        return session_present, PUBLISH_WINDOW

    async def ended(self) -> str:
        await asyncio.wait({self._ended})
        return self._ended.result()

    async def publish(self, publication: Publication) -> None:
        await asyncio.sleep(0)
        if self.is_silent:
            raise LinkLost(await self.ended())
        if not self._is_open:
            raise LinkLost("not connected")
        self._broker._publish_of(self, publication)

    def acknowledge(self, packet_id: PacketId) -> None:
        if self._is_open:
            self._broker._acknowledged(self, packet_id)

    def pause(self) -> None:
        self.is_reading = False

    def resume(self) -> None:
        if not self.is_reading:
            self.is_reading = True
            if self._is_open:
                _deliver(self._broker._sessions[self.settings.client_id])

    async def close(self, *, with_will: bool = False) -> None:
        if self._is_open:
            self._broker._disconnected(self)
            with_will = with_will or (self.settings.will_at_end and self.settings.version == MQTT_5)
            if with_will and self.will is not None:
                self._broker.publish(self.will)
        self.lose("closed")

    def send(self, publication: Publication, packet_id: PacketId, *, duplicate: bool) -> None:
        """The broker's side: a message for this client."""
        self._receive(
            publication.topic,
            publication.payload,
            qos=publication.qos,
            retain=publication.retain,
            duplicate=duplicate,
            packet_id=packet_id,
        )

    def lose(self, reason: str) -> None:
        """The broker's side: the connection has ended."""
        self._is_open = False
        if not self._ended.done():
            self._ended.set_result(reason)
