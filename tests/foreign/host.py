"""The Sparkplug host on a real broker, without the rest of the bridge: what it believes of other makers' nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bridge.broker.link import LinkDown, LinkUp, Message, Publication, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from sparkplug.command import rebirth_command, write_command
from sparkplug.fact import (
    DataRead,
    Finding,
    NodeId,
    NodeOnline,
    Origin,
    Output,
    PublishState,
    Reading,
    RequestRebirth,
    Value,
)
from sparkplug.host import HostApplication, HostSettings
from sparkplug.presence import HostPresence
from sparkplug.session import SessionSettings
from sparkplug.snapshot import NodeView
from sparkplug.wire.datatype import Datatype
from tests.bridge.broker.ground import BASE
from tests.foreign.nodes import GROUP, NODE
from tests.integration.patience import until
from tests.servers import Mosquitto

HOST = "acme-bridge"
LIMIT_S = 20.0
NODE_ID = NodeId(GROUP, NODE)


@dataclass(slots=True)
class Host:
    """The host, what it told since it began, and its session."""

    broker: Mosquitto
    host: HostApplication
    facts: list[Output] = field(default_factory=list)
    _presence: HostPresence = field(default_factory=lambda: HostPresence(HOST))
    _clock: SystemClock = field(default_factory=SystemClock)
    _link: PahoLink = field(init=False)

    def __post_init__(self) -> None:
        password = self.broker.password
        settings = replace(
            BASE, port=self.broker.port, client_id=HOST, user=self.broker.user, password=lambda: password
        )
        subscriptions = [Subscription(filter=filter, qos=1) for filter in self.host.subscriptions]
        self._link = PahoLink(settings, subscriptions, self._will)

    def readings(self, device: str | None, *, birth: bool) -> dict[str, Reading]:
        """The last reading of each metric of the node, or of its device, in births or in data."""
        return {
            reading.metric: reading
            for fact in self.facts
            if isinstance(fact, DataRead) and fact.birth is birth and fact.origin == Origin(*NODE_ID, device)
            for reading in fact.readings
        }

    def values_of(self, metric: str) -> list[Value]:
        """All that was read of a metric, of whomever, in order."""
        data = [fact for fact in self.facts if isinstance(fact, DataRead)]
        return [reading.value for fact in data for reading in fact.readings if reading.metric == metric]

    def births(self) -> int:
        """How often the node was born."""
        return sum(isinstance(fact, NodeOnline) for fact in self.facts)

    def findings(self) -> dict[str, str]:
        """What is wrong with the node, by name, and what was said of it first."""
        found: dict[str, str] = {}
        for fact in self.facts:
            if isinstance(fact, Finding):
                found.setdefault(fact.name, fact.text)
        return found

    @property
    def view(self) -> NodeView | None:
        """What is believed of the node."""
        return next((view for view in self.host.nodes() if view.node == NODE_ID), None)

    @property
    def bd_seq(self) -> int | None:
        return self.view.bd_seq if self.view else None

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        await until(holds, lambda: f"{self.view}\n{self.facts[-10:]}", LIMIT_S)

    async def until_phase(self, phase: str) -> None:
        """Wait until the node is believed to be that."""
        await self.until(lambda: self.view is not None and self.view.phase == phase)

    async def ask_rebirth(self) -> None:
        """Ask the node for its births."""
        await self._command(*rebirth_command(NODE_ID, self._clock.now_ms()))

    async def write(self, device: str | None, metric: str, datatype: Datatype, value: Value) -> None:
        """Write a metric of the node or of its device."""
        await self._command(*write_command(Origin(*NODE_ID, device), metric, datatype, value, self._clock.now_ms()))

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(), name="link")
            tasks.create_task(self._follow(), name="follow")

    async def _follow(self) -> None:
        while True:
            due_ms = self.host.next_due_ms
            wait_s = None if due_ms is None else max(0, due_ms - self._clock.now_ms()) / 1000
            try:
                event = await asyncio.wait_for(self._link.next_event(), wait_s)
            except TimeoutError:
                await self._carry_out(self.host.due(self._clock.now_ms()))
                continue
            match event:
                case LinkUp(at_ms=at_ms):
                    await self._carry_out(self.host.connected(at_ms, will_ms=self._presence.will_ms))
                case LinkDown(at_ms=at_ms):
                    await self._carry_out(self.host.disconnected(at_ms))
                case Message(topic=topic, payload=payload, retain=retain, received_ms=at_ms):
                    await self._carry_out(self.host.receive(topic, payload, retain=retain, now_ms=at_ms))

    async def _carry_out(self, outputs: tuple[Output, ...]) -> None:
        for output in outputs:
            self.facts.append(output)
            if isinstance(output, PublishState):
                topic, payload = self._presence.birth()
                await self._link.publish(Publication(topic=topic, payload=payload, qos=1, retain=True))
            if isinstance(output, RequestRebirth):
                await self._command(*rebirth_command(output.node, self._clock.now_ms()))

    async def _command(self, topic: str, payload: bytes) -> None:
        await self._link.publish(Publication(topic=topic, payload=payload, qos=0, retain=False))

    def _will(self) -> Publication:
        topic, payload = self._presence.will(self._clock.now_ms())
        return Publication(topic=topic, payload=payload, qos=1, retain=True)


@asynccontextmanager
async def host_on(broker: Mosquitto, *, strict_deaths: bool = True, certificates: bool = False) -> AsyncIterator[Host]:
    """A host that is online."""
    session = SessionSettings(strict_deaths=strict_deaths)
    settings = HostSettings(groups=(GROUP,), session=session, certificates=certificates)
    host = Host(broker, HostApplication(HOST, settings))
    running = asyncio.create_task(host.run(), name="host")
    try:
        await host.until(lambda: any(isinstance(fact, PublishState) for fact in host.facts))
        yield host
    finally:
        running.cancel()
        await asyncio.wait([running])
