"""What a rule sees when it is evaluated: one equipment, at one moment, because of one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ruleset.cel import LARGEST, EvaluationFailed, Expression, as_cel, number_text
from ruleset.equipment import Equipment, EventSignal, Field, ValueType
from ruleset.output import Remark, RemarkName
from ruleset.sample import Event, Plain, Source
from ruleset.transaction import Provenance

Known: TypeAlias = "bool | int | float | str"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with `{expression}` in it: its fixed parts and the expressions between them."""

    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts if isinstance(part, Expression)))

    def fill(self, moment: Moment) -> str:
        """The text; an expression without a value shows as `?`."""
        filled = (part if isinstance(part, str) else _shown(moment.evaluate(part)) for part in self.parts)
        return "".join(filled)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """`known` are the equipment's signals, `extra` what the rule's form adds (event fields, episode).

    Names without a known value are in neither. `running` is the order that runs, empty for none. `changed_ms` are the
    times of the signals that this message told. A `Struct`, because three or more are made per message: 0.3 us each
    where a dataclass took 3.3.
    """

    equipment: Equipment
    rule: str
    version: str
    codes: Mapping[str, Mapping[str, str]]
    known: Mapping[str, Known]
    running: str
    source: Source
    at_ms: int
    now_ms: int
    extra: Mapping[str, Plain] = {}
    changed_ms: Mapping[str, int] = {}

    def since_ms(self, condition: Expression) -> int:
        """When the condition became what it is now: other metrics of the same message may be much older, or newer."""
        times = [self.changed_ms[name] for name in condition.names if name in self.changed_ms]
        return max(times, default=self.at_ms)

    def with_extra(self, extra: Mapping[str, Plain]) -> Moment:
        return replace(self, extra={**self.extra, **extra})

    def of(self, source: Source, at_ms: int) -> Moment:
        """The same state, told by another message."""
        return replace(self, source=source, at_ms=at_ms)

    def bind(self, names: Iterable[str]) -> dict[str, Plain]:
        """The values of these names as expressions read them; what is not known is left out."""
        values: dict[str, Plain] = {}
        for name in names:
            if name in self.extra:
                values[name] = self.extra[name]
            elif name in self.known:
                values[name] = as_cel(self.known[name])
            elif name.startswith("codes."):
                values[name] = dict(self.codes.get(name[6:], {}))
            elif name.startswith("has."):
                values[name] = name[4:] in self.extra or name[4:] in self.known
            elif name == "asset.name":
                values[name] = self.equipment.name
            elif name == "asset.path":
                values[name] = self.equipment.path
        return values

    def evaluate(self, expression: Expression) -> Plain | EvaluationFailed:
        return expression.evaluate(self.bind(expression.names))

    def holds(self, condition: Expression) -> bool | EvaluationFailed:
        """Whether a condition is true; neither when it cannot be decided."""
        answer = self.evaluate(condition)
        if isinstance(answer, bool | EvaluationFailed):
            return answer
        return EvaluationFailed(f"{condition.text} is neither true nor false")

    def provenance(self, names: Iterable[str]) -> Provenance:
        """Which rule and message, and the values of those names that are signals or event fields."""
        read = [name for name in sorted(names) if not name.startswith(("codes.", "has.", "asset.", "episode.shares"))]
        return Provenance(
            rule=self.rule, version=self.version, topic=self.source.topic, seq=self.source.seq, values=self.bind(read)
        )

    def failed(self, expression: Expression, failure: EvaluationFailed) -> Remark:
        """The remark about an expression that could not be evaluated."""
        text = f"rule {self.rule}: {expression.text}: {failure.text}"
        return Remark(name=RemarkName.EVALUATION_FAILED, equipment=self.equipment.path, text=text)


def event_values(event: Event, signal: EventSignal) -> dict[str, Plain]:
    """The fields of an event under dotted names, those left out whose value does not have the declared type."""
    values: dict[str, Plain] = {f"{signal.name}.id": event.id}
    for each in signal.fields:
        value = event.fields.get(each.name)
        if value is not None and _fits(value, each):
            values[f"{signal.name}.{each.name}"] = as_cel(value)
    return values


def _fits(value: Plain, field: Field) -> bool:
    match field.type:
        case None:
            return isinstance(value, list) and all(isinstance(each, dict) for each in value)
        case ValueType.BOOLEAN:
            return isinstance(value, bool)
        case ValueType.INTEGER | ValueType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
        case ValueType.TEXT:
            return isinstance(value, str)


def _shown(value: Plain | EvaluationFailed) -> str:
    if isinstance(value, EvaluationFailed):
        return "?"
    return number_text(value) if isinstance(value, float) else str(value)
