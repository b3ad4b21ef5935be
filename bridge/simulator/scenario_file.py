"""Reads a scenario from YAML, strictly: unknown keys are problems, all are found at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeVar

from bridge.simulator.scenario import (
    Component,
    CounterReset,
    FailedCheck,
    Incident,
    MesScenario,
    OrderFlow,
    QualityScenario,
    Scenario,
    ScrapScenario,
    Source,
    Span,
    StationScenario,
    StopIncident,
    StopScenario,
    UnmappedScrap,
    VibrationIncident,
)
from ruleset.document import Node, read_document
from ruleset.errors import RuleError
from ruleset.problem import Problem, Problems
from sparkplug.fact import NodeId

STATES: Final = ("STOPPED", "FAULT", "STARVED")
LOSSES: Final = (
    "material_availability",
    "breakdown",
    "setup",
    "reduced_speed",
    "defect",
    "unclassified",
)
COUNTER_END: Final = 65536
"""The PLCs count in 16 bits."""

_Value = TypeVar("_Value")


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises `RuleError` with every problem, and `OSError` where there is no such file."""
    return read_scenario(str(path), path.read_text("utf-8"))


def read_scenario(file: str, text: str) -> Scenario:
    """Read a scenario. `file` is the name that problems show. Raises `RuleError` with every problem."""
    problems = Problems()
    root = read_document(file, text, problems)
    scenario = _Reader(problems).scenario(root) if root else None
    if problems.all or scenario is None:
        raise RuleError(problems.all or (Problem(file=file, text="no scenario"),))
    return scenario


