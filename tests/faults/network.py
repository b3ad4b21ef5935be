"""The MQTT broker of the simulation, and the wires to it: slow, cut, half open, with messages lost, late, doubled.

A wire keeps the order of what goes over it, as TCP does; a fault may hold one message back. What a client handed over
before its process died still arrives; what arrives for it does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Publication, Subscriptions, WillSource
from bridge.broker.memory import Connection, MemoryBroker
from bridge.broker.reconnect import PacketId, Received, Reconnecting
from tests.faults.account import CUT, LOST, Account, Passing
from tests.faults.machine import Machine, Universe

MES: Final = "plant-mes"
HOST: Final = "acme-bridge-host"
DOCUMENTS: Final = "acme-bridge-documents"


@dataclass(slots=True)
class Weather:
    """What the wires do now. Numbers of messages count down."""

    slow_s: dict[str, float] = field(default_factory=dict)
    """Added to every message of clients whose id begins so."""
    lose: Counter[str] = field(default_factory=Counter)
    """So many next QoS 0 messages to these clients vanish."""
    double: Counter[str] = field(default_factory=Counter)
    """So many next QoS 1 messages to these clients come twice."""
    late_s: dict[str, float] = field(default_factory=dict)
    """The next QoS 0 message to these clients comes so much later than those behind it."""


class Broker(MemoryBroker):
    """A broker that can be killed, with or without its memory. `lost` is what no client can ever have again."""

    def __init__(self, universe: Universe, chance: Random, note: Callable[[str], None]) -> None:
        super().__init__()
        self.universe = universe
        self.here = universe.machine("broker")
        self.chance = chance
        self.weather = Weather()
        self.account = Account(universe)
        self.note = note
        self.lost: list[Publication] = []
        self.told: list[tuple[str, bytes]] = []
        """What the MES had acknowledged: topic and payload."""
        self.last_up_s: dict[str, float] = {}

    def forget(self) -> None:
        """Lose the kept sessions and the retained messages, as a broker without persistence does."""
        for session in self._sessions.values():
            self.lost += [*session.unacknowledged.values(), *session.outgoing]
        self._sessions.clear()
        self._retained.clear()

    def vanish(self, machine: Machine) -> None:
        """Tell everybody that the clients of this process are gone."""
        for client_id, session in list(self._sessions.items()):
            wire = session.connection
            if isinstance(wire, Wire) and wire.machine is machine:
                self.cut(client_id)

    def connected(self) -> list[str]:
        """The clients that are connected now."""
        return [name for name, session in self._sessions.items() if session.connection is not None]

    def link(
        self,
        machine: Machine,
        settings: LinkSettings,
        subscriptions: Subscriptions,
        will: WillSource,
        may_connect: MayConnect,
    ) -> BrokerLink:
        """A link of this process."""
        return Reconnecting(
            settings,
            lambda receive: Wire(self, machine, settings, subscriptions, will(), receive),
            may_connect,
            machine.now_ms,
        )


class Wire(Connection):
    """One connection, with the time that everything takes on it."""

    def __init__(
        self,
        broker: Broker,
        machine: Machine,
        settings: LinkSettings,
        subscriptions: Subscriptions,
        will: Publication | None,
        receive: Received,
    ) -> None:
        super().__init__(broker, settings, subscriptions, will, receive)
        self.machine = machine
        self._at = broker
        self._is_known = False
        self._told: dict[PacketId, Publication] = {}
        self._down_s = 0.0
        self._waiting: dict[asyncio.Future[bool], None] = {}  # a set would be in the order of addresses

    async def open(self) -> tuple[bool, int]:
        answer = self._awaited()
        self._up(lambda: self._connect(answer))
        return await self._answer(answer), 65535

    async def publish(self, publication: Publication) -> None:
        if not self._is_open:
            raise LinkLost("not connected")
        if publication.qos == 0:
            self._up(lambda: self._taken(publication, None))
            return
        answer = self._awaited()
        self._up(lambda: self._taken(publication, answer))
        await self._answer(answer)

    def acknowledge(self, packet_id: PacketId) -> None:
        told = self._told.pop(packet_id, None)
        if told is not None and self.settings.client_id == DOCUMENTS:
            self._at.account.acknowledged(self.machine, told.topic, told.payload)
        if self._is_open:
            self._up(lambda: self._acknowledged(packet_id))

    def send(self, publication: Publication, packet_id: PacketId, *, duplicate: bool) -> None:
        weather, client = self._at.weather, self.settings.client_id
        passing = None
        if client == HOST:
            passing = self._at.account.sent(self.machine, publication.topic, publication.payload)
        if publication.qos == 0 and weather.lose[client] > 0:
            weather.lose[client] -= 1
            self._at.note(f"lost on the way to {client}: {publication.topic}")
            self._at.lost.append(publication)
            if passing is not None:
                passing.became = LOST
            return
        late_s = weather.late_s.pop(client, 0.0) if publication.qos == 0 else 0.0
        self._down(lambda: self._arrived(publication, packet_id, duplicate, passing), late_s)
        if publication.qos > 0 and weather.double[client] > 0:
            weather.double[client] -= 1
            again = None
            if client == HOST:
                again = self._at.account.sent(self.machine, publication.topic, publication.payload)
            self._down(lambda: self._arrived(publication, packet_id, True, again), 0.0)

    def lose(self, reason: str) -> None:
        super().lose(reason)
        self._is_known = False
        for answer in self._waiting:
            _fail(answer, LinkLost(reason))

    async def close(self, *, with_will: bool = False) -> None:
        if self._is_open:
            self._up(lambda: self._closed(with_will))
        known = self._is_known
        self.lose("closed")
        self._is_known = known

    def _closed(self, with_will: bool) -> None:
        """What was handed over before it has arrived by now."""
        if self._is_known and not self.is_silent:
            self._is_known = False
            self._broker._disconnected(self)
            if (with_will or self.settings.will_at_end) and self.will is not None:
                self._broker.publish(self.will)

    def _connect(self, answer: asyncio.Future[bool]) -> None:
        try:
            present = self._broker._connect(self)
        except LinkLost as error:
            refused = error
            self._down(lambda: _fail(answer, refused), 0.0)
            return
        self._is_open = self._is_known = True
        self._broker._subscribe(self, self._subscriptions)
        self._down(lambda: _succeed(answer, present), 0.0)

    def _taken(self, publication: Publication, answer: asyncio.Future[bool] | None) -> None:
        if not self._is_known or self.is_silent:
            return
        try:
            self._broker._publish_of(self, publication)
        except LinkLost as error:
            cut = error
            self._down(lambda: _fail(answer, cut), 0.0)
            return
        if self.settings.client_id == MES:
            self._at.told.append((publication.topic, publication.payload))
        self._down(lambda: _succeed(answer, True), 0.0)

    def _acknowledged(self, packet_id: PacketId) -> None:
        if self._is_known and not self.is_silent:
            self._broker._acknowledged(self, packet_id)

    def _arrived(self, publication: Publication, packet_id: PacketId, duplicate: bool, passing: Passing | None) -> None:
        is_heard = self._is_open and not self.is_silent
        if passing is not None and is_heard:
            self._at.account.arrived(passing)
        elif passing is not None:
            passing.became = CUT
        if is_heard:
            self._told[packet_id] = publication
            super().send(publication, packet_id, duplicate=duplicate)

    def _awaited(self) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = None
        if self._ended.done():
            _fail(answer, LinkLost("closed while connecting"))
        return answer

    async def _answer(self, answer: asyncio.Future[bool]) -> bool:
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)

    def _up(self, arrive: Callable[[], None]) -> None:
        last_s = self._at.last_up_s
        at_s = max(self._at.universe.now_s + self._takes_s(), last_s.get(self.settings.client_id, 0.0))
        last_s[self.settings.client_id] = at_s
        self._at.here.call_at(at_s, arrive)

    def _down(self, arrive: Callable[[], None], late_s: float) -> None:
        at_s = max(self._at.universe.now_s + self._takes_s(), self._down_s)
        if not late_s:
            self._down_s = at_s
        self.machine.call_at(at_s + late_s, arrive)

    def _takes_s(self) -> float:
        client, weather = self.settings.client_id, self._at.weather
        slow_s = max((more for name, more in weather.slow_s.items() if client.startswith(name)), default=0.0)
        return 0.0005 + self._at.chance.random() * 0.004 + slow_s


def _succeed(answer: asyncio.Future[bool] | None, value: bool) -> None:
    if answer is not None and not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[bool] | None, error: LinkLost) -> None:
    if answer is not None and not answer.done():
        answer.set_exception(error)
