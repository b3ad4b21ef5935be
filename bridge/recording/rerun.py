"""A recording run again, in memory: its inputs through the core, as they were received, and what the core decides.

`rerun` with the outcomes as recorded repeats what the bridge did, to the byte, where plant folder and bridge are the
same. With other rules there are other entries: then what the recording says of deliveries, and of versions of the rules
that were promoted or ran in shadow, is left out. Whatever the core wants to send is delivered at once, and time passes
for timers between the inputs as they ask for it. Either way the same files give the same result again.

A core begins with the state that the first file has, and again wherever something is missing. Where a file begins in
the midst of a run, its core begins as a bridge does that was just started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bridge.core.input import (
    Claim,
    Destination,
    Input,
    Outcomes,
    Promoted,
    Request,
    Send,
    Setback,
    Shadowed,
    Started,
    Tick,
)
from bridge.core.site import restore, take_changes
from bridge.pipeline import step
from bridge.plant import Plant
from bridge.recording.errors import Differs
from bridge.recording.reader import Began, Read, Recorded
from bridge.recording.span import Lost, apply
from bridge.wiring import new_core
from odoo_adapter.odoo import Applied, Receipt
from state.entry import Entry, decode
from state.errors import RecordUnreadable
from state.record import RecordId, Table

AT_ONCE: Final = 1_000
"""Entries that one claim may give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """One step: its input, what the core asked for, and the records that changed (None: gone)."""

    received_ms: int
    input: Input
    requests: tuple[Request, ...]
    changes: Mapping[RecordId, bytes | None]


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry as it came into the outbox, or came again with other content (`replaced`)."""

    at_ms: int
    entry: Entry
    replaced: bool = False


Reran: TypeAlias = Began | Lost | Stepped


def rerun(plant: Plant, recording: Iterable[Read], *, as_recorded: bool) -> Iterator[Reran]:
    """Step a core of this plant over a recording. Files and gaps are passed on, each before what follows it.

    Raises `Differs` where outcomes as recorded do not fit what this core sent.
    """
    run = _Run(plant, as_recorded=as_recorded)
    for each in recording:
        match each:
            case Began():
                yield each
                yield from run.begin(each)
            case Lost():
                yield each
            case Recorded():
                yield from run.take(each)


def postings(reran: Iterable[Reran]) -> Iterator[Posting]:
    """Every entry once, and again with other content. What stood in the outbox where the recording begins is none."""
    known: dict[str, str] = {}
    for each in reran:
        if isinstance(each, Began) and not each.follows and each.snapshot is not None:
            stood = [decode(body) for record, body in each.snapshot.by_id.items() if record.table is Table.ENTRY]
            known |= {entry.key: entry.content_hash for entry in stood}
        elif isinstance(each, Stepped):
            changed = [decode(body) for record, body in each.changes.items() if record.table is Table.ENTRY and body]
            for entry in sorted(changed, key=lambda entry: entry.number):
                if (before := known.get(entry.key)) != entry.content_hash:
                    known[entry.key] = entry.content_hash
                    yield Posting(each.received_ms, entry, replaced=before is not None)


class _Run:
    def __init__(self, plant: Plant, *, as_recorded: bool) -> None:
        self._plant = plant
        self._as_recorded = as_recorded
        self._core = new_core(plant)
        self._records: dict[RecordId, bytes] = {}
        self._now_ms = 0

    def begin(self, began: Began) -> Iterator[Stepped]:
        if began.follows and began.part > 1:
            return
        if not began.follows:
            self._records = began.snapshot.by_id if began.snapshot is not None else {}
        self._core = new_core(self._plant)
        try:
            restore(self._core, self._records)
        except RecordUnreadable as error:
            raise Differs(f"{began.path}: the state that it begins with is of another bridge: {error}") from error
        if began.part > 1:
            self._now_ms = began.at_ms
            yield self._step(Started())
            for connected in began.snapshot.connected if began.snapshot is not None else ():
                yield self._step(connected)

    def take(self, recorded: Recorded) -> Iterator[Stepped]:
        if self._as_recorded:
            self._now_ms = recorded.received_ms
            if isinstance(recorded.input, Promoted):
                self._plant = replace(self._plant, content=recorded.input.content)
            yield self._step(recorded.input)
            return
        if isinstance(recorded.input, Claim | Outcomes | Setback | Promoted | Shadowed):
            return
        if not isinstance(recorded.input, Started):  # before it nothing runs that could wait
            yield from self._wait(recorded.received_ms)
        self._now_ms = recorded.received_ms
        yield self._step(recorded.input)
        yield from self._deliver()

    def _step(self, entered: Input) -> Stepped:
        try:
            requests = step(self._core, entered, self._now_ms)
        except ValueError as error:
            raise Differs(f"{error}; it was recorded with another plant folder, or by another bridge") from error
        changes = dict(sorted(take_changes(self._core).items()))  # a set of ids has another order in each process
        apply(changes, self._records)
        return Stepped(received_ms=self._now_ms, input=entered, requests=requests, changes=changes)

    def _wait(self, until_ms: int) -> Iterator[Stepped]:
        """Let timers fire when they are due, not only when something comes."""
        while (due_ms := self._core.next_due_ms(self._now_ms)) is not None and self._now_ms < due_ms < until_ms:
            self._now_ms = due_ms
            yield self._step(Tick())
            yield from self._deliver()

    def _deliver(self) -> Iterator[Stepped]:
        """Everything that may be sent now stands where it is to go."""
        while self._core.has_sendable(self._now_ms):
            keys: list[str] = []
            for destination in Destination:
                claimed = self._step(Claim(destination, AT_ONCE))
                yield claimed
                keys += [one.key for each in claimed.requests if isinstance(each, Send) for one in each.entries]
            if not keys:
                return
            yield self._step(Outcomes(tuple(Applied(key=key, receipt=_receipt()) for key in keys)))


def _receipt() -> Receipt:
    return Receipt(model="rerun", id=0, details={})
