"""The settler and the rules behind it on a virtual clock, with what the settler gave as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.floor.settle import MOST_KEPT, Settled, Settler
from ruleset.engine import Engine
from ruleset.output import EngineOutput, Post
from ruleset.sample import CutShort, Event, Fresh, Observation, Plain, Sample, Source, Stale, Unheard
from ruleset.transaction import Transaction
from tests.ruleset.floor import LINE, PRESS, START_MS, compiled, lines, plant

RULES = """
- rule: progress
  assets: "packaging/*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, and_when_changes: [order]}
  do: production.progress
  with: {quantity: good}
- rule: downtime
  assets: "machining/*"
  episode: {open: "state in ['STOPPED', 'FAULT']", close: "state == 'RUN'"}
  classify: [{when: "fault == 'E12'", loss: "'breakdown'"}, {when: "true", loss: "'unclassified'"}]
  do: downtime.record
  with: {start: started, end: ended, loss: loss}
- rule: vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7", for: 30s}
  do: maintenance.request
  with: {title: "'Vibration'"}
"""
GRACE_MS = 30_000
Reported = bool | int | float | str | None


class Site:
    """Times are milliseconds since the start. `given` is what the rules saw, `flushes` the same per call."""

    def __init__(self, *, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self.records: dict[str, bytes] = {}
        self.now_ms = START_MS
        self.given: list[str] = []
        self.flushes: list[list[Observation]] = []
        self.outputs: list[EngineOutput] = []
        self.seq = 0
        self._new()

    def restarts(self) -> None:
        """Killed after a commit and started again. The records come back in any order."""
        self.commit()
        self._new()
        for id, snapshot in sorted(self.records.items(), key=lambda each: each[0][::-1]):
            (self.settler if self.settler.owns(id) else self.engine).restore(id, snapshot)
        self.engine.started(self.now_ms)
        self.settler.away(self.now_ms)

    def tells(self, *observations: Observation) -> list[str]:
        """One message; what the settler then gave."""
        before = len(self.given)
        self._feed(self.settler.due(self.now_ms))
        self._do(self.engine.due(self.now_ms))
        self._feed(self.settler.take(observations, self.now_ms))
        self.commit()
        return self.given[before:]

    def after(self, length_ms: int) -> list[str]:
        before, until_ms = len(self.given), self.now_ms + length_ms
        while True:
            dues = [due for due in (self.settler.next_due_ms, self.engine.next_due_ms) if due is not None]
            if not dues or min(dues) > until_ms:
                break
            self.now_ms = max(self.now_ms, min(dues))
            self._feed(self.settler.due(self.now_ms))
            self._do(self.engine.due(self.now_ms))
            self.commit()
        self.now_ms = until_ms
        return self.given[before:]

    def born(
        self, at: str = LINE, *, ahead_ms: int = 0, ago: Mapping[str, int] | None = None, **values: Reported
    ) -> list[str]:
        """A birth; `ago` says how old its metrics are where they have times of their own."""
        self.seq += 1
        at_ms = self.now_ms + ahead_ms
        samples = [self.sample(at, each, at_ms - (ago or {}).get(each, 0), values[each], birth=True) for each in values]
        return [*self.tells(Fresh(equipment=at, at_ms=at_ms)), *self.tells(*samples)]

    def says(self, at: str = LINE, *, ahead_ms: int = 0, **values: Reported) -> list[str]:
        self.seq += 1
        return self.tells(*(self.sample(at, each, self.now_ms + ahead_ms, values[each]) for each in values))

    def stored(self, at_ms: int, at: str = LINE, **values: Reported) -> list[str]:
        self.seq += 1
        return self.tells(*(self.sample(at, each, START_MS + at_ms, values[each], historical=True) for each in values))

    def sample(
        self, at: str, signal: str, at_ms: int, value: Reported, *, birth: bool = False, historical: bool = False
    ) -> Sample:
        source = Source(topic=f"spBv1.0/{at}", seq=self.seq % 256)
        return Sample(
            equipment=at, signal=signal, value=value, at_ms=at_ms, source=source, birth=birth, historical=historical
        )

    def document(self, signal: str, id: str, at_ms: int, at: str = LINE, **fields: Plain) -> list[str]:
        source = Source(topic=f"uns/v1/{at}/{signal}")
        event = Event(equipment=at, signal=signal, id=id, fields=fields, at_ms=START_MS + at_ms, source=source)
        return self.tells(event)

    def dies(self, *equipment: str) -> list[str]:
        return self.tells(*(Stale(equipment=each, at_ms=self.now_ms, reason="NDEATH") for each in equipment))

    def commit(self) -> None:
        for machine in (self.settler, self.engine):
            for id in machine.take_changed():
                snapshot = machine.snapshot(id)
                if snapshot is None:
                    self.records.pop(id, None)
                else:
                    self.records[id] = snapshot

    @property
    def waiting(self) -> list[str]:
        return [id for id in self.records if self.settler.owns(id)]

    @property
    def posted(self) -> list[Transaction]:
        return [each.transaction for each in self.outputs if isinstance(each, Post)]

    @property
    def said(self) -> list[str]:
        return lines(self.outputs)

    def _new(self) -> None:
        self.engine = Engine(compiled(RULES), plant())
        self.settler = Settler(plant(), self.engine, grace_ms=GRACE_MS, most_kept=self._most_kept)

    def _feed(self, settled: Sequence[Settled]) -> None:
        for at_ms, observations in settled:
            self.given += [_line(each, at_ms) for each in observations]
            self._do(self.engine.due(at_ms))
            self._do(self.engine.observe_all(observations, at_ms))
        if settled:
            self.flushes.append([each for _, observations in settled for each in observations])

    def _do(self, outputs: Sequence[EngineOutput]) -> None:
        self.outputs += outputs


def running(*, at_ms: int = 0, most_kept: int = MOST_KEPT) -> Site:
    """A line and a press that have settled after the start, at this time since the start."""
    site = Site(most_kept=most_kept)
    site.settler.away(START_MS)
    site.born(order="mo-1", good_count=100)
    site.born(PRESS, state="RUN", fault="", vibration_rms=2.0)
    site.after(GRACE_MS)
    site.after(at_ms - GRACE_MS)
    site.given.clear()
    site.flushes.clear()
    site.outputs.clear()
    return site


def _line(observation: Observation, at_ms: int) -> str:
    where = observation.equipment.rsplit("/", 1)[-1]
    match observation:
        case Sample(historical=historical):
            what = f"{observation.signal}={observation.value}{' (late)' if historical else ''}"
        case Event():
            what = f"{observation.signal} {observation.id}"
        case Fresh():
            what = "fresh"
        case Stale():
            what = "stale"
        case Unheard():
            what = "unheard"
        case CutShort(text=text):
            what = text
    return f"{at_ms - START_MS} {where} {what}"
