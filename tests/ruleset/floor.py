"""A small plant on a virtual clock: what the floor says goes in, what the engine answers comes out as lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from functools import cache

from msgspec.structs import replace

from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.engine import Engine
from ruleset.equipment import Assets
from ruleset.output import Alert, EngineOutput, Post, Remark, Retraction, Unmet
from ruleset.problem import Problem, Problems
from ruleset.rules import Rules, compile_rules
from ruleset.sample import Event, Fresh, Observation, Plain, Sample, Source, Stale, Unheard
from ruleset.transaction import (
    CapacityBlock,
    CapacityUnblock,
    Complete,
    Correct,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    LotCreate,
    MaintenanceClose,
    MaintenanceRequest,
    MaterialConsume,
    OrderState,
    Progress,
    QualityHold,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderStart,
)

START_MS = 1_700_000_000_000
LINE = "acme/berlin/packaging/line-1"
PRESS = "acme/berlin/machining/press-1"
STATION = "acme/berlin/quality/station-1"
CELL = "acme/berlin/assembly/cell-1"

CODES = """
scrap_reason: {S01: Short shot, S04: Wrong dimension}
fault_reason: {E12: breakdown, W03: setup}
units: {pcs: Units, dozen: Dozens, kg: kg, g: g, mm/s: ""}
"""
ASSETS = """
enterprise: acme
site: berlin
timezone: Europe/Berlin
company: 1
types:
  press:
    signals:
      state: {metric: State, type: text, role: state}
      fault: {metric: Fault, type: text}
      order: {metric: Order, type: text, role: order}
      good_count: {metric: Good, type: integer, role: counter, unit: pcs, rollover: 65536}
      vibration_rms: {metric: Vibration, type: number, unit: mm/s}
      temperature: {metric: Temperature, type: integer}
      planned: {metric: Planned, type: boolean}
      scrap:
        group: Scrap
        number: Number
        fields:
          order: text
          qty: {type: number, unit: pcs}
          weight: number
          reason: text
          lot: {type: text, optional: true}
          confirmed: boolean
      work_started: {document: work_started, fields: {order: text, work_order: text}}
  line:
    signals:
      state: {metric: State, type: text, role: state}
      order: {metric: Order, type: text, role: order}
      good_count: {metric: Good, type: integer, role: counter, unit: pcs, rollover: 65536}
      crew: {metric: Crew, type: text}
      finished:
        document: finished
        fields:
          order: text
          lot: text
          qty: {type: number, unit: pcs}
          consumed: {list: {product: text, lot: {type: text, optional: true}, qty: number, unit: text}}
  station:
    signals:
      quality: {document: quality, fields: {check: text, result: text}}
      disposition: {dataset: Dispositions, fields: {order: text, lot: text, status: text}}
  scale:
    signals:
      dosed:
        document: dosed
        fields: {order: text, product: text, net: {type: number, unit: g}, lot: {type: text, optional: true}}
      named: {document: named, fields: {product: text, lot: text, good_until: {type: number, optional: true}}}
equipment:
  machining/press-{n:1..2}:
    type: press
    source: {group: G, node: machining, device: "press-{n}"}
    work_center: "PRESS-{n}"
    serial_number: "SN-{n}"
  packaging/line-1:
    type: line
    source: {group: G, node: packaging, device: line-1}
    work_center: PACK-1
  quality/station-1:
    type: station
    source: {group: G, node: quality}
    serial_number: SN-STATION
  mixing/scale-1: {type: scale, source: {group: G, node: mixing, device: scale-1}}
"""
WITH_CELL = (
    ASSETS.replace(
        "equipment:\n",
        """\
  cell:
    signals:
      order: {released: started, without_order: remark}
      state: {metric: State, type: text, role: state}
      good_count: {metric: Good, type: integer, role: counter, unit: pcs}
      scrap: {document: scrap, fields: {qty: {type: number, unit: pcs}, reason: text}}
equipment:
""",
    )
    + """\
  assembly/cell-1:
    type: cell
    source: {group: G, node: assembly, device: cell-1}
    work_center: CELL-1