class _Reader:
    """Reads part by part. After a problem a stand-in goes on, so that the rest is read too; it never gets out."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def scenario(self, root: Node) -> Scenario:
        keys = ("seed", "site", "settle", "changeover", "orders", "stations", "stops", "scrap", "quality", "mes")
        required = (*keys, "consumption", "incidents")
        at = root.mapping(allowed=(*required, "primary_host"), required=required)
        host = at.get("primary_host")
        stations = self._each(at.get("stations"), self._station)
        return Scenario(
            seed=self._integer(at.get("seed")),
            site=self._text(at.get("site")),
            primary_host=host.text() if host else None,
            settle_ms=self._duration(at.get("settle")),
            changeover_ms=self._duration(at.get("changeover")),
            orders=self._orders(at.get("orders")),
            stations=stations,
            stops=self._members(at.get("stops"), self._stop),
            scrap=self._scrap(at.get("scrap")),
            quality=self._quality(at.get("quality")),
            mes=self._mes(at.get("mes")),
            consumption=self._members(at.get("consumption"), self._component),
            incidents=self._incidents(at.get("incidents"), stations),
        )

    def _orders(self, node: Node | None) -> OrderFlow:
        at = _keys(node, "count", "every", "quantity")
        return OrderFlow(
            count=self._integer(at.get("count")),
            every_ms=self._duration(at.get("every")),
            quantity=self._span(at.get("quantity"), at_least=1),
        )

    def _station(self, equipment: str, node: Node) -> StationScenario:
        at = _keys(
            node,
            *("source", "work_center", "serial_number", "piece"),
            optional=("counter", "scraps", "vibrates"),
        )
        return StationScenario(
            equipment=equipment,
            source=self._source(at.get("source")),
            work_center=self._text(at.get("work_center")),
            serial_number=self._text(at.get("serial_number")),
            piece_ms=self._duration(at.get("piece"), at_least_ms=1),
            counter=self._integer(at.get("counter"), at_most=COUNTER_END - 1),
            scraps=self._flag(at.get("scraps")),
            vibrates=self._flag(at.get("vibrates")),
        )

    def _stop(self, node: Node) -> StopScenario:
        at = _keys(node, "chance", "states", "lasts", optional=("fault", "loss"))
        loss = at.get("loss")
        return StopScenario(
            chance=self._chance(at.get("chance")),
            states=self._members(at.get("states"), lambda each: each.choice(STATES) or ""),
            fault=self._text(at.get("fault")),
            lasts_ms=self._duration_span(at.get("lasts")),
            loss=loss.choice(LOSSES) if loss else None,
        )

    def _scrap(self, node: Node | None) -> ScrapScenario:
        at = _keys(node, "chance", "unconfirmed", "quantity", "reasons")
        return ScrapScenario(
            chance=self._chance(at.get("chance")),
            unconfirmed=self._chance(at.get("unconfirmed")),
            quantity=self._span(at.get("quantity"), at_least=1),
            reasons=self._members(at.get("reasons"), self._text),
        )

    def _quality(self, node: Node | None) -> QualityScenario:
        at = _keys(
            node,
            *("equipment", "source", "serial_number", "decides", "rejects", "undecided", "check"),
        )
        return QualityScenario(
            equipment=self._text(at.get("equipment")),
            source=self._source(at.get("source")),
            serial_number=self._text(at.get("serial_number")),
            decides_ms=self._duration_span(at.get("decides")),
            rejects=frozenset(self._members(at.get("rejects"), self._integer)),
            undecided=frozenset(self._members(at.get("undecided"), self._integer)),
            check=self._text(at.get("check")),
        )

    def _mes(self, node: Node | None) -> MesScenario:
        at = _keys(node, "reports", "refuses", "duplicates")
        return MesScenario(
            reports_ms=self._duration_span(at.get("reports")),
            refuses=self._refusals(at.get("refuses")),
            duplicates=self._chance(at.get("duplicates")),
        )

    def _refusals(self, node: Node | None) -> Mapping[int, str]:
        refusals: dict[int, str] = {}
        for written, _, reason in node.entries() if node else ():
            if written.isdecimal():
                refusals[int(written)] = self._text(reason)
            else:
                reason.problem(f'"{written}" is no place of an order, such as "9"')
        return refusals

    def _component(self, node: Node) -> Component:
        at = _keys(node, "product", "quantity", "unit", optional=("lot",))
        lot = at.get("lot")
        return Component(
            product=self._text(at.get("product")),
            lot=lot.text() if lot else None,
            quantity=self._decimal(at.get("quantity")),
            unit=self._text(at.get("unit")),
        )

    def _incidents(self, node: Node | None, stations: tuple[StationScenario, ...]) -> tuple[Incident, ...]:
        return tuple(
            incident
            for each in (node.items() if node else ())
            if (incident := self._incident(each, stations)) is not None
        )

    def _incident(self, node: Node, stations: tuple[StationScenario, ...]) -> Incident | None:
        optional = ("station", "fault", "lasts", "loss", "reason", "check")
        at = node.mapping(allowed=("at", "do", *optional), required=("at", "do"))
        kinds: dict[str, tuple[str, ...]] = {
            "vibration": ("station",),
            "stop": ("station", "fault", "lasts", "loss"),
            "counter_reset": ("station",),
            "unmapped_scrap": ("station", "reason"),
            "failed_check": ("check",),
        }
        do = at["do"].choice(kinds) if "do" in at else None
        if do is None:
            return None
        at = _keys(node, "at", "do", *kinds[do])
        at_ms = self._duration(at.get("at"))
        fit = {
            "vibration": [each.equipment for each in stations if each.vibrates],
            "unmapped_scrap": [each.equipment for each in stations if each.scraps],
        }.get(do, [each.equipment for each in stations])
        station = (at["station"].choice(fit) or "") if "station" in at else ""
        match do:
            case "vibration":
                return VibrationIncident(at_ms=at_ms, station=station)
            case "counter_reset":
                return CounterReset(at_ms=at_ms, station=station)
            case "unmapped_scrap":
                return UnmappedScrap(at_ms=at_ms, station=station, reason=self._text(at.get("reason")))
            case "failed_check":
                return FailedCheck(at_ms=at_ms, check=self._text(at.get("check")))
            case _:
                loss = at.get("loss")
                return StopIncident(
                    at_ms=at_ms,
                    station=station,
                    fault=self._text(at.get("fault")),
                    lasts_ms=self._duration(at.get("lasts"), at_least_ms=1),
                    loss=(loss.choice(LOSSES) or "") if loss else "",
                )

    def _source(self, node: Node | None) -> Source:
        at = _keys(node, "group", "node", optional=("device",))
        device = at.get("device")
        return Source(
            node=NodeId(self._text(at.get("group")), self._text(at.get("node"))),
            device=device.text() if device else None,
        )

    def _span(self, node: Node | None, at_least: int = 0) -> Span:
        at = _keys(node, "at_least", "at_most")
        span = Span(self._integer(at.get("at_least"), at_least=at_least), self._integer(at.get("at_most")))
        return self._checked(span, node)

    def _duration_span(self, node: Node | None) -> Span:
        at = _keys(node, "at_least", "at_most")
        return self._checked(Span(self._duration(at.get("at_least")), self._duration(at.get("at_most"))), node)

    def _checked(self, span: Span, node: Node | None) -> Span:
        if node and span.at_most < span.at_least:
            node.problem("at_most is less than at_least")
        return span

    def _each(self, node: Node | None, read: Callable[[str, Node], _Value]) -> tuple[_Value, ...]:
        return tuple(read(key, value) for key, value in node.mapping().items()) if node else ()

    def _members(self, node: Node | None, read: Callable[[Node], _Value]) -> tuple[_Value, ...]:
        return tuple(read(each) for each in node.items()) if node else ()

    def _text(self, node: Node | None) -> str:
        return (node.text() or "") if node else ""

    def _integer(self, node: Node | None, at_least: int = 0, at_most: int | None = None) -> int:
        return (node.integer(at_least=at_least, at_most=at_most) or 0) if node else 0

    def _duration(self, node: Node | None, at_least_ms: int = 0) -> int:
        return (node.duration(at_least_ms=at_least_ms) or 0) if node else 0

    def _chance(self, node: Node | None) -> float:
        return (node.number(at_least=0, at_most=1) or 0.0) if node else 0.0

    def _flag(self, node: Node | None) -> bool:
        return bool(node.boolean()) if node else False

    def _decimal(self, node: Node | None) -> Decimal:
        written = self._text(node)
        try:
            quantity = Decimal(written)
            if quantity.is_finite() and quantity > 0:
                return quantity
        except InvalidOperation:
            pass
        if node and written:
            node.problem(f'expected a quantity such as "0.05", found "{written}"')
        return Decimal(1)


def _keys(node: Node | None, *required: str, optional: tuple[str, ...] = ()) -> dict[str, Node]:
    return node.mapping(allowed=(*required, *optional), required=required) if node else {}
