"""Recording without a bridge: listens on a plant's brokers as the host would, and publishes nothing.

The file begins as a bridge does that remembers nothing, so rules can be tried on it. What such a bridge would have
asked for is not in it: a node is understood from the first birth on that it gives by itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from bridge.broker.link import BrokerLink, LinkDown, LinkUp, Message, Subscription
from bridge.broker.reconnect import always, no_will
from bridge.clock import Clock
from bridge.core.input import HostConnected, HostDisconnected, Input, SparkplugMessage, Started, UnsDocument
from bridge.core.topic import UNS_PREFIX, master_prefix
from bridge.plant import Plant
from bridge.recording.recorder import FileRecorder
from bridge.wiring import LinkFactory, document_subscription, link_settings, new_core, servers


class PassiveHost:
    """One session to each server of a plant. `heard` counts the messages, `reached` is set by the first session."""

    def __init__(self, plant: Plant, link: LinkFactory, recorder: FileRecorder, clock: Clock) -> None:
        self.heard = 0
        self.reached = asyncio.Event()
        self.reason = "no answer"
        self._recorder = recorder
        self._clock = clock
        self._own = master_prefix(plant.assets.path)
        self._last_ms = 0
        self._links = dict(_links(plant, link))

    async def run(self) -> None:
        """Listen until cancelled."""
        self._take(Started(), self._clock.now_ms())
        async with asyncio.TaskGroup() as tasks:
            for server, link in self._links.items():
                tasks.create_task(link.run(), name=f"link {server}")
                tasks.create_task(self._listen(server, link), name=f"listen {server}")

    async def _listen(self, server: str, link: BrokerLink) -> None:
        while True:
            match await link.next_event():
                case LinkUp(at_ms=at_ms):
                    self.reached.set()
                    self._take(HostConnected(server=server), at_ms)
                case LinkDown(at_ms=at_ms, reason=reason):
                    self.reason = reason
                    self._take(HostDisconnected(server=server), at_ms)
                case Message() as message:
                    if not message.topic.startswith(self._own):
                        self._take(_entered(server, message), message.received_ms)
                        self.heard += 1
                    if message.token:
                        await link.acknowledge(message.token)

    def _take(self, entered: Input, at_ms: int) -> None:
        self._last_ms = max(self._last_ms, at_ms)  # as in the core, time never goes back
        self._recorder.take(0, [(self._last_ms, entered)], {})


def _entered(server: str, message: Message) -> Input:
    if message.topic.startswith(UNS_PREFIX):
        return UnsDocument(message.topic, message.payload)
    return SparkplugMessage(topic=message.topic, payload=message.payload, retain=message.retain, server=server)


def _links(plant: Plant, link: LinkFactory) -> Iterator[tuple[str, BrokerLink]]:
    """The documents come from the first server."""
    wanted = [Subscription(filter=filter, qos=0) for filter in new_core(plant).host.subscriptions]
    documents = [document_subscription(plant)]
    for server, broker in servers(plant).items():
        settings = link_settings(plant, f"record-{os.getpid()}-{broker.port}", broker, clean=True)
        yield server, link(settings, [*wanted, *documents], no_will, always)
        documents = []
