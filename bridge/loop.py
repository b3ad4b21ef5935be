"""The loop around the core: gather inputs, step, commit once, then act.

Nothing is acknowledged, published, sent or logged before the commit that holds it is durable. When the store
does not take a commit, the loop repeats that same commit and reads nothing more: the links' queues fill and
stop reading; after `patience_ms` it says so (`stalled`), so that the host goes offline and nodes store. It says
the same when the outbox is full, and reads on, because only outcomes make room. What was in the way must have been
gone for a while before it says `recovered`: else a store that takes every second commit would send nodes to and fro.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from bridge.clock import Clock, CoreTime, Pulse
from bridge.core.input import Claim, Input, Request, Send, Started, StoodStill, Tick
from bridge.core.site import RUNS, Core, take_changes
from bridge.delivery import Delivery
from bridge.lifecycle.content import version_of
from bridge.pipeline import step
from bridge.plant import Content
from state.audit import AuditLog, Head, encode_head
from state.errors import StoreUnavailable
from state.record import Commit, RecordId, Table
from state.store import Lease

LARGEST_BATCH: Final = 500
"""Inputs per commit at most, so that one commit stays small enough for the store."""

AUDIT_HEAD: Final = RecordId(Table.META, "audit")
"""The record of how far the audit log had come at the last commit."""

RETRY_S: Final = 0.5
"""Pause between two tries of the same commit."""


LOW_WATER: Final = 0.8
"""A full outbox has room again when it is down to this share of its limit."""

CALM_MS: Final = 5_000
"""How long nothing may be in the way until more can be taken from the plant: so long a host is offline at least. Nodes
need a few seconds to store, and to send what they stored."""


class Stall(StrEnum):
    """Why no more can be taken from the plant."""

    STORE = "the store takes no commits"
    OUTBOX = "the outbox is full"


class Pressure:
    """What keeps the bridge from taking more, and until when. Pure; times are those that nobody sets."""

    def __init__(self) -> None:
        self._last_ms: dict[Stall, int] = {}

    def is_on(self, stall: Stall) -> bool:
        """Whether this stall has begun and is not over."""
        return stall in self._last_ms

    def rises(self, stall: Stall, now_ms: int) -> bool:
        """Something is in the way now. Whether the stall begins with that."""
        begins = stall not in self._last_ms
        self._last_ms[stall] = now_ms
        return begins

    def over(self, now_ms: int) -> tuple[Stall, ...]:
        """The stalls that are over now, to be said once."""
        over = tuple(stall for stall, last_ms in self._last_ms.items() if now_ms - last_ms >= CALM_MS)
        for stall in over:
            del self._last_ms[stall]
        return over

    @property
    def next_due_ms(self) -> int | None:
        """When to ask next whether one is over."""
        return min((last_ms + CALM_MS for last_ms in self._last_ms.values()), default=None)


class Shell(Protocol):
    """What the loop asks of the outside, after each commit."""

    def act(self, request: Request) -> None:
        """Carry a request out, or hand it to what does. Must not block."""
        ...

    def stalled(self, stall: Stall, reason: str) -> None:
        """No more can be taken from the plant."""
        ...

    def recovered(self, stall: Stall) -> None:
        """This stall is over."""
        ...


class Committing(Protocol):
    """The part of a `state.store.Store` that takes commits."""

    async def commit(self, lease: Lease, commit: Commit) -> None: ...


class Recorder(Protocol):
    """What keeps the inputs, beside the loop."""

    def take(self, number: int, inputs: Sequence[tuple[int, Input]], changes: Mapping[RecordId, bytes | None]) -> None:
        """Keep the inputs of a turn with their times, and what their commit changed; the last commit is this number.
        Must not block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """An input on its way to the core. `committed` is awaited when it is durable (a PUBACK, say).

    `act` names the act in the store that this input does, or makes superfluous: its commit ticks it off.
    """

    input: Input
    at_ms: int
    act: str | None = None
    committed: Callable[[], Awaitable[None]] | None = None


@dataclass(slots=True, kw_only=True)
class _Batch:
    inputs: list[tuple[int, Input]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    committed: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)


