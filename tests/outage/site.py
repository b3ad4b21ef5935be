"""The bridge of a site through an outage of Odoo, in virtual time: its core, its commits counted, and an Odoo that is
away, then as fast as a real one was measured. What a turn is, `bridge.loop.Loop` says."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from bridge.core.input import Claim, Destination, Input, Notice, Outcomes, Send, Setback, Tick
from bridge.core.job import read_job
from bridge.core.site import Core, take_changes
from bridge.pipeline import step
from bridge.plant import Plant
from bridge.wiring import new_core
from odoo_adapter.errors import Unavailable
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import Applied, Receipt
from odoo_adapter.plan import PlanContext
from state.entry import Entry, EntryState
from state.record import RecordId, Table

HOUR_MS: Final = 3_600_000
SECOND_MS: Final = 1_000
BATCH: Final = 50
PUBLISHED_MS: Final = 5
AWAY_MS: Final = 40
"""How long it takes to find out that nobody answers."""

COMPLETED: Final = (1, 2, 2)
MOVED: Final = (4, 7, 7)
NOTED: Final = (8, 25, 38)
RATES: Final = {
    "production.complete": COMPLETED,
    "quality.hold": COMPLETED,
    "production.scrap": MOVED,
    "material.consume": MOVED,
    "production.progress": (7, 25, 32),
    "downtime.record": (12, 42, 53),
    "maintenance.request": NOTED,
    "quality.result": NOTED,
    "order.state": NOTED,
}
"""Postings a second of Odoo 19 where 1, 10 or 50 are in a call (docs/benchmark.md). Consumption was not measured and is
taken as scrap, which moves stock too; results of quality and lines on orders as maintenance requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What there is at one moment."""

    at_ms: int
    events: int
    open: int
    """Entries that are not done."""
    lanes: int
    stored: Mapping[Table, int]
    """Bytes in the store, by table."""
    rss: int
    cpu_s: float
    largest: int
    """Bytes of the largest commit since the last sample."""


class Shelf:
    """A store that keeps how large each record is and no more, so that the memory of this process is the bridge's.

    Done entries and traces are written once, so they are only added up.
    """

    def __init__(self) -> None:
        self._sizes: dict[RecordId, int] = {}
        self.bytes: Counter[Table] = Counter()
        self.commits = 0
        self.largest = 0

    def commit(self, puts: Mapping[RecordId, bytes | None]) -> None:
        if not puts:
            return
        self.commits += 1
        self.largest = max(self.largest, sum(len(value) for value in puts.values() if value is not None))
        for record, value in puts.items():
            size = len(value) + len(record.id) if value is not None else 0
            if record.table in (Table.DONE, Table.TRACE):
                self.bytes[record.table] += size
                continue
            self.bytes[record.table] += size - self._sizes.pop(record, 0)
            if size:
                self._sizes[record] = size


@dataclass(slots=True)
class Posted:
    """What stands in Odoo, and whether it came there in order."""

    numbers: dict[str, int] = field(default_factory=dict)
    by_action: Counter[str] = field(default_factory=Counter)
    done_ms: dict[int, int] = field(default_factory=dict)
    """When the last of each priority was posted that was accepted before the outage ended."""
    out_of_order: int = 0

    def note(self, entry: Entry, at_ms: int, ended_ms: int) -> None:
        self.by_action[entry.action] += 1
        if entry.number < self.numbers.get(entry.lane, 0):
            self.out_of_order += 1
        self.numbers[entry.lane] = entry.number
        if entry.created_ms <= ended_ms:
            self.done_ms[entry.priority] = at_ms


class Site:
    """One run of the bridge. `until_ms` is when Odoo is back."""

    def __init__(self, plant: Plant, until_ms: int) -> None:
        self.core: Core = new_core(plant)
        self.shelf = Shelf()
        self.odoo = MemoryOdoo(context=PlanContext(units={"pcs": "Units"}, over=Decimal("0.05")))
        self.posted = Posted()
        self.samples: list[Sample] = []
        self.events = 0
        self.notices: Counter[str] = Counter()
        self._until_ms = until_ms
        self._answers: dict[Destination, tuple[int, Input]] = {}
        self._sends: list[Send] = []

    @property
    def waiting(self) -> int:
        """How many entries wait for Odoo that a person need not look at, and were accepted while it was away."""
        waiting = (EntryState.PENDING, EntryState.CLAIMED)
        return sum(one.state in waiting and one.created_ms <= self._until_ms for one in self.core.outbox.entries())

    async def turn(self, second_ms: int, entering: Iterable[tuple[int, Input]]) -> None:
        """What came within one second, the answers that are there by then, and a commit; then what is to be sent."""
        for at_ms, entered in entering:
            self.events += 1
            self._step(entered, at_ms)
        now_ms = second_ms + SECOND_MS
        self._step(Tick(), now_ms)
        for destination in Destination:
            due_ms, answer = self._answers.get(destination, (0, None))
            if answer is not None and due_ms <= now_ms:
                del self._answers[destination]
                self._step(answer, now_ms)
            if destination not in self._answers and self.core.has_sendable(now_ms):
                self._step(Claim(destination, BATCH), now_ms)
        self.shelf.commit(take_changes(self.core))
        for send in self._sends:
            await self._carry(send, now_ms)
        self._sends.clear()

    def sample(self, now_ms: int) -> Sample:
        """Look at what there is now."""
        gc.collect()
        outbox = self.core.outbox
        sample = Sample(
            at_ms=now_ms,
            events=self.events,
            open=sum(outbox.depth().values()),
            lanes=len({one.lane for one in outbox.entries()}),
            stored=dict(self.shelf.bytes),
            rss=_rss(),
            cpu_s=time.process_time(),
            largest=self.shelf.largest,
        )
        self.shelf.largest = 0
        self.samples.append(sample)
        return sample

    def _step(self, entered: Input, now_ms: int) -> None:
        for request in step(self.core, entered, now_ms):
            match request:
                case Send():
                    self._sends.append(request)
                case Notice():
                    self.notices[request.name] += 1
                case _:
                    pass

    async def _carry(self, send: Send, now_ms: int) -> None:
        keys = tuple(one.key for one in send.entries)
        if send.destination is Destination.BROKER:
            published = Receipt(model="mqtt", id=0, details={})
            self._will_answer(
                send, now_ms + PUBLISHED_MS, Outcomes(tuple(Applied(key=key, receipt=published) for key in keys))
            )
            return
        self.odoo.down = now_ms < self._until_ms
        try:
            outcomes = await self.odoo.post([read_job(one, send.standings[one.lane]) for one in send.entries])
        except Unavailable as error:
            self._will_answer(send, now_ms + AWAY_MS, Setback(keys=keys, reason=str(error), uncertain=False))
            return
        done_ms = now_ms + took_ms(send.entries)
        for entry, outcome in zip(send.entries, outcomes, strict=True):
            if isinstance(outcome, Applied):
                self.posted.note(entry, done_ms, self._until_ms)
        self._will_answer(send, done_ms, Outcomes(tuple(outcomes)))

    def _will_answer(self, send: Send, at_ms: int, answer: Input) -> None:
        self._answers[send.destination] = (at_ms, answer)


def took_ms(entries: Sequence[Entry]) -> int:
    """How long Odoo takes for this call: the fewer are in it, the longer for each."""
    size = 0 if len(entries) < 10 else 1 if len(entries) < 50 else 2
    return round(sum(SECOND_MS / RATES[entry.action][size] for entry in entries))


def _rss() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
