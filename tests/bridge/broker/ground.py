"""The grounds that the suite of links is played on: the broker in memory, and mosquitto behind a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bridge.broker.link import (
    BrokerLink,
    LinkDown,
    LinkEvent,
    LinkSettings,
    LinkUp,
    MayConnect,
    Message,
    Publication,
    Subscription,
    WillSource,
)
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.broker.paho import PahoLink
from bridge.broker.reconnect import always, no_will
from tests.bridge.broker.proxy import Proxy
from tests.servers import Mosquitto

WITHIN_S = 10.0
"""How long a test waits for what must come."""

BASE = LinkSettings(
    host="127.0.0.1", port=0, client_id="", timeout_s=5.0, first_pause_s=0.02, longest_pause_s=0.1, keepalive_s=10
)


class Ground(Protocol):
    """A broker, and a line to it that can be cut. `steady_link` goes round the line."""

    version: int

    def link(
        self,
        settings: LinkSettings,
        subscriptions: Sequence[Subscription] = (),
        will: WillSource = no_will,
        may_connect: MayConnect = always,
    ) -> BrokerLink: ...

    def steady_link(self, settings: LinkSettings, subscriptions: Sequence[Subscription] = ()) -> BrokerLink: ...

    def cut(self, client_id: str) -> None: ...

    def line_down(self) -> None: ...

    def line_up(self) -> None: ...


class MemoryGround:
    """`MemoryLink`. A line that is down is a stopped broker here."""

    version = BASE.version

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def link(
        self,
        settings: LinkSettings,
        subscriptions: Sequence[Subscription] = (),
        will: WillSource = no_will,
        may_connect: MayConnect = always,
    ) -> BrokerLink:
        return MemoryLink(self.broker, settings, subscriptions, will, may_connect)

    def steady_link(self, settings: LinkSettings, subscriptions: Sequence[Subscription] = ()) -> BrokerLink:
        return MemoryLink(self.broker, settings, subscriptions)

    def cut(self, client_id: str) -> None:
        self.broker.cut(client_id)

    def line_down(self) -> None:
        self.broker.stop()

    def line_up(self) -> None:
        self.broker.start()


class MosquittoGround:
    """`PahoLink` to a mosquitto, by way of a proxy."""

    def __init__(self, server: Mosquitto, proxy: Proxy, folder: Path, version: int) -> None:
        self._proxy = proxy
        self._direct = server.port
        self.version = version
        self._common = {
            "version": version,
            "user": server.user,
            "password": lambda: server.password,
            "ca_file": None if server.ca_file is None else str(server.ca_file),
        }

    def link(
        self,
        settings: LinkSettings,
        subscriptions: Sequence[Subscription] = (),
        will: WillSource = no_will,
        may_connect: MayConnect = always,
    ) -> BrokerLink:
        return PahoLink(self._with_address(settings, self._proxy.port), subscriptions, will, may_connect)

    def steady_link(self, settings: LinkSettings, subscriptions: Sequence[Subscription] = ()) -> BrokerLink:
        return PahoLink(self._with_address(settings, self._direct), subscriptions)

    def cut(self, client_id: str) -> None:
        self._proxy.cut()

    def line_down(self) -> None:
        self._proxy.is_down = True
        self._proxy.cut()

    def line_up(self) -> None:
        self._proxy.is_down = False

    def _with_address(self, settings: LinkSettings, port: int) -> LinkSettings:
        return replace(settings, port=port, **self._common)  # type: ignore[arg-type]


@asynccontextmanager
async def running(*links: BrokerLink) -> AsyncIterator[None]:
    """Run links; at the end they are cancelled and have stopped."""
    tasks = [asyncio.create_task(link.run(), name="link") for link in links]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def event(link: BrokerLink) -> LinkEvent:
    """The next event, within the time of a test."""
    async with asyncio.timeout(WITHIN_S):
        return await link.next_event()


async def up(link: BrokerLink) -> LinkUp:
    """The next `LinkUp`; what comes before it is let go."""
    async with asyncio.timeout(WITHIN_S):
        while not isinstance(found := await link.next_event(), LinkUp):
            pass
    return found


async def down(link: BrokerLink) -> LinkDown:
    """The next `LinkDown`; what comes before it is let go."""
    async with asyncio.timeout(WITHIN_S):
        while not isinstance(found := await link.next_event(), LinkDown):
            pass
    return found


async def message(link: BrokerLink) -> Message:
    """The next message; what comes before it is let go."""
    async with asyncio.timeout(WITHIN_S):
        while not isinstance(found := await link.next_event(), Message):
            pass
    return found


async def messages(link: BrokerLink, number: int) -> list[Message]:
    """The next messages, each acknowledged."""
    found = []
    for _ in range(number):
        found.append(one := await message(link))
        await link.acknowledge(one.token)
    return found


async def put(link: BrokerLink, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
    """Publish, within the time of a test."""
    async with asyncio.timeout(WITHIN_S):
        await link.publish(Publication(topic=topic, payload=payload, qos=qos, retain=retain))


@dataclass(frozen=True, slots=True)
class Room:
    """A ground with topics and client ids of a test's own."""

    ground: Ground
    name: str

    def topic(self, rest: str) -> str:
        return f"{self.name}/{rest}"

    def settings(self, client: str) -> LinkSettings:
        return replace(BASE, client_id=f"{self.name}-{client}")

    def kept(self, client: str) -> LinkSettings:
        """Settings with a session that the broker keeps."""
        return replace(self.settings(client), clean=False, expiry_s=600)

    def subscription(self, rest: str = "#", qos: int = 1) -> Subscription:
        return Subscription(filter=self.topic(rest), qos=qos)

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[BrokerLink]:
        """A link that is up, by a line that is never cut."""
        link = self.ground.steady_link(self.settings("publisher"))
        async with running(link):
            await up(link)
            yield link

    @asynccontextmanager
    async def watcher(self, rest: str) -> AsyncIterator[BrokerLink]:
        """A link that is up and hears a topic, by a line that is never cut."""
        link = self.ground.steady_link(self.settings("watcher"), [self.subscription(rest)])
        async with running(link):
            await up(link)
            yield link
