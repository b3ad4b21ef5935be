"""`Reconnecting`: keeps one session after the other up. The part of a link that is the same for every transport.

A transport is a function that makes a `Session`; `paho` and `memory` each have one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import NewType, Protocol

from bridge.broker.errors import LinkLost
from bridge.broker.event_queue import EventQueue
from bridge.broker.link import LinkDown, LinkEvent, LinkSettings, LinkUp, MayConnect, Message, Publication

PacketId = NewType("PacketId", int)
PACKET_ID_BITS = 16


class Received(Protocol):
    """What a session calls for each message that arrives; `packet_id` is 0 at QoS 0."""

    def __call__(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, duplicate: bool, packet_id: PacketId
    ) -> None: ...


class Session(Protocol):
    """One connection, from CONNECT to its end."""

    async def open(self) -> tuple[bool, int]:
        """Connect and subscribe; whether the broker knew the session, and its publish window. Raises `LinkLost`."""
        ...

    async def ended(self) -> str:
        """Wait for the end of the session; the reason, for people."""
        ...

    async def publish(self, publication: Publication) -> None: ...

    def acknowledge(self, packet_id: PacketId) -> None: ...

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...

    async def close(self, *, with_will: bool = False) -> None:
        """Disconnect cleanly, within the time limit, or at once `with_will`; nothing if it has ended already."""
        ...


def wall_clock_ms() -> int:
    """UTC milliseconds now."""
    return time.time_ns() // 1_000_000


def pause_s(failures: int, settings: LinkSettings, chance: float) -> float:
    """How long to wait after `failures` sessions in a row that did not last (1 or more).

    `chance` (0 to 1) spreads it over its upper half, so that the clients of a restarted broker come one by one.
    """
    doubled = settings.first_pause_s * 2.0 ** min(failures - 1, 30)
    return min(doubled, settings.longest_pause_s) * (0.5 + chance / 2)


def failures_after(lasted_s: float, failures: int, settings: LinkSettings) -> int:
    """Sessions in a row that did not last, this one included, which was up for `lasted_s` (0: never)."""
    return 1 if lasted_s >= settings.steady_s else failures + 1


async def always() -> bool:
    """A link that may connect at any time."""
    return True


def no_will() -> None:
    """A session that leaves no will."""


class Reconnecting:
    """A `BrokerLink` over sessions that `new_session` makes."""

    def __init__(
        self,
        settings: LinkSettings,
        new_session: Callable[[Received], Session],
        may_connect: MayConnect,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._new_session = new_session
        self._may_connect = may_connect
        self._now_ms = now_ms
        self._events = EventQueue(settings.queue_size)
        self._events.on_space = self._resume
        self._number = 0
        self._session: Session | None = None
        self._is_up = False
        self._dropped = False
        self._early: list[Message] = []

    async def run(self) -> None:
        """Keep a session up until cancelled."""
        failures = 0
        while True:
            await self._events.space()
            if not await self._may_connect():
                await asyncio.sleep(pause_s(1, self._settings, random.random()))
                continue
            reason, lasted_s = await self._one_session()
            self._events.put(LinkDown(reason=reason, at_ms=self._now_ms()))
            if self._dropped:
                failures = 0
                continue
            failures = failures_after(lasted_s, failures, self._settings)
            await asyncio.sleep(pause_s(failures, self._settings, random.random()))

    async def next_event(self) -> LinkEvent:
        return await self._events.take()

    async def publish(self, publication: Publication) -> None:
        if self._session is None or not self._is_up:
            raise LinkLost("not connected")
        await self._session.publish(publication)

    async def acknowledge(self, token: int) -> None:
        number, packet_id = divmod(token, 1 << PACKET_ID_BITS)
        if self._session is not None and number == self._number and packet_id:
            self._session.acknowledge(PacketId(packet_id))

    async def drop(self, *, with_will: bool = False) -> None:
        if self._session is not None:
            self._dropped = True
            await self._session.close(with_will=with_will)

    async def _one_session(self) -> tuple[str, float]:
        """Run one session to its end: why it ended, and how long it was up. `_dropped` is whether `drop` ended it."""
        self._number += 1
        self._dropped = False
        self._session = session = self._new_session(self._receive)
        lasted_s = 0.0
        try:
            session_present, window = await session.open()
            self._up(session_present, window)
            time_s = asyncio.get_running_loop().time
            began_s = time_s()
            reason = await session.ended()
            lasted_s = time_s() - began_s
        except LinkLost as error:
            reason = str(error)
        finally:
            self._is_up = False
            self._early.clear()
            await session.close()
            self._session = None
        return "dropped" if self._dropped else reason, lasted_s

    def _up(self, session_present: bool, window: int) -> None:
        self._is_up = True
        self._events.put(LinkUp(session_present=session_present, at_ms=self._now_ms(), publish_window=window))
        for message in self._early:
            self._put(message)
        self._early.clear()

    def _receive(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, duplicate: bool, packet_id: PacketId
    ) -> None:
        message = Message(
            topic=topic,
            payload=payload,
            qos=qos,
            retain=retain,
            duplicate=duplicate,
            token=(self._number << PACKET_ID_BITS | packet_id) if packet_id else 0,
            received_ms=self._now_ms(),
        )
        if self._is_up:
            self._put(message)
        else:
            # Between CONNACK and SUBACK a kept session delivers already. The SUBACK comes behind that, so there is no
            # pausing here: what comes is bounded by the time limit of `open`, and by the window where it is QoS 1.
            self._early.append(message)

    def _put(self, message: Message) -> None:
        self._events.put(message)
        if self._events.is_full and self._session is not None:
            self._session.pause()

    def _resume(self) -> None:
        if self._session is not None:
            self._session.resume()
