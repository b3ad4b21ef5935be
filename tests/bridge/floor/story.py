"""A plant with a rule of every form, and what may happen on its floor, as a rule test that is made of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from bridge.clock import CoreTime
from bridge.rule_tests.site import SiteUnderTest
from ruleset.output import Alert, EngineOutput, Post, Remark, Unmet
from ruleset.sample import Observation, Plain
from ruleset.testing.case import Act, Bear, Happened, Lose, Restart, RuleTest, Said, Value
from ruleset.testing.run import NOWHERE, Bridge, Came, run
from ruleset.trace.trace import Trace
from ruleset.transaction import Progress
from tests.bridge.floor.outage import GRACE_MS
from tests.ruleset.floor import CELL, LINE, PRESS, STATION, WITH_CELL, compiled, plant

START_MS = 1_700_000_000_000
"""23:13:20 in Berlin."""
PLANT = (
    WITH_CELL.replace("unit: mm/s}", "unit: mm/s, deadband: 0.2}").replace("order: remark", "order: hold")
    + """
shifts:
  - {name: first, days: mon-sun, from: "23:00", to: "23:14"}
  - {name: second, days: mon-sun, from: "23:14", to: "23:16"}
  - {name: third, days: mon-sun, from: "23:17", to: "23:20"}
  - {name: fourth, days: mon-sun, from: "23:20", to: "23:55"}
"""
)
RULES = """
- template: shaking
  parameters: {limit: {type: number, default: 7}, hold: {type: duration, default: 30s}}
  raise: {when: "vibration_rms > param.limit", for: param.hold}
  clear: {when: "vibration_rms < 0.8 * param.limit", for: 10s}
  once: while_open
  do: maintenance.request
  with: {title: "'Vibration over ' + string(param.limit)"}
- rule: vibration
  use: shaking
  assets: "machining/*"
  override: [{assets: "machining/press-1", parameters: {hold: 20s}}]
- rule: progress
  assets: "*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, or: "good >= 25", and_when_changes: [order]}
  do: production.progress
  with: {quantity: good}
- rule: downtime
  assets: "machining/*"
  episode: {open: "state in ['STOPPED', 'FAULT']", close: "state == 'RUN'", merge_gaps: 5s}
  micro: 40s
  classify: [{when: "episode.fault == 'E12'", loss: "'breakdown'"}, {when: "true", loss: "'unclassified'"}]
  at_open: {do: downtime.open, with: {start: started, loss: loss}}
  do: downtime.close
  with: {start: started, end: ended, loss: loss}
- rule: planned-stop
  assets: "packaging/*"
  episode: {open: "state == 'STOPPED' && shift.planned"}
  alert: "stopped in {shift.name}, {(ended - started) / 1000} s"
- rule: makes-nothing
  assets: "packaging/*"
  raise: {when: "state == 'RUN'", without: good_count, for: 50s}
  alert: "makes nothing"
- rule: warming
  assets: "machining/*"
  track: {rise: {delta: temperature, over: 1m}}
  raise: {when: "rise > 10"}
  clear: {when: "rise < 5", for: 5s}
  alert: "rose by {rise}"
- rule: per-order
  assets: "machining/*"
  track: {made: {delta: good_count, per: order}}
  at_end_of: order
  alert: "{period}: {made} pieces"
- rule: per-shift
  assets: "*"
  track: {made: {delta: good_count, per: shift}}
  at_end_of: shift
  alert: "{period}: {made} pieces"
- rule: scrap
  assets: "machining/*"
  event: scrap
  order: scrap.order
  need: [{that: "scrap.reason in codes.scrap_reason", else: "no reason"}]
  do: production.scrap
  with: {quantity: scrap.qty, reason: scrap.reason}
- rule: called
  assets: "quality/*"
  event: quality
  when: "quality.result == 'call'"
  once: 2m
  alert: "called for {quality.check}"
- rule: failures
  assets: "quality/*"
  event: quality
  when: quality.result == 'fail'
  count: {by: [quality.check], at_least: 3, within: 5m}
  once: 2m
  do: maintenance.request
  with: {title: "'3 failures of ' + quality.check"}
- rule: complete
  assets: "packaging/*"
  event: finished
  order: finished.order
  wait: {for: disposition, match: "disposition.lot == finished.lot", at_most: 3m}
  do:
    - {when: "disposition.status == 'accept'", post: production.complete, with: {quantity: finished.qty}}
    - {when: timed_out, alert: "no disposition for {finished.lot}"}
