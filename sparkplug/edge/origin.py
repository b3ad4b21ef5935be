"""`Origin`: what an edge node of our own, or one of its devices, declares in its birth, and the present values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparkplug.fact import Value
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import Metric, TypedMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric that a birth declares. `alias`, where given, is unique over the node and its devices."""

    name: str
    datatype: Datatype
    value: Value = None
    alias: int | None = None


@dataclass(frozen=True, slots=True)
class _Current:
    value: Value
    at_ms: int | None  # None until the first update: the birth's own time


class Origin:
    """The metrics of one birth. Raises `ValueError` for names that differ by letter case at most, and for an alias
    that is given twice (`tck-id-case-sensitivity-metric-names`, `tck-id-payloads-alias-uniqueness`)."""

    __slots__ = ("aliases", "current", "definitions", "there")

    def __init__(self, metrics: Iterable[MetricDefinition]) -> None:
        declared = tuple(metrics)
        self.definitions = {metric.name: metric for metric in declared}
        self.current = {metric.name: _Current(metric.value, None) for metric in declared}
        self.aliases = frozenset(metric.alias for metric in declared if metric.alias is not None)
        self.there = True
        refuse_repeated("metric", [metric.name for metric in declared])
        refuse_repeated("alias", [str(metric.alias) for metric in declared if metric.alias is not None])

    def change(self, values: Mapping[str, Value], at_ms: int) -> None:
        """Take new present values."""
        for name, value in values.items():
            self.current[name] = _Current(value, at_ms)

    def declared(self, now_ms: int) -> list[TypedMetric]:
        """The metrics of a birth (`tck-id-topics-nbirth-metrics`)."""
        return [
            TypedMetric(
                name=name,
                alias=metric.alias,
                datatype=metric.datatype,
                value=self.current[name].value,
                at_ms=self.current[name].at_ms or now_ms,
            )
            for name, metric in self.definitions.items()
        ]

    def typed(self, values: Mapping[str, Value], at_ms: int, historical: bool) -> list[TypedMetric]:
        """The metrics of data: the alias instead of the name where there is one
        (`tck-id-payloads-alias-data-cmd-requirement`)."""
        metrics = [(self.definitions[name], value) for name, value in values.items()]
        return [
            TypedMetric(
                name=metric.name if metric.alias is None else None,
                alias=metric.alias,
                datatype=metric.datatype,
                value=value,
                at_ms=at_ms,
                declares=False,
                historical=historical,
            )
            for metric, value in metrics
        ]

    def find(self, metric: Metric) -> MetricDefinition | None:
        """The definition that a command's metric means."""
        if metric.name is not None:
            return self.definitions.get(metric.name)
        return next((d for d in self.definitions.values() if d.alias is not None and d.alias == metric.alias), None)


def refuse_repeated(kind: str, names: Iterable[str]) -> None:
    """Raise `ValueError` for names of which two are the same but for letter case."""
    counts = Counter(name.casefold() for name in names)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"{kind} {', '.join(map(repr, repeated))} is declared twice (letter case aside)")
