"""The bridge that a rule test runs: the floor as the core has it, and a store for what it remembers.

It stands here because the settler does, and rules must not know it. All that is remembered goes through records, as
through Redis: a restart that forgets something makes a test fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from bridge.floor.floor import Decisions, Floor
from bridge.floor.settle import Settler
from ruleset.equipment import Assets
from ruleset.output import EngineOutput
from ruleset.rules import Rules
from ruleset.sample import Observation
from ruleset.trace.trace import Trace


class SiteUnderTest:
    """A `ruleset.testing.run.Bridge`."""

    def __init__(self, rules: Rules, assets: Assets, *, grace_ms: int) -> None:
        self._rules = rules
        self._assets = assets
        self._grace_ms = grace_ms
        self._records: dict[str, bytes] = {}
        self._floor = self._process()

    def take(self, observations: Sequence[Observation], now_ms: int) -> Iterator[EngineOutput]:
        return self._answered(self._floor.due(now_ms), self._floor.take(observations, now_ms))

    def due(self, now_ms: int) -> Iterator[EngineOutput]:
        return self._answered(self._floor.due(now_ms))

    @property
    def next_due_ms(self) -> int | None:
        return self._floor.next_due_ms

    def restart(self, now_ms: int) -> Iterator[EngineOutput]:
        self._floor = self._process()
        for id, snapshot in self._records.items():
            (self._floor.settler if Settler.owns(id) else self._floor.engine).restore(id, snapshot)
        return self._answered(self._floor.started(now_ms))

    def order_closed(self, order: str, now_ms: int) -> Iterator[EngineOutput]:
        closed = (Decisions((), self._floor.engine.order_closed(order, now_ms)) for _ in range(1))
        return self._answered(self._floor.due(now_ms), closed)

    def looks(self) -> tuple[Trace, ...]:
        return tuple(look for each in self._rules.instances for look in self._floor.engine.looks.of(each.id))

    def _process(self) -> Floor:
        return Floor(self._assets, self._rules, grace_ms=self._grace_ms)

    def _answered(self, *decided: Iterable[Decisions]) -> Iterator[EngineOutput]:
        """What the rules answer, and what changed stored, as a step commits both."""
        for decisions in chain(*decided):
            if decisions.defect is not None:
                raise decisions.defect
            yield from decisions.outputs
        for owner in (self._floor.engine, self._floor.settler):
            for id in owner.take_changed():
                snapshot = owner.snapshot(id)
                if snapshot is None:
                    self._records.pop(id, None)
                else:
                    self._records[id] = snapshot