"""
)
"""With a cell that makes what is started at its work center in Odoo."""


@cache
def plant(assets: str = ASSETS, codes: str = CODES) -> Assets:
    problems = Problems()
    read = read_assets("assets.yaml", assets, read_codes("codes.yaml", codes, problems), problems)
    assert read is not None, problems.all
    return read


def problems_of(text: str) -> list[str]:
    """What is wrong with a rule file, a line per problem."""
    rules, problems = compile_rules({"rules/a.yaml": text}, plant())
    assert (rules is None) == bool(problems)
    return [str(each) for each in problems]


@cache
def compiled(text: str, assets: str = ASSETS) -> Rules:
    rules, problems = compile_rules({"rules/a.yaml": text}, plant(assets))
    assert rules is not None, "\n".join(str(each) for each in problems)
    assert problems == tuple[Problem, ...]()
    return rules


class Floor:
    """One engine with the rules of a text. Every method answers with what came out since the last one, as lines.

    `restarting` puts the engine away and restores it from its records before each observation.
    """

    def __init__(self, rules: str, *, at: str = LINE, restarting: bool = False, assets: str = ASSETS) -> None:
        self.assets = plant(assets)
        self.rules = compiled(rules, assets)
        self.engine = Engine(self.rules, self.assets)
        self.at = at
        self.now_ms = START_MS
        self.records: dict[str, bytes] = {}
        self.outputs: list[EngineOutput] = []
        self.restarting = restarting
        self._seq = itertools.count()

    def says(
        self, *, at: str | None = None, birth: bool = False, **values: bool | int | float | str | None
    ) -> list[str]:
        """One message of the equipment with these signals."""
        return self.observes(self.samples(at or self.at, self.now_ms, values, birth=birth))

    def says_at(self, *, birth: bool = False, **readings: tuple[bool | int | float | str | None, int]) -> list[str]:
        """One message whose metrics have times of their own: value, and time since the start."""
        values = {name: value for name, (value, _) in readings.items()}
        samples = self.samples(self.at, self.now_ms, values, birth=birth)
        return self.observes(
            [replace(each, at_ms=START_MS + readings[each.signal][1]) for each in samples if isinstance(each, Sample)]
        )

    def stored(self, at_ms: int, **values: bool | int | float | str | None) -> list[str]:
        """One message with readings that were stored while nobody listened."""
        return self.observes(self.samples(self.at, at_ms, values, historical=True))

    def happens(self, signal: str, id: str, *, at: str | None = None, ago_ms: int = 0, **fields: Plain) -> list[str]:
        event = Event(
            equipment=at or self.at,
            signal=signal,
            id=id,
            fields=fields,
            at_ms=self.now_ms - ago_ms,
            source=Source(topic=f"uns/{signal}"),
        )
        return self.observes([event])

    def goes_away(self, at: str | None = None) -> list[str]:
        return self.observes([Stale(equipment=at or self.at, at_ms=self.now_ms, reason="NDEATH")])

    def comes_back(self, at: str | None = None, **values: bool | int | float | str | None) -> list[str]:
        """A birth with the present values."""
        fresh = Fresh(equipment=at or self.at, at_ms=self.now_ms)
        return self.observes([fresh, *self.samples(at or self.at, self.now_ms, values, birth=True)])

    def stays_away(self) -> list[str]:
        """After a start: no birth came in the time granted."""
        return self.observes([Unheard(equipment=self.at, at_ms=self.now_ms)])

    def after(self, length_ms: int) -> list[str]:
        """Let time pass, running timers when they are due."""
        until_ms = self.now_ms + length_ms
        outputs: list[EngineOutput] = []
        while (due_ms := self.engine.next_due_ms) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            outputs += self.engine.due(self.now_ms)
            self.store()
        self.now_ms = until_ms
        self.outputs += outputs
        return lines(outputs)

    def restarts(self) -> None:
        """The bridge is killed after a commit and starts again."""
        self.store()
        self.engine = Engine(self.rules, self.assets)
        for id, snapshot in self.records.items():
            self.engine.restore(id, snapshot)
        assert self.engine.take_changed() == frozenset()
        self.engine.started(self.now_ms)

    def store(self) -> None:
        for id in self.engine.take_changed():
            snapshot = self.engine.snapshot(id)
            if snapshot is None:
                self.records.pop(id, None)
            else:
                self.records[id] = snapshot

    def samples(
        self,
        at: str,
        at_ms: int,
        values: Mapping[str, bool | int | float | str | None],
        *,
        birth: bool = False,
        historical: bool = False,
    ) -> list[Observation]:
        """The samples of one message, the order first, as the translation delivers them."""
        source = Source(topic=f"spBv1.0/{at}", seq=next(self._seq) % 256)
        return [
            Sample(
                equipment=at,
                signal=name,
                value=values[name],
                at_ms=at_ms,
                source=source,
                birth=birth,
                historical=historical,
            )
            for name in sorted(values, key=lambda each: each != "order")
        ]

    def observes(self, observations: Iterable[Observation]) -> list[str]:
        if self.restarting:
            self.restarts()
        outputs = [*self.engine.due(self.now_ms), *self.engine.observe_all(tuple(observations), self.now_ms)]
        self.store()
        self.outputs += outputs
        return lines(outputs)

    @property
    def posted(self) -> list[Transaction]:
        return [each.transaction for each in self.outputs if isinstance(each, Post)]


def lines(outputs: Iterable[EngineOutput]) -> list[str]:
    """Each output as a line in the plant's words; times in seconds since the start. An event that is not wanted is
    nothing by itself."""
    return [_line(each) for each in outputs if not isinstance(each, Retraction)]


def _line(output: Post | Unmet | Alert | Remark) -> str:
    match output:
        case Post(transaction):
            return _posted(transaction)
        case Unmet():
            return f"dead {output.action} {output.order}: {output.reason}"
        case Alert():
            return f"alert {output.text}"
        case Remark():
            return f"remark {output.name}: {output.text}"


def _posted(transaction: Transaction) -> str:  # noqa: C901 (one line for each word of the vocabulary)
    where = f"{transaction.order}" if transaction.order else transaction.equipment.rsplit("/", 1)[-1]
    match transaction:
        case Progress():
            epoch = transaction.stream.rsplit("/", 1)[-1]
            return f"progress {where} epoch {epoch} upto {transaction.upto} {transaction.unit}"
        case Scrap():
            lot = f" lot {transaction.lot}" if transaction.lot else ""
            return f"scrap {where} {transaction.quantity} {transaction.unit} {transaction.reason}{lot}"
        case Complete() | QualityHold():
            name = "complete" if isinstance(transaction, Complete) else "hold"
            used = "".join(f" {each.quantity} {each.unit} {each.product}" for each in transaction.consumed)
            return f"{name} {where} {transaction.quantity} {transaction.unit} lot {transaction.lot}{used}"
        case Correct():
            return f"correct {where} {transaction.quantity} {transaction.unit} of {transaction.corrects}"
        case DowntimeRecord() | DowntimeClose():
            closed = " closed" if isinstance(transaction, DowntimeClose) else ""
            times = f"{_seconds(transaction.started_ms)}..{_seconds(transaction.ended_ms)}"
            parts = "".join(f", {_seconds(each.started_ms)} {each.shift or 'between'}" for each in transaction.parts)
            return f"downtime {transaction.work_center} {times} {transaction.loss}{closed}{parts}"
        case DowntimeOpen() | CapacityBlock():
            name = "blocked" if isinstance(transaction, CapacityBlock) else "open"
            since = _seconds(transaction.started_ms)
            return f"{name} {transaction.work_center} since {since} at {_seconds(transaction.at_ms)} {transaction.loss}"
        case CapacityUnblock():
            times = f"{_seconds(transaction.started_ms)}..{_seconds(transaction.ended_ms)}"
            return f"unblocked {transaction.work_center} {times}"
        case MaterialConsume():
            amount = f"{transaction.quantity:f} {transaction.unit}"
            return f"consume {transaction.order} {amount} of {transaction.product} lot {transaction.lot}"
        case LotCreate():
            return f"lot {transaction.lot} of {transaction.product} until {transaction.expires_ms}"
        case QualityResult():
            return f"result {where} {transaction.status} lot {transaction.lot}"
        case QualityRequest():
            return f"inspection {transaction.inspection} {transaction.order or transaction.lot}"
        case QualityHoldStock() | QualityRelease():
            amount = "all" if transaction.quantity is None else f"{transaction.quantity} {transaction.unit}"
            word = "hold" if isinstance(transaction, QualityHoldStock) else "release"
            return f"{word} {amount} of {transaction.product} lot {transaction.lot}"
        case MaintenanceClose():
            return f"maintenance {transaction.serial_number} closed for {transaction.cause}"
        case MaintenanceRequest():
            text = f" ({transaction.text})" if transaction.text else ""
            return f"maintenance {transaction.serial_number} {transaction.title}{text} priority {transaction.priority}"
        case OrderState():
            return f"{where}: {transaction.text}"
        case WorkOrderStart() | WorkOrderPause() | WorkOrderFinish():
            return f"work order {transaction.work_order} of {where}"


def _seconds(at_ms: int) -> str:
    return f"{(at_ms - START_MS) / 1000:g}"
