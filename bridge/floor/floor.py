"""The floor as one version of the plant's content sees it: what it says translated, settled and given to the rules.

    facts, documents -> translate -> (observations) -> settler -> engine -> what it decided

The core has one that is live, and may have another in shadow, which sees the same and whose decisions change nothing.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bridge.floor.released import Released
from bridge.floor.settle import Settled, Settler
from bridge.orders.record import OrderRecord
from bridge.translate import Translator
from ruleset.engine import Engine
from ruleset.equipment import Assets
from ruleset.output import EngineOutput, Remark
from ruleset.refused.retrial import Retrial
from ruleset.rules import Rules
from ruleset.sample import Event, Fresh, Observation, Sample
from state.record import RecordId, Table

Machine: TypeAlias = Translator | Settler | Released | Engine


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the rules decided at one moment, about these observations, which one message told; none for timers.

    `defect`: the rules failed over them, and decided nothing.
    """

    observations: Sequence[Observation]
    outputs: tuple[EngineOutput, ...]
    defect: Exception | None = None


class Floor:
    """One version of the plant's content at work."""

    __slots__ = ("_changed", "assets", "engine", "released", "retrial", "settler", "translator")

    def __init__(self, assets: Assets, rules: Rules, *, grace_ms: int) -> None:
        self.assets = assets
        self.translator = Translator(assets)
        self.engine = Engine(rules, assets)
        self.settler = Settler(assets, self.engine, grace_ms=grace_ms)
        self.retrial = Retrial(rules, assets)
        self.released = Released(assets)
        self._changed: set[RecordId] = set()

    def take_over(self, other: Floor, now_ms: int) -> Iterator[Decisions]:
        """Go on with what another version remembers: totals, keys of events, and what the rules that both have the
        same form of were at. What a rule remembered that is gone, or has another form now, is dropped.

        Of a floor that has seen nothing yet. All records count as changed; what `other` owes stays its own.
        """
        for record in other.ids:
            if (snapshot := other.snapshot(record)) is not None:
                self.restore(record, snapshot)
        self.settler.take_over(other.settler)
        self._changed = set(self.ids | other.ids)
        yield Decisions((), self.engine.take_over(other.engine, now_ms))

    def owe(self, records: Iterable[RecordId]) -> None:
        """These count as changed, too."""
        self._changed |= set(records)

    @property
    def ids(self) -> frozenset[RecordId]:
        """All records."""
        return frozenset(RecordId(table, id) for table, machine in self._machines() for id in machine.ids)

    def take_changed(self) -> frozenset[RecordId]:
        """The records that changed since the last call."""
        changed = {RecordId(table, id) for table, machine in self._machines() for id in machine.take_changed()}
        changed |= self._changed
        self._changed = set()
        return frozenset(changed)

    def snapshot(self, record: RecordId) -> bytes | None:
        """The stored form of a record; None when it is gone."""
        return self._machine(record).snapshot(record.id)

    def restore(self, record: RecordId, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `ValueError` for anything else."""
        self._machine(record).restore(record.id, snapshot)

    def _machine(self, record: RecordId) -> Machine:
        if record.table is Table.SIGNAL:
            return self.translator
        if Released.owns(record.id):
            return self.released
        return self.settler if Settler.owns(record.id) else self.engine

    def _machines(self) -> tuple[tuple[Table, Machine], ...]:
        memories: tuple[Machine, ...] = (self.settler, self.released, self.engine)
        return (Table.SIGNAL, self.translator), *((Table.MEMORY, each) for each in memories)

    def started(self, now_ms: int) -> Iterator[Decisions]:
        """After the records were restored: all equipment settles."""
        self.settler.away(now_ms)
        yield Decisions((), self.engine.started(now_ms))

    def take(self, observations: Sequence[Observation], now_ms: int) -> Iterator[Decisions]:
        """Take what the translator made of one message."""
        return self._settled(self.settler.take(observations, now_ms))

    def orders(self, records: Iterable[OrderRecord], now_ms: int) -> Iterator[Decisions]:
        """Take what the order book holds now: which released order runs where may be another one."""
        told = tuple(self.released.take(records, now_ms))
        if remarks := tuple(each for each in told if isinstance(each, Remark)):
            yield Decisions((), remarks)
        yield from self.take([each for each in told if isinstance(each, Event)], now_ms)

    def due(self, now_ms: int) -> Iterator[Decisions]:
        """End what has settled, then run the rules' timers. While all equipment settles they wait too: they run in
        between, or else the end of a shift would come before its last pieces."""
        yield from self._settled(self.settler.due(now_ms))
        if not self.settler.keeps_all and (outputs := self.engine.due(now_ms)):
            yield Decisions((), outputs)

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do next."""
        settled_ms = self.settler.next_due_ms
        rules_ms = None if self.settler.keeps_all else self.engine.next_due_ms
        if settled_ms is None or rules_ms is None:
            return rules_ms if settled_ms is None else settled_ms
        return min(settled_ms, rules_ms)

    def _settled(self, settled: Iterable[Settled]) -> Iterator[Decisions]:
        """Give the rules what happened, at the time when it happened: timers that were due before then fire first.

        Not so where equipment dies while all settles: what it said before waits, and its timers behind that.
        """
        for at_ms, observations in settled:
            tells = any(isinstance(each, Sample | Event | Fresh) for each in observations)
            if (tells or not self.settler.keeps_all) and (outputs := self.engine.due(at_ms)):
                yield Decisions((), outputs)
            try:
                yield Decisions(observations, self.engine.observe_all(observations, at_ms))
            except Exception as error:
                yield Decisions(observations, (), error)
