"""A Sparkplug host in a test: says STATE, asks for births, and keeps what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bridge.broker.link import BrokerLink, LinkSettings, Message, Publication, Subscription
from bridge.broker.memory import MemoryBroker, MemoryLink
from sparkplug.fact import DataRead, Finding, NodeOffline, NodeOnline
from sparkplug.host import HostApplication
from sparkplug.topic import state_topic
from sparkplug.wire.state import HostState, encode_state

HOST = "acme-bridge"


def settings(client_id: str) -> LinkSettings:
    """Quick to connect again."""
    return LinkSettings(host="", port=0, client_id=client_id, first_pause_s=0.01, longest_pause_s=0.02)


def say_state(broker: MemoryBroker, *, online: bool, at_ms: int) -> None:
    """The host says that it is there, or its will says that it is not."""
    payload = encode_state(HostState(online, at_ms))
    broker.publish(Publication(topic=state_topic(HOST), payload=payload, qos=1, retain=True))


class Listener:
    """What a host takes from the messages of the edge nodes. `run` it beside them, and its link, which on a broker in
    memory is made for it."""

    def __init__(self, heard: MemoryBroker | BrokerLink) -> None:
        subscriptions = [Subscription(filter="spBv1.0/#", qos=1), Subscription(filter="uns/#", qos=1)]
        self.link: BrokerLink = (
            MemoryLink(heard, settings("listener"), subscriptions) if isinstance(heard, MemoryBroker) else heard
        )
        self.host = HostApplication(HOST)
        self.facts: list[object] = []
        self.host.connected(0, will_ms=0)

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            event = await self.link.next_event()
            if isinstance(event, Message):
                if event.topic.startswith("spBv1.0/") and "/STATE/" not in event.topic:
                    self.facts += self.host.receive(
                        event.topic, event.payload, retain=event.retain, now_ms=event.received_ms
                    )
                await self.link.acknowledge(event.token)

    def values(self, metric: str, *, birth: bool | None = None, device: str | None = None) -> list[tuple[object, bool]]:
        """(value, historical) of every reading of a metric, in order."""
        return [
            (reading.value, reading.historical)
            for fact in self.facts
            if isinstance(fact, DataRead) and birth in (None, fact.birth) and device in (None, fact.origin.device)
            for reading in fact.readings
            if reading.metric == metric
        ]

    @property
    def turns(self) -> list[str]:
        """When nodes came and went."""
        return [
            "online" if isinstance(fact, NodeOnline) else "offline"
            for fact in self.facts
            if isinstance(fact, NodeOnline | NodeOffline)
        ]

    @property
    def findings(self) -> list[Finding]:
        return [fact for fact in self.facts if isinstance(fact, Finding)]


async def until(holds: Callable[[], bool]) -> None:
    """Let the others work until something holds; fails after some seconds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(*components: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run components beside a test; what is still running at its end is cancelled."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(component) for component in components]
        try:
            yield started
        finally:
            for task in started:
                task.cancel()