class Loop:
    """Owns the core. Only this task steps it."""

    def __init__(
        self,
        core: Core,
        store: Committing,
        lease: Lease,
        *,
        number: int,
        clock: Clock,
        shell: Shell,
        deliveries: Sequence[Delivery],
        queue_size: int,
        patience_ms: int,
        outbox_limit: int,
        recorder: Recorder | None = None,
        audit: AuditLog | None = None,
        pulse: Pulse | None = None,
        time: CoreTime | None = None,
    ) -> None:
        self._core = core
        self._store = store
        self._lease = lease
        self._number = number
        self._clock = clock
        self._shell = shell
        self._deliveries = deliveries
        self._patience_ms = patience_ms
        self._outbox_limit = outbox_limit
        self._recorder = recorder
        self._audit = audit
        self._pulse = pulse or Pulse()
        self._kept_head: Head | None = None
        self._kept_content: Content | None = None
        self._pressure = Pressure()
        self._queue: asyncio.Queue[Entering] = asyncio.Queue(queue_size)
        self._time = time or CoreTime()
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
        batch: list[Entering] = []
        if self._queue.empty():
            now_ms = self._clock.now_ms()
            due_ms = self._core.next_due_ms(self._time.now_ms)  # not the clock's: what fell due since is due, too
            waits = [] if due_ms is None else [self._time.wait_ms(due_ms, now_ms)]
            if (calm_ms := self._pressure.next_due_ms) is not None:
                waits.append(max(0, calm_ms - self._passed_ms()))
            timeout = min(waits) / 1000 if waits else None
            try:
                async with asyncio.timeout(timeout):  # `wait_for` of 3.11 swallows a cancellation that meets an input
                    batch.append(await self._queue.get())
            except TimeoutError:
                return [Entering(input=Tick(), at_ms=self._clock.now_ms())]
        while len(batch) < LARGEST_BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _turn(self, entering: Sequence[Entering]) -> None:
        batch = _Batch()
        self._time.begin_turn()
        if self._pulse.stood_still():  # before all that was read since
            self._time.stood_still(self._clock.now_ms())
            self._step(StoodStill(), batch)
        for one in entering:
            self._time.pass_to(one.at_ms)
            self._step(one.input, batch)
            if one.committed:
                batch.committed.append(one.committed)
            if one.act is not None:
                batch.acts.append(one.act)
        claimed_s = self._time.passed_s()
        for delivery in self._deliveries:
            if delivery.idle and self._core.has_sendable(self._time.now_ms) and not self._finishing.is_set():
                self._step(Claim(delivery.destination, delivery.batch), batch)
        changes = take_changes(self._core)
        await self._commit({**changes, **self._audit_head(), **self._runs()}, batch.acts)
        if self._recorder is not None:
            self._recorder.take(self._number, batch.inputs, changes)
        for committed in batch.committed:
            await committed()
        stored_in_s = self._time.passed_s() - claimed_s
        for request in batch.requests:
            self._shell.act(replace(request, stored_in_s=stored_in_s) if isinstance(request, Send) else request)
        self._watch_outbox()
        for stall in self._pressure.over(self._passed_ms()):
            self._shell.recovered(stall)

    def _step(self, entered: Input, batch: _Batch) -> None:
        batch.inputs.append((self._time.now_ms, entered))
        batch.requests.extend(step(self._core, entered, self._time.now_ms))

    def _audit_head(self) -> dict[RecordId, bytes]:
        """How far the audit log has come, where that changed: whoever bends the log does not reach the store's copy."""
        head = self._audit.head if self._audit is not None else None
        if head is None or head == self._kept_head or not head.number:
            return {}
        self._kept_head = head
        return {AUDIT_HEAD: encode_head(head)}

    def _runs(self) -> dict[RecordId, bytes]:
        """By what is decided, where that changed: a dry run outside decides by the same."""
        if self._core.content is self._kept_content:
            return {}
        self._kept_content = self._core.content
        return {RUNS: version_of(self._core.content.texts).encode()}

    def _watch_outbox(self) -> None:
        waiting = sum(self._core.outbox.depth().values())
        if waiting >= self._outbox_limit:
            self._stalls(Stall.OUTBOX, f"{waiting} entries are not done, the limit is {self._outbox_limit}")
        elif self._pressure.is_on(Stall.OUTBOX) and waiting > self._outbox_limit * LOW_WATER:
            self._pressure.rises(Stall.OUTBOX, self._passed_ms())

    def _passed_ms(self) -> int:
        return int(self._time.passed_s() * 1000)

    def _stalls(self, stall: Stall, reason: str) -> None:
        if self._pressure.rises(stall, self._passed_ms()):
            self._shell.stalled(stall, reason)

    async def _commit(self, changes: Mapping[RecordId, bytes | None], acts: Sequence[str]) -> None:
        if not changes and not acts:
            return
        commit = Commit(number=self._number + 1, puts=changes, acts_done=tuple(acts))
        began_s = self._time.passed_s()  # not the clock's: one that is set back would prolong the patience
        while True:
            try:
                await self._store.commit(self._lease, commit)
                break
            except StoreUnavailable as error:
                is_patient = (self._time.passed_s() - began_s) * 1000 < self._patience_ms
                if self._pressure.is_on(Stall.STORE) or not is_patient:
                    self._stalls(Stall.STORE, str(error))
                await asyncio.sleep(RETRY_S)
        self._number = commit.number
