"""`Catalog`: what one birth declared, and how to read the metrics of later messages by it.

A node has one for itself and one for each device. Aliases are unique over a node by the standard, but as the
topic names the device, an alias that two origins share is still read rightly: each looks in its own catalog.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import Reading, Template, Value
from sparkplug.finding import FindingName, Problem
from sparkplug.wire.payload import Metric, Payload
from sparkplug.wire.value import READERS, Definitions, Reader, read_value

BD_SEQ: Final = "bdSeq"
_TYPES_PREFIX: Final = "_types_/"  # where some publishers put template definitions, leaving it out of the reference
_LONGEST_TEXT: Final = 400


class Declared(NamedTuple):
    """A metric of a birth. `datatype` is the code as sent, None where the birth lacks it."""

    name: str
    alias: int | None
    datatype: int | None


class _Known(NamedTuple):
    """A declared metric, and the reader for each protobuf field that may hold a value of its datatype."""

    declared: Declared
    readers: Mapping[str, Reader]


_NO_READERS: Final[Mapping[str, Reader]] = {}


class Catalog:
    """The metrics of one birth by name and by alias. Never changes: the next birth makes a new one."""

    __slots__ = ("_by_alias", "_by_name", "_nameless", "_shared", "declared")

    def __init__(self, declared: Iterable[Declared], nameless: frozenset[int] = frozenset()) -> None:
        """`nameless` are the aliases of a birth's metrics that lack a name: no rebirth mends them."""
        self.declared = tuple(declared)
        self._nameless = nameless
        self._by_name = {metric.name: _Known(metric, _readers(metric.datatype)) for metric in self.declared}
        uses = Counter(known.declared.alias for known in self._by_name.values())
        self._by_alias: dict[int | None, _Known] = {
            alias: known
            for known in self._by_name.values()
            if (alias := known.declared.alias) is not None and uses[alias] == 1
        }
        self._shared: dict[int, list[str]] = {}  # what an alias that means nothing could mean
        for known in self._by_name.values() if len(uses) < len(self._by_name) else ():
            if (alias := known.declared.alias) is not None and uses[alias] > 1:
                self._shared.setdefault(alias, []).append(known.declared.name)

    @property
    def aliases(self) -> frozenset[int]:
        """The aliases that mean one metric."""
        return frozenset(alias for alias in self._by_alias if alias is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return tuple(self._by_name)

    def addressed(self, name: str) -> Declared | None:
        """The metric as a command must address it: without its alias where that means several metrics."""
        known = self._by_name.get(name)
        if known is None:
            return None
        is_alone = known is self._by_alias.get(known.declared.alias)
        return known.declared if is_alone else known.declared._replace(alias=None)

    def read(
        self, payload: Payload, received_ms: int, definitions: Definitions
    ) -> tuple[tuple[Reading, ...], list[Problem]]:
        """The readings of a message, in its order, and what is wrong with the metrics that are left out."""
        readings: list[Reading] = []
        problems = list(payload.problems)
        message_ms = payload.timestamp_ms or received_ms
        for metric in payload.metrics:
            if metric.name is None:
                known = self._by_alias.get(metric.alias)
            else:
                known = self._by_name.get(metric.name)
                if metric.alias is not None and self._by_alias.get(metric.alias, known) is not known:
                    problems.append(self._mismatch(metric))
            if known is None:
                problems.append(self._unknown(metric))
                continue
            try:
                value = _value(metric, known, definitions, problems)
            except _Left as left:
                problems.append(left.problem)
                continue
            readings.append(
                Reading(
                    metric=known.declared.name,
                    value=value,
                    at_ms=metric.at_ms or message_ms,
                    historical=metric.historical,
                    transient=metric.transient,
                    quality=metric.quality,
                )
            )
        return tuple(readings), _told(problems) if problems else problems

    def _mismatch(self, metric: Metric) -> Problem:
        other = self._by_alias[metric.alias].declared.name
        text = f"{metric.name!r} comes with the alias {metric.alias}, which is that of {other!r}"
        return Problem(FindingName.ALIAS_MISMATCH, text)

    def _unknown(self, metric: Metric) -> Problem:
        if metric.name is not None:
            return Problem(FindingName.METRIC_UNKNOWN, f"{metric.name!r} was not in the birth")
        if metric.alias is not None:
            return self._unread_alias(metric.alias)
        return Problem(FindingName.METRIC_UNNAMED, "a metric has neither a name nor an alias")

    def _unread_alias(self, alias: int) -> Problem:
        """What the birth itself has wrong is not mended by another, so it must not ask for one."""
        if alias in self._nameless:
            return Problem(FindingName.METRIC_UNNAMED, f"the birth has no name for the alias {alias}")
        if alias in self._shared:
            return Problem(FindingName.ALIAS_REPEATED, f"alias {alias} means all of {self._shared[alias][:5]}")
        return Problem(FindingName.ALIAS_UNKNOWN, f"alias {alias} was not in the birth")


EMPTY: Final = Catalog(())


def declare(payload: Payload) -> tuple[Catalog, list[Problem]]:
    """The catalog of a birth, and what is wrong with its names and aliases."""
    declared = [Declared(metric.name, metric.alias, metric.datatype) for metric in payload.metrics if metric.name]
    names = Counter(metric.name for metric in declared)
    nameless = frozenset(metric.alias for metric in payload.metrics if not metric.name and metric.alias is not None)
    catalog = Catalog(declared, nameless - {metric.alias for metric in declared} if nameless else nameless)
    aliases: dict[int, set[str]] = {}
    for metric in declared:
        if metric.alias is not None:
            aliases.setdefault(metric.alias, set()).add(metric.name)
    problems = [
        Problem(FindingName.METRIC_REPEATED, f"the birth declares {name!r} {count} times")
        for name, count in names.items()
        if count > 1 and name != BD_SEQ  # a habit of some publishers on a rebirth, and harmless
    ]
    problems += [
        Problem(FindingName.ALIAS_REPEATED, f"alias {alias} means all of {sorted(shared)}")
        for alias, shared in aliases.items()
        if len(shared) > 1
    ]
    return catalog, _told(problems)


def _told(problems: list[Problem]) -> list[Problem]:
    """The problems in texts that a line can hold: a hostile name has megabytes."""
    return [
        problem if len(problem.text) <= _LONGEST_TEXT else problem._replace(text=f"{problem.text[:_LONGEST_TEXT]} ...")
        for problem in problems
    ]


def template_definitions(payload: Payload) -> dict[str, dict[str, int]]:
    """The members' datatypes of the templates that an NBIRTH defines, under each name a reference may use."""
    definitions: dict[str, dict[str, int]] = {}
    for metric in payload.metrics:
        if metric.name and metric.field == "template_value" and metric.raw.is_definition:
            members = {member.name: member.datatype for member in metric.raw.metrics if isinstance(member.name, str)}
            definitions[metric.name] = members
            definitions[metric.name.removeprefix(_TYPES_PREFIX)] = members
    return definitions


class _Left(Exception):
    """Inside this module: the metric is left out, because of `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def _readers(datatype: int | None) -> Mapping[str, Reader]:
    return _NO_READERS if datatype is None else READERS.get(datatype, _NO_READERS)


def _value(metric: Metric, known: _Known, definitions: Definitions, problems: list[Problem]) -> Value:
    """The value of one metric. Its own datatype, where sent, tells how it is encoded; else the birth's."""
    if metric.is_null:
        return None
    declared, field = known.declared, metric.field
    if field is None:
        raise _Left(Problem(FindingName.VALUE_MISSING, f"{declared.name!r} has no value and is not null"))
    try:
        if metric.datatype is None or metric.datatype == declared.datatype:
            reader = known.readers.get(field)
            if reader is not None:
                return reader(metric.raw)
        datatype = metric.datatype or declared.datatype  # 0, Unknown, tells nothing
        if datatype is None:
            raise _Left(Problem(FindingName.DATATYPE_MISSING, f"{declared.name!r} has no datatype"))
        if datatype not in READERS:
            raise _Left(Problem(FindingName.DATATYPE_UNKNOWN, f"{declared.name!r} is of the datatype {datatype}"))
        value = read_value(datatype, field, metric.raw, definitions)
    except ValueUnreadable as error:
        raise _Left(Problem(FindingName.VALUE_INVALID, f"{declared.name!r}: {error}")) from error
    if isinstance(value, Template) and value.ref is not None and value.ref not in definitions:
        problems.append(
            Problem(FindingName.TEMPLATE_UNKNOWN, f"{declared.name!r} is a {value.ref!r}, which the node never defined")
        )
    return value
