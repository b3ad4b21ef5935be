"""A version of the rules in shadow: it sees what the live one sees and decides, and nothing of it is posted.

What the two decide is compared as long as the shadow lasts. Both begin with the same memory, and the shadow's is kept
over a restart like the live one's. Called by the core only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from bridge.floor.content import floor_of
from bridge.floor.floor import Decisions, Floor
from bridge.lifecycle.difference import Comparison, Counts, Difference, Sides, made_of
from bridge.orders.record import OrderRecord
from bridge.plant import Content
from bridge.translate import Complaint, Translated
from ruleset.output import EngineOutput
from sparkplug.fact import Fact
from state.record import RecordId, Table

_HEAD = "head"
_FACT = "fact"


class _Head(msgspec.Struct, kw_only=True):
    """What is known of the shadow as a whole."""

    v: int = 1
    since_ms: int = 0
    counts: Counts


@dataclass(frozen=True, slots=True)
class Seen:
    """What a version in shadow has found since then, as the store has it."""

    since_ms: int
    defects: int
    difference: Difference


def seen(version: str, records: Mapping[str, bytes]) -> Seen | None:
    """What the records of `Table.SHADOW` tell of a version; None where no bridge has run it yet."""
    if (stored := records.get(f"{version}/{_HEAD}")) is None:
        return None
    head = msgspec.json.decode(stored, type=_Head)
    comparison, prefix = Comparison(), f"{version}/{_FACT}/"
    comparison.counts = head.counts
    for id, snapshot in records.items():
        if id.startswith(prefix):
            comparison.facts[id.removeprefix(prefix)] = msgspec.json.decode(snapshot, type=Sides)
    return Seen(head.since_ms, head.counts.defects, comparison.difference())


class Shadow:
    """A version beside the live one. Its records carry its name, so that those of another are known for what they are.

    `since_ms` tells since when it is in shadow, 0 before it has begun; `defects` how often it failed over what it saw.
    """

    def __init__(self, content: Content, grace_ms: int) -> None:
        self.version = content.release.version if content.release is not None else ""
        self._floor = floor_of(content, grace_ms)
        self._comparison = Comparison()
        self._head = _Head(counts=self._comparison.counts)
        self._head_taken = b""

    def take_over(self, live: Floor, now_ms: int) -> None:
        """Begin with the memory of the live version."""
        self._head.since_ms = now_ms
        self._compare(self._floor.take_over(live, now_ms))

    @property
    def since_ms(self) -> int:
        return self._head.since_ms

    @property
    def defects(self) -> int:
        return self._comparison.counts.defects

    def difference(self) -> Difference:
        """What the two versions decided differently by now."""
        return self._comparison.difference()

    @property
    def next_due_ms(self) -> int | None:
        """When its next timer is due."""
        return self._floor.next_due_ms

    # -- what it sees

    def started(self, live: Floor, now_ms: int) -> None:
        """After a start all equipment settles. One that was put in shadow while nothing ran begins now."""
        if self._head.since_ms:
            self._compare(self._floor.started(now_ms))
        else:
            self.take_over(live, now_ms)

    def away(self, now_ms: int) -> None:
        """The session to the plant ended, or is back."""
        self._floor.settler.away(now_ms)

    def stood_still(self, now_ms: int) -> None:
        """The process did nothing for a while."""
        self._floor.settler.stood_still(now_ms)

    def fact(self, fact: Fact, now_ms: int) -> None:
        """What an edge node said."""
        self._see(lambda: self._floor.translator.fact(fact), now_ms)

    def orders(self, records: Iterable[OrderRecord], now_ms: int) -> None:
        """What the order book holds now."""
        self._compare(self._floor.orders(records, now_ms))

    def document(self, topic: str, payload: bytes, now_ms: int) -> None:
        """What a document says."""
        self._see(lambda: self._floor.translator.document(topic, payload, now_ms), now_ms)

    def due(self, now_ms: int) -> None:
        """Time passed."""
        self._compare(self._floor.due(now_ms))

    def order_closed(self, order: str, now_ms: int) -> None:
        """Odoo is done with an order."""
        self._comparison.after(made_of(self._floor.engine.order_closed(order, now_ms)))
        self._comparison.order_closed(order)

    def live(self, outputs: Iterable[EngineOutput]) -> None:
        """What the live version decided."""
        self._comparison.before(made_of(outputs))

    # -- what it remembers

    def owns(self, id: str) -> bool:
        """Whether a record is this version's."""
        return id.startswith(f"{self.version}/")

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records in `Table.SHADOW`."""
        own = {f"{_FACT}/{fact}" for fact in self._comparison.facts}
        own |= {f"{record.table}/{record.id}" for record in self._floor.ids}
        return frozenset(f"{self.version}/{id}" for id in own | {_HEAD})

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = {f"{_FACT}/{fact}" for fact in self._comparison.changed}
        self._comparison.changed.clear()
        changed |= {f"{record.table}/{record.id}" for record in self._floor.take_changed()}
        if (head := msgspec.json.encode(self._head)) != self._head_taken:
            self._head_taken = head
            changed.add(_HEAD)
        return frozenset(f"{self.version}/{id}" for id in changed)

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of a record; None when it is gone."""
        own = id.removeprefix(f"{self.version}/")
        if own == _HEAD:
            return msgspec.json.encode(self._head)
        kind, _, name = own.partition("/")
        if kind != _FACT:
            return self._floor.snapshot(RecordId(Table(kind), name))
        sides = self._comparison.facts.get(name)
        return msgspec.json.encode(sides) if sides is not None else None

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `ValueError` for anything else."""
        own = id.removeprefix(f"{self.version}/")
        kind, _, name = own.partition("/")
        if own == _HEAD:
            self._head = msgspec.json.decode(snapshot, type=_Head)
            self._comparison.counts = self._head.counts
        elif kind == _FACT:
            self._comparison.facts[name] = msgspec.json.decode(snapshot, type=Sides)
        else:
            self._floor.restore(RecordId(Table(kind), name), snapshot)

    def _see(self, translate: Callable[[], Iterable[Translated]], now_ms: int) -> None:
        """What it cannot take is counted: the live version must not suffer from one that is tried."""
        try:
            observations = [each for each in translate() if not isinstance(each, Complaint)]
        except Exception:
            self._comparison.counts.defects += 1
            return
        self._compare(self._floor.take(observations, now_ms))

    def _compare(self, decisions: Iterable[Decisions]) -> None:
        try:
            for each in decisions:
                self._comparison.counts.defects += each.defect is not None
                self._comparison.after(made_of(each.outputs))
        except Exception:
            self._comparison.counts.defects += 1
