"""The order within a lane: what may be sent next, what a held or dead entry blocks, and which totals are joined.

Pure functions over the entries of one lane that are not done, in order of their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final, NamedTuple

from state.entry import Entry, EntryState

ENDS_ORDER: Final = frozenset({"production.complete", "quality.hold"})
"""Actions that state an order's whole quantity: totals of the order that are still held need not be posted any more."""
START: Final = "workorder.start"
_NOTHING: Final[frozenset[str]] = frozenset()

BLOCKS: Final[Mapping[str, frozenset[str]]] = {
    "workorder.start": frozenset({"workorder.finish"}),
    "workorder.pause": frozenset({"workorder.finish"}),
    "workorder.finish": _NOTHING,
    "production.progress": frozenset({"production.correct"}),
    "production.scrap": _NOTHING,
    "production.correct": _NOTHING,
    "production.complete": frozenset({"production.complete", "production.correct", "quality.hold"}),
    "material.consume": ENDS_ORDER,
    "lot.create": frozenset({"production.scrap", "material.consume", "quality.hold_stock", *ENDS_ORDER}),
    "quality.request": _NOTHING,
    "quality.result": _NOTHING,
    "quality.hold": frozenset({"production.complete", "production.correct", "quality.hold", "quality.release"}),
    "quality.hold_stock": frozenset({"quality.release"}),
    "quality.release": _NOTHING,
    "downtime.open": frozenset({"downtime.close"}),
    "downtime.close": _NOTHING,
    "downtime.record": _NOTHING,
    "maintenance.request": frozenset({"maintenance.close"}),
    "maintenance.close": _NOTHING,
    "capacity.block": frozenset({"capacity.unblock"}),
    "capacity.unblock": frozenset({"capacity.block"}),
    "order.publish": _NOTHING,
    "quality.publish": _NOTHING,
    "order.state": _NOTHING,
    "fact.changed": _NOTHING,
}
"""Which later actions of its lane a held or dead entry keeps back. An action that is not named here blocks them all.

docs/delivery.md gives the reasons.
"""


class LaneId(NamedTuple):
    """Lanes of different destinations are different lanes."""

    destination: str
    lane: str


def lane_of(entry: Entry) -> LaneId:
    """The lane of an entry."""
    return LaneId(entry.destination, entry.lane)


def blocks(action: str, later: str) -> bool:
    """Whether a held or dead entry of the first action keeps back a later one of the second in its lane."""
    return action not in BLOCKS or later in BLOCKS[action]


@dataclass(frozen=True, slots=True)
class Ready:
    """What of a lane may be sent now, in order; and when more may be, where only a pause keeps it back."""

    entries: tuple[Entry, ...]
    due_ms: int | None


def ready(entries: Iterable[Entry], now_ms: int) -> Ready:
    """The entries that may be sent, of a lane of which nothing is in flight.

    Claimed ones come first. An entry that pauses after a setback stops the lane; a held or dead one, and one that
    such a one keeps back, stops only what `BLOCKS` says.
    """
    lane = list(entries)
    sent: list[Entry] = []
    stoppers: set[str] = set()
    for entry in (*_claimed(lane), *_others(lane)):
        if _stops(entry, stoppers):
            stoppers.add(entry.action)
        elif entry.not_before_ms > now_ms:
            return Ready(tuple(sent), entry.not_before_ms)
        else:
            sent.append(entry)
    return Ready(tuple(sent), None)


def stopper_of(entries: Iterable[Entry], key: str) -> Entry | None:
    """The earliest entry of the lane that keeps this pending one back, or None."""
    before: list[Entry] = []
    for entry in entries:
        stopped = entry.state in (EntryState.HELD, EntryState.DEAD)
        by = None if stopped else next((one for one in before if blocks(one.action, entry.action)), None)
        if entry.key == key:
            return by
        if stopped or (by is not None and entry.state is EntryState.PENDING):
            before.append(entry)
    return None


def waits_for_start(entry: Entry) -> bool:
    """Whether this is a total that was never sent, because the start of its order may still come."""
    never_sent = entry.state is EntryState.PENDING and not entry.attempts
    return never_sent and entry.stream is not None and entry.not_before_ms > 0


def start_wait_ms(entries: Iterable[Entry], otherwise_ms: int) -> int:
    """Until when a new total of this lane waits for the start of its order: as long as those before it, and not at all
    where a start is there, or a total that does not wait."""
    for entry in entries:
        if waits_for_start(entry):
            return entry.not_before_ms
        if entry.action == START or entry.stream is not None:
            return 0
    return otherwise_ms


def overtaken(start: Entry, entries: Iterable[Entry]) -> list[Entry]:
    """What goes behind a new start, of its lane in order: the first total that waits for it, and all after that."""
    return list(dropwhile(lambda entry: not waits_for_start(entry), entries)) if start.action == START else []


def joined_by(total: Entry, latest_first: Iterable[Entry]) -> Entry | None:
    """The entry that need not be sent, because this new total of its stream holds it too; of a lane, the latest first.

    Only totals that were never claimed, nor let go on from what stands, are joined, with nothing else than such totals
    between them. So of each stream there is one at most between two entries of other kinds, however long they wait.
    """
    if not _may_join(total):
        return None
    for entry in latest_first:
        if not _may_join(entry):
            return None
        if entry.stream == total.stream:
            return entry
    return None


class Standing(NamedTuple):
    """Where a lane stands among others: the most urgent priority in it, then its oldest number.

    A lane inherits the priority of its most urgent entry, because that entry waits for those before it. `due_ms` is
    when its next entry may be sent, perhaps past. A tuple, because each claim sorts all lanes: with 10,000 of them
    it takes a quarter of the time that it took with a dataclass.
    """

    priority: int
    number: int
    due_ms: int


def standing(entries: Iterable[Entry]) -> Standing | None:
    """A lane's standing, or None where nothing of it can be sent until a person acts."""
    lane = list(entries)
    due_ms = ready(lane, -1).due_ms
    if due_ms is None:
        return None
    waiting = [entry for entry in lane if entry.state in (EntryState.PENDING, EntryState.CLAIMED)]
    return Standing(min(entry.priority for entry in waiting), min(entry.number for entry in waiting), due_ms)


def standing_with(stands: Standing, last: Entry) -> Standing:
    """The standing of the lane after a new entry was put at its end: it waits for those before it."""
    is_more_urgent = last.state is EntryState.PENDING and last.priority < stands.priority
    return stands._replace(priority=last.priority) if is_more_urgent else stands


def _stops(entry: Entry, stoppers: Iterable[str]) -> bool:
    """Whether the entry is not to be sent now, and so keeps back others: held, dead, or itself kept back."""
    if entry.state is EntryState.PENDING:
        return any(blocks(stopper, entry.action) for stopper in stoppers)
    return entry.state in (EntryState.HELD, EntryState.DEAD)


def _claimed(lane: Sequence[Entry]) -> Iterable[Entry]:
    return (entry for entry in lane if entry.state is EntryState.CLAIMED)


def _others(lane: Sequence[Entry]) -> Iterable[Entry]:
    return (entry for entry in lane if entry.state is not EntryState.CLAIMED)


def _may_join(entry: Entry) -> bool:
    never_sent = entry.state is EntryState.PENDING and not (entry.attempts or entry.uncertain or entry.goes_on)
    return entry.stream is not None and never_sent
