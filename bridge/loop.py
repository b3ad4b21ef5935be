"""The loop around the core: gather inputs, step, commit once, then act.

Nothing is acknowledged, published, sent or logged before the commit that holds it is durable. When the store
does not take a commit, the loop repeats that same commit and reads nothing more: the links' queues fill and
stop reading; after `patience_ms` it says so (`stalled`), so that the host goes offline and nodes store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bridge.clock import Clock
from bridge.core.input import Acted, Claim, Input, Request, Started, Tick
from bridge.delivery import Delivery
from bridge.pipeline import Core, step, take_changes
from state.errors import StoreUnavailable
from state.record import Commit
from state.store import Lease, Store

LARGEST_BATCH: Final = 500
"""Inputs per commit at most, so that one commit stays small enough for the store."""

RETRY_S: Final = 0.5
"""Pause between two tries of the same commit."""


class Shell(Protocol):
    """What the loop asks of the outside, after each commit."""

    def act(self, request: Request) -> None:
        """Carry a request out, or hand it to what does. Must not block."""
        ...

    def stalled(self, reason: str) -> None:
        """The store has not taken a commit for a while."""
        ...

    def recovered(self) -> None:
        """The store takes commits again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """An input on its way to the core. `committed` is awaited when it is durable (a PUBACK, say)."""

    input: Input
    at_ms: int
    committed: Callable[[], Awaitable[None]] | None = None


@dataclass(slots=True, kw_only=True)
class _Batch:
    requests: list[Request] = field(default_factory=list)
    committed: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)


class Loop:
    """Owns the core. Only this task steps it."""

    def __init__(
        self,
        core: Core,
        store: Store,
        lease: Lease,
        *,
        number: int,
        clock: Clock,
        shell: Shell,
        deliveries: Sequence[Delivery],
        queue_size: int,
        patience_ms: int,
    ) -> None:
        self._core = core
        self._store = store
        self._lease = lease
        self._number = number
        self._clock = clock
        self._shell = shell
        self._deliveries = deliveries
        self._patience_ms = patience_ms
        self._queue: asyncio.Queue[Entering] = asyncio.Queue(queue_size)
        self._now_ms = 0
        self._finishing = asyncio.Event()

    async def enter(self, entering: Entering) -> None:
        """Queue an input. Waits while the queue is full."""
        await self._queue.put(entering)

    async def run(self) -> None:
        """Step until `finish`. Raises `Fenced` or `OutOfStep` when the site is no longer ours."""
        first: Sequence[Entering] = (Entering(input=Started(), at_ms=self._clock.now_ms()),)
        await self._turn(first)
        while not (self._finishing.is_set() and self._queue.empty()):
            await self._turn(await self._gather())

    def finish(self) -> None:
        """Let `run` return after what is queued now."""
        self._finishing.set()
        if self._queue.empty():
            self._queue.put_nowait(Entering(input=Tick(), at_ms=self._clock.now_ms()))

    async def _gather(self) -> list[Entering]:
        due_ms = self._core.next_due_ms(self._clock.now_ms())
        timeout = None if due_ms is None else max(0, due_ms - self._clock.now_ms()) / 1000
        try:
            batch = [await asyncio.wait_for(self._queue.get(), timeout)]
        except TimeoutError:
            return [Entering(input=Tick(), at_ms=self._clock.now_ms())]
        while len(batch) < LARGEST_BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _turn(self, entering: Sequence[Entering]) -> None:
        batch = _Batch()
        for one in entering:
            self._now_ms = max(self._now_ms, one.at_ms)
            batch.requests.extend(step(self._core, one.input, self._now_ms))
            if one.committed:
                batch.committed.append(one.committed)
            if isinstance(one.input, Acted):
                batch.acts.append(one.input.id)
        for delivery in self._deliveries:
            if delivery.idle:
                batch.requests.extend(step(self._core, Claim(delivery.destination, delivery.batch), self._now_ms))
        await self._commit(batch)
        for committed in batch.committed:
            await committed()
        for request in batch.requests:
            self._shell.act(request)

    async def _commit(self, batch: _Batch) -> None:
        changes = take_changes(self._core)
        if not changes and not batch.acts:
            return
        commit = Commit(number=self._number + 1, puts=changes, acts_done=tuple(batch.acts))
        began_ms, stalled = self._clock.now_ms(), False
        while True:
            try:
                await self._store.commit(self._lease, commit)
                break
            except StoreUnavailable as error:
                if not stalled and self._clock.now_ms() - began_ms >= self._patience_ms:
                    stalled = True
                    self._shell.stalled(str(error))
                await asyncio.sleep(RETRY_S)
        self._number = commit.number
        if stalled:
            self._shell.recovered()
