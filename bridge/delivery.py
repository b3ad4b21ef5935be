"""Delivery: two workers that carry claimed entries out and bring their outcomes back to the core.

A worker holds one batch at a time and asks for no more before the outcome of that one is in the core's queue.
What it was carrying when the process died is found as claimed at the next start and sent again first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, Publication
from bridge.core.input import Destination, Input, Outcomes, Send, Setback
from bridge.core.posting import Publishing
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.odoo import Applied, Declined, Odoo, OdooInfo, Outcome, Passed, Receipt
from ruleset.transaction import Transaction, decode
from state.entry import Entry

Enter = Callable[[Input], Awaitable[None]]
"""Puts an input into the core's queue."""

RECHECK_MS: Final = 15_000
"""How long to wait before asking again a server that lacks something an administrator must mend."""


class Delivery(Protocol):
    """A worker for one destination."""

    batch: int

    @property
    def destination(self) -> Destination:
        """What it delivers to."""
        ...

    @property
    def idle(self) -> bool:
        """Whether it may be given work."""
        ...

    def send(self, send: Send) -> None:
        """Give it work. Only while idle."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...


class _Slot:
    """Room for one batch: filled by the core's loop, emptied by the worker when its outcome is known."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Send] = asyncio.Queue(maxsize=1)
        self.idle = True

    def fill(self, send: Send) -> None:
        self.idle = False
        self._queue.put_nowait(send)

    async def take(self) -> Send:
        return await self._queue.get()


class OdooDelivery:
    """Posts to Odoo. Asks the server what it is before the first batch, and again after it was away."""

    def __init__(self, odoo: Odoo, enter: Enter, *, batch: int, checked: Callable[[OdooInfo], None]) -> None:
        self._odoo = odoo
        self._enter = enter
        self._checked = checked
        self._slot = _Slot()
        self._known = False
        self.batch = batch

    @property
    def destination(self) -> Destination:
        return Destination.ODOO

    @property
    def idle(self) -> bool:
        return self._slot.idle

    def send(self, send: Send) -> None:
        self._slot.fill(send)

    async def run(self) -> None:
        while True:
            send = await self._slot.take()
            outcome = await self._deliver(send.entries)
            self._slot.idle = True
            await self._enter(outcome)

    async def _deliver(self, entries: Sequence[Entry]) -> Input:
        keys = tuple(entry.key for entry in entries)
        try:
            await self._check_once()
        except Refused as error:
            return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=RECHECK_MS)
        except (Unavailable, Uncertain) as error:
            return Setback(keys=keys, reason=str(error), uncertain=False)
        return await self._post(entries)

    async def _post(self, entries: Sequence[Entry]) -> Input:
        keys = tuple(entry.key for entry in entries)
        readable, unreadable = _read(entries)
        try:
            posted = await self._odoo.post(readable) if readable else ()
        except Unavailable as error:
            self._known = False
            return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=error.retry_after_ms)
        except Uncertain as error:
            return Setback(keys=keys, reason=str(error), uncertain=True)
        except Refused as error:
            self._known = False
            return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=RECHECK_MS)
        return Outcomes((*posted, *unreadable))

    async def _check_once(self) -> None:
        if not self._known:
            self._checked(await self._odoo.check())
            self._known = True


class BrokerDelivery:
    """Publishes retained documents at QoS 1; an entry is delivered when the broker has acknowledged it."""

    def __init__(self, link: BrokerLink, enter: Enter, *, batch: int = 50) -> None:
        self._link = link
        self._enter = enter
        self._slot = _Slot()
        self.batch = batch

    @property
    def destination(self) -> Destination:
        return Destination.BROKER

    @property
    def idle(self) -> bool:
        return self._slot.idle

    def send(self, send: Send) -> None:
        self._slot.fill(send)

    async def run(self) -> None:
        while True:
            send = await self._slot.take()
            done: list[Outcome] = []
            setback: Setback | None = None
            for entry in send.entries:
                try:
                    done.append(await self._publish(entry))
                except LinkLost as error:
                    left = tuple(entry.key for entry in send.entries[len(done) :])
                    setback = Setback(keys=left, reason=str(error), uncertain=True)
                    break
            self._slot.idle = True
            if done:
                await self._enter(Outcomes(tuple(done)))
            if setback:
                await self._enter(setback)

    async def _publish(self, entry: Entry) -> Outcome:
        try:
            publishing = msgspec.json.decode(entry.body, type=Publishing)
        except msgspec.MsgspecError as error:
            return Declined(key=entry.key, code="unreadable", reason=f"the stored publication cannot be read: {error}")
        payload = msgspec.json.encode(publishing.document)
        await self._link.publish(Publication(topic=publishing.topic, payload=payload, qos=1, retain=True))
        return Applied(
            key=entry.key, receipt=Receipt(model="mqtt", id=0, details={"topic": publishing.topic}, repeated=False)
        )


def _read(entries: Sequence[Entry]) -> tuple[list[Transaction], list[Outcome]]:
    """Decode the bodies. One that cannot be read is declined, and the rest of its lane waits."""
    readable: list[Transaction] = []
    outcomes: list[Outcome] = []
    stopped: set[str] = set()
    for entry in entries:
        if entry.lane in stopped:
            outcomes.append(Passed(key=entry.key))
            continue
        try:
            readable.append(decode(entry.body))
        except msgspec.MsgspecError as error:
            stopped.add(entry.lane)
            reason = f"the stored transaction cannot be read: {error}"
            outcomes.append(Declined(key=entry.key, code="unreadable", reason=reason))
    return readable, outcomes
