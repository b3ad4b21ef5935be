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
from types import MappingProxyType
from typing import Final, TypeAlias

from bridge.core.input import (
    Acted,
    ActKind,
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
from bridge.core.site import Witness, restore, take_changes
from bridge.pipeline import step
from bridge.plant import Plant
from bridge.recording.errors import Differs
from bridge.recording.reader import Began, Read, Recorded
from bridge.recording.span import Lost, apply
from bridge.wiring import new_core
from odoo_adapter.odoo import Applied, Receipt
from state.entry import Entry, EntryState, decode
from state.errors import RecordUnreadable
from state.record import RecordId, Table

AT_ONCE: Final = 1_000
"""Entries that one claim may give."""
TOGETHER: Final = 1_000
"""Steps of one commit where only decisions are asked for: one after each step would double what they take."""
AFTER_MS: Final = 600_000
"""There time goes on after the last input, so that what was being collected then is decided."""
_NOTHING: Final[Mapping[RecordId, bytes | None]] = MappingProxyType({})


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
    return _ran(_Run(plant, as_recorded=as_recorded), recording)


def decide(plant: Plant, recording: Iterable[Read], witness: Witness) -> Iterator[Reran]:
    """Let this witness hear all that a core of this plant decides over a recording.

    What is decided counts as delivered, commits take many steps together (`changes` are with none), and what is done is
    forgotten: it takes no more memory the longer the recording is.
    """
    run = _Run(plant, as_recorded=False, witness=witness)
    yield from _ran(run, recording)
    yield from run.go_on(AFTER_MS)


def _ran(run: _Run, recording: Iterable[Read]) -> Iterator[Reran]:
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
    """A core on its way through a recording. With a witness, of which nobody asks for the records."""

    def __init__(self, plant: Plant, *, as_recorded: bool, witness: Witness | None = None) -> None:
        self._plant = plant
        self._as_recorded = as_recorded
        self._witness = witness
        self._core = new_core(plant)
        self._records: dict[RecordId, bytes] = {}
        self._now_ms = 0
        self._steps = 0

    def begin(self, began: Began) -> Iterator[Stepped]:
        if began.follows and began.part > 1:
            return
        self._commit()
        if not began.follows:
            self._records = began.snapshot.by_id if began.snapshot is not None else {}
        self._core = new_core(self._plant)
        self._core.witness = self._witness
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

    def go_on(self, for_ms: int) -> Iterator[Stepped]:
        """Time goes on, and nothing comes."""
        yield from self._wait(self._now_ms + for_ms)

    def _step(self, entered: Input) -> Stepped:
        try:
            requests = step(self._core, entered, self._now_ms)
        except ValueError as error:
            raise Differs(f"{error}; it was recorded with another plant folder, or by another bridge") from error
        if self._witness is None:
            changes = self._commit()
        else:
            self._witness.looked(self._core.floor.engine.looks)
            changes = _NOTHING
        return Stepped(received_ms=self._now_ms, input=entered, requests=requests, changes=changes)

    def _commit(self) -> Mapping[RecordId, bytes | None]:
        changes = dict(sorted(take_changes(self._core).items()))  # a set of ids has another order in each process
        apply(changes, self._records)
        return changes

    def _wait(self, until_ms: int) -> Iterator[Stepped]:
        """Let timers fire when they are due, not only when something comes. Nothing waits in the outbox."""
        while (due_ms := self._core.next_timer_ms) is not None and self._now_ms < due_ms < until_ms:
            self._now_ms = due_ms
            yield self._step(Tick())
            yield from self._deliver()

    def _deliver(self) -> Iterator[Stepped]:
        """Everything that may be sent now stands where it is to go."""
        if self._witness is not None:
            self._steps += 1
            if self._steps % TOGETHER:
                return
            yield from self._skip()
        while self._core.has_sendable(self._now_ms):
            keys: list[str] = []
            for destination in Destination:
                claimed = self._step(Claim(destination, AT_ONCE))
                yield claimed
                keys += [one.key for each in claimed.requests if isinstance(each, Send) for one in each.entries]
            if not keys:
                break
            yield self._step(Outcomes(tuple(Applied(key=key, receipt=_receipt()) for key in keys)))
        if self._witness is not None:
            self._core.outbox.forget_before(self._now_ms)
            self._commit()

    def _skip(self) -> Iterator[Stepped]:
        """What waits for a person waits for nobody."""
        outbox = self._core.outbox
        if keys := tuple(one.key for state in (EntryState.DEAD, EntryState.HELD) for one in outbox.entries(state)):
            yield self._step(Acted(id="", kind=ActKind.SKIP, keys=keys, by="rerun", reason="nobody decides here"))


def _receipt() -> Receipt:
    return Receipt(model="rerun", id=0, details={})
