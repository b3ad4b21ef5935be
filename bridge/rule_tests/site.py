"""The bridge that a rule test runs: the floor as the core has it, and a store for what it remembers.

It stands here because the settler does, and rules must not know it. All that is remembered goes through records, as
through Redis: a restart that forgets something makes a test fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bridge.floor.floor import Decisions, Floor
from ruleset.equipment import Assets
from ruleset.output import EngineOutput
from ruleset.rules import Rules
from ruleset.sample import Observation
from ruleset.trace.trace import Trace
from state.record import RecordId


class SiteUnderTest:
    """A `ruleset.testing.run.Bridge`."""

    def __init__(self, rules: Rules, assets: Assets, *, grace_ms: int) -> None:
        self._rules = rules
        self._assets = assets
        self._grace_ms = grace_ms
        self._records: dict[RecordId, bytes] = {}
        self._floor = self._process()

    def take(self, observations: Sequence[Observation], now_ms: int) -> Iterator[EngineOutput]:
        yield from self.due(now_ms)
        yield from self._answered(self._floor.take(observations, now_ms))

    def due(self, now_ms: int) -> Iterator[EngineOutput]:
        return self._answered(self._floor.due(now_ms))

    @property
    def next_due_ms(self) -> int | None:
        return self._floor.next_due_ms

    def restart(self, now_ms: int) -> Iterator[EngineOutput]:
        self._floor = self._process()
        for record, snapshot in self._records.items():
            self._floor.restore(record, snapshot)
        return self._answered(self._floor.started(now_ms))

    def order_closed(self, order: str, now_ms: int) -> Iterator[EngineOutput]:
        yield from self.due(now_ms)
        yield from self._answered([Decisions((), self._floor.engine.order_closed(order, now_ms))])

    def looks(self) -> tuple[Trace, ...]:
        return tuple(look for each in self._rules.instances for look in self._floor.engine.looks.of(each.id))

    def _process(self) -> Floor:
        return Floor(self._assets, self._rules, grace_ms=self._grace_ms)

    def _answered(self, decided: Iterable[Decisions]) -> Iterator[EngineOutput]:
        """What the rules answer, and what changed stored, as a step commits both."""
        for decisions in decided:
            if decisions.defect is not None:
                raise decisions.defect
            yield from decisions.outputs
        for record in self._floor.take_changed():
            snapshot = self._floor.snapshot(record)
            if snapshot is None:
                self._records.pop(record, None)
            else:
                self._records[record] = snapshot
