"""The MQTT sessions of the bridge, each a link with what belongs to it.

`HostSession` is the Sparkplug host application on one server: clean session, STATE as will. `ReleaseSession` is our
own edge node, which shows the open orders. `DocumentSession` keeps a persistent session for the UNS documents, and
acknowledges a document when the commit that holds it is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, LinkDown, LinkUp, Message, Publication
from bridge.clock import Clock
from bridge.core.input import (
    Command,
    HostConnected,
    HostDisconnected,
    Input,
    SparkplugMessage,
    UnsDocument,
)
from bridge.legacy_state import LegacyState
from bridge.loop import Entering
from sparkplug.fact import ONLY_SERVER
from sparkplug.presence import HostPresence

Enter = Callable[[Entering], Awaitable[None]]
OUTGOING_LIMIT: Final = 10_000
"""Commands and STATE messages that may wait for the host's session."""

log = structlog.get_logger()


class HostSession:
    """Feeds the core with what the host receives on one server, and publishes what the core asks for.

    `presence` is also what makes the link's wills. `legacy`, where there is one, shows the same as this session.
    """

    def __init__(
        self,
        link: BrokerLink,
        presence: HostPresence,
        enter: Enter,
        clock: Clock,
        *,
        server: str = ONLY_SERVER,
        legacy: LegacyState | None = None,
    ) -> None:
        self._link = link
        self._legacy = legacy
        self._presence = presence
        self._server = server
        self._log = log.bind(server=server) if server else log
        self._enter = enter
        self._clock = clock
        self._outgoing: asyncio.Queue[Publication | Callable[[], Awaitable[None]]] = asyncio.Queue(OUTGOING_LIMIT)
        self._up = False
        self._leaving = False
        self._is_told = False
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def is_up(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._up

    def announce(self, will_ms: int) -> None:
        """Publish STATE as online, if this is still the session with the will of `will_ms`. Not while leaving, when our
        own offline STATE comes back to us and the core answers it."""
        if will_ms == self._presence.will_ms:
            topic, payload = self._presence.birth()
            self._queue(Publication(topic=topic, payload=payload, qos=1, retain=True))
            if self._legacy and self._up and not self._leaving:
                self._legacy.show(online=True)

    def reconnect(self, will_ms: int, after_ms: int = 0) -> None:
        """End this session, if it is still the one with the will of `will_ms`. Not while leaving. The link begins
        another, and whichever comes next has a will later than `after_ms`."""
        self._presence.outlive(after_ms)
        if will_ms == self._presence.will_ms:
            self._queue(self._link.drop)

    def command(self, command: Command) -> None:
        """Publish a command. It is dropped while the session is down: its cause will ask again."""
        self._queue(Publication(topic=command.topic, payload=command.payload, qos=0, retain=False))

    def leave_soon(self) -> None:
        """Leave; what is queued is not published any more."""
        self._leaving = True
        self._clear()
        self._outgoing.put_nowait(self.leave)

    async def leave(self) -> None:
        """Publish STATE as offline and end the session: nodes with this primary host begin to store.

        Cancelled before the broker acknowledged it, the session's will says it.
        """
        self._leaving = True
        self._clear()
        if self._legacy:
            self._legacy.show(online=False)
        topic, payload = self._presence.death(self._clock.now_ms())
        try:
            await self._link.publish(Publication(topic=topic, payload=payload, qos=1, retain=True))
        except LinkLost:
            return
        except asyncio.CancelledError:
            await self._link.drop(with_will=True)
            raise
        await self._link.drop()

    async def ended(self) -> None:
        """Return when the session is down and all that it received is in the core's queue."""
        await self._ended.wait()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            match await self._link.next_event():
                case Message() as message:
                    entered: Input = SparkplugMessage(
                        topic=message.topic, payload=message.payload, retain=message.retain, server=self._server
                    )
                    await self._enter(Entering(input=entered, at_ms=message.received_ms))
                case LinkUp() as link_up:
                    self._up, self._leaving, self._is_told = True, False, False
                    self._ended.clear()
                    self._log.info("host.connected")
                    connected = HostConnected(server=self._server, will_ms=self._presence.will_ms)
                    await self._enter(Entering(input=connected, at_ms=link_up.at_ms))
                case LinkDown() as link_down:
                    self._lost(link_down.reason)
                    await self._enter(Entering(input=HostDisconnected(server=self._server), at_ms=link_down.at_ms))
                    self._ended.set()

    async def send(self) -> None:
        """Publish what is queued, in order, until cancelled."""
        while True:
            outgoing = await self._outgoing.get()
            if not isinstance(outgoing, Publication):
                await outgoing()
                continue
            try:
                await self._link.publish(outgoing)
            except LinkLost as error:
                self._log.info("host.publication_lost", topic=outgoing.topic, reason=str(error))

    def _queue(self, outgoing: Publication | Callable[[], Awaitable[None]]) -> None:
        if not self._up or self._leaving:
            if isinstance(outgoing, Publication):
                self._log.info("host.publication_lost", topic=outgoing.topic, reason="the session is down")
            return
        try:
            self._outgoing.put_nowait(outgoing)
        except asyncio.QueueFull:
            self._log.warning("host.publication_lost", reason="too many wait for the session")

    def _lost(self, reason: str) -> None:
        if not self._is_told:
            self._log.warning("host.disconnected", reason=reason)
        self._up, self._is_told = False, True
        self._clear()
        if self._legacy:
            self._legacy.show(online=False)

    def _clear(self) -> None:
        while not self._outgoing.empty():
            self._outgoing.get_nowait()


class DocumentSession:
    """Feeds the core with UNS documents and acknowledges them after the commit.

    What begins with `own` is what we published ourselves, and the site's filter brings back: it is not even looked at.
    A broker that has forgotten the session may have forgotten what it retained too: `retained` is published again then,
    each asked for when it is its turn, and who publishes more is told (`forgotten`).
    """

    def __init__(
        self,
        link: BrokerLink,
        enter: Enter,
        *,
        own: str,
        retained: Callable[[], Iterable[Publication]] = tuple,
        forgotten: Callable[[], None] | None = None,
    ) -> None:
        self._link = link
        self._enter = enter
        self._own = own
        self._retained = retained
        self._forgotten = forgotten
        self._owes = False
        self._may_publish = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._is_told = False

    def pause(self) -> None:
        """Leave the documents at the broker. The session stays up, for publications."""
        self._may_read.clear()

    def resume(self) -> None:
        """Read again."""
        self._may_read.set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._may_read.wait()
            match await self._link.next_event():
                case Message() as message if message.topic.startswith(self._own):
                    if acknowledge := self._acknowledgement(message.token):
                        await acknowledge()
                case Message() as message:
                    await self._enter(
                        Entering(
                            input=UnsDocument(message.topic, message.payload),
                            at_ms=message.received_ms,
                            committed=self._acknowledgement(message.token),
                        )
                    )
                case LinkUp() as link_up:
                    self._is_told = False
                    if not link_up.session_present:
                        self._owes = True
                        if self._forgotten:
                            self._forgotten()
                    self._may_publish.set()
                    log.info("documents.connected", session_present=link_up.session_present)
                case LinkDown() as link_down:
                    if not self._is_told:
                        log.warning("documents.disconnected", reason=link_down.reason)
                    self._is_told = True

    async def send(self) -> None:
        """Publish again what the broker may have forgotten, until cancelled."""
        while True:
            await self._may_publish.wait()
            self._may_publish.clear()
            if self._owes:
                await self._publish_again()

    async def _publish_again(self) -> None:
        self._owes = False
        try:
            for publication in self._retained():
                await self._link.publish(publication)
        except LinkLost as error:
            log.info("documents.publication_lost", reason=str(error), effect="the next session publishes it")
            self._owes = True

    def _acknowledgement(self, token: int) -> Callable[[], Awaitable[None]] | None:
        if token == 0:
            return None
        return lambda: self._link.acknowledge(token)