"""
EQUIPMENT = (PRESS, LINE, STATION, CELL)


@dataclass(frozen=True, slots=True)
class Step:
    """After a pause something happens at an equipment: it says values, an event happens, another released
    order runs (of which nobody tells while the bridge is away), or it is lost or born."""

    after_ms: int
    where: str
    what: str
    values: Mapping[str, Plain] = field(default_factory=dict)
    restart_ms: int | None = None
    """In the story with restarts the bridge is away for so long right after this step."""


def story(steps: Sequence[Step], *, restarting: bool = True) -> RuleTest:
    """The steps as a rule test. Whoever was lost is born in the end with all that it stored.

    The bridge restarts where it is back from the restart before, whether what that one left to settle has settled or
    not. No node dies while the bridge is away, since nobody tells of that later.
    """
    at_ms, back_ms, said, happened, acts = 0, 0, list[Said](), list[Happened](), list[Act]()
    for number, step in enumerate((*opening(), *steps)):
        at_ms += step.after_ms
        match step.what:
            case "says":
                values = {name: _value(each) for name, each in step.values.items()}
                said.append(Said(equipment=step.where, at_ms=at_ms, told_ms=at_ms, values=values))
            case "lost" if at_ms <= back_ms:
                pass
            case "runs" if at_ms <= back_ms:
                pass
            case "runs":
                runs = Happened(
                    equipment=step.where, at_ms=at_ms, told_ms=at_ms, signal="order", id=str(number), fields=step.values
                )
                happened.append(runs)
            case "lost":
                acts.append(Act(at_ms, Lose((step.where,))))
            case "born":
                acts.append(Act(at_ms, Bear((step.where,), stored=True)))
            case event:
                happened.append(
                    Happened(
                        equipment=step.where,
                        at_ms=at_ms,
                        told_ms=at_ms,
                        signal=event,
                        id=str(number),
                        fields=step.values,
                    )
                )
        if step.restart_ms is not None and at_ms > back_ms:
            back_ms = at_ms + 1 + step.restart_ms
            acts += [Act(at_ms + 1, Restart(step.restart_ms))] if restarting else []
    end_ms = at_ms + 700_000
    return RuleTest(
        name="story",
        file="story",
        line=1,
        rules=frozenset(),
        equipment=EQUIPMENT,
        start_ms=START_MS,
        until_ms=end_ms + 700_000,
        said=tuple(said),
        happened=tuple(happened),
        acts=(*acts, Act(end_ms, Bear(EQUIPMENT, stored=True))),
        expected={},
    )


def opening() -> tuple[Step, ...]:
    """What is said at the beginning."""
    press: dict[str, Plain] = {"state": "RUN", "fault": "", "order": "", "good_count": 100}
    return (
        Step(0, PRESS, "says", {**press, "vibration_rms": 2.0, "temperature": 20}),
        Step(0, LINE, "says", {"state": "RUN", "order": "mo-1", "good_count": 1000}),
        Step(0, CELL, "says", {"good_count": 0}),
        Step(1, PRESS, "says", {"order": "mo-2"}),
    )


def _value(value: Plain) -> Value:
    assert value is None or isinstance(value, bool | int | float | str)
    return value


class Unbroken(SiteUnderTest):
    """One process that meets what a start does, but remembers by itself."""

    def restart(self, now_ms: int) -> Iterator[EngineOutput]:
        return self._answered(self._floor.started(now_ms))


class AnotherClock:
    """A bridge whose own clock is set, by `jumps` at their moments; the plant's clocks are right."""

    def __init__(self, bridge: SiteUnderTest, jumps: Mapping[int, int]) -> None:
        self._bridge = bridge
        self._jumps = jumps
        self._right_ms = START_MS
        self._clock_ms = START_MS
        self._time = CoreTime(lambda: self._right_ms / 1000)

    def take(self, observations: Sequence[Observation], now_ms: int) -> Iterable[EngineOutput]:
        return self._bridge.take(observations, self._at(now_ms))

    def due(self, now_ms: int) -> Iterable[EngineOutput]:
        return self._bridge.due(self._at(now_ms))

    @property
    def next_due_ms(self) -> int | None:
        due_ms = self._bridge.next_due_ms
        if due_ms is None:
            return None
        return self._right_ms + self._time.wait_ms(due_ms, self._clock_ms)

    def restart(self, now_ms: int) -> Iterable[EngineOutput]:
        return self._bridge.restart(self._at(now_ms))

    def order_closed(self, order: str, now_ms: int) -> Iterable[EngineOutput]:
        return self._bridge.order_closed(order, self._at(now_ms))

    def looks(self) -> tuple[Trace, ...]:
        return self._bridge.looks()

    def _at(self, right_ms: int) -> int:
        right_ms = max(right_ms, self._right_ms)
        jumped = sum(by for at_ms, by in self._jumps.items() if self._right_ms < START_MS + at_ms <= right_ms)
        self._clock_ms += right_ms - self._right_ms + jumped
        self._right_ms = right_ms
        self._time.begin_turn()
        self._time.pass_to(self._clock_ms)
        return self._time.now_ms


def site(kind: type[SiteUnderTest] = SiteUnderTest) -> SiteUnderTest:
    return kind(compiled(RULES, PLANT), plant(PLANT), grace_ms=GRACE_MS)


def came(test: RuleTest, bridge: Bridge) -> tuple[Came, ...]:
    """What the bridge answers to the story, in order."""
    return run(test, plant(PLANT), bridge).came


def postings(answers: Iterable[Came]) -> list[str]:
    """What is posted, refused and alerted of, whenever and however it was learnt. Of a total the last one."""
    found: list[str] = []
    totals: dict[str, str] = {}
    for each in answers:
        match each.output:
            case Post(transaction=Progress() as progress):
                totals[f"{progress.stream} of {progress.order}"] = f"{progress.upto} {progress.unit}"
            case Post(transaction=transaction):
                found.append(str(replace(transaction, provenance=NOWHERE)))
            case Unmet() as unmet:
                found.append(f"unmet {unmet.rule} {unmet.equipment} {unmet.reason}")
            case Alert() as alert:
                found.append(f"alert {alert.rule} {alert.equipment} {alert.text}")
            case Remark():
                pass
    return sorted([*found, *(f"{name}: {total}" for name, total in totals.items())])


def keys(answers: Iterable[Came]) -> list[str]:
    """The keys of all that is posted, as its traces have them. A repeat that says the same was left out."""
    posts = [each.output for each in answers if isinstance(each.output, Post)]
    assert [each.trace.key for each in posts] == [each.transaction.key for each in posts]
    return [each.transaction.key for each in posts]


def without_traces(answers: Iterable[Came]) -> list[tuple[int, str]]:
    """The answers and when they were decided. Which message told a value is known only since the last start."""
    return [(each.now_ms, str(each.output)) for each in answers]
