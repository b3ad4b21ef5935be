"""What a rule sees when it is evaluated: one equipment, at one moment, because of one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec.structs import replace

from ruleset.cel import LARGEST, EvaluationFailed, Expression, as_cel, number_text
from ruleset.equipment import Equipment, EventSignal, Field, ValueType
from ruleset.output import Alert, Remark, RemarkName
from ruleset.sample import Event, Plain, Sample, Source
from ruleset.trace.outline import Outline
from ruleset.trace.trace import Check, Outcome, Told, Trace
from ruleset.transaction import Provenance

Known: TypeAlias = bool | int | float | str


class OnError(StrEnum):
    """What becomes of what a rule cannot decide, where it does not have to be as its form has it."""

    REMARK = "remark"
    ALERT = "alert"
    DEAD_LETTER = "dead_letter"


Seen: TypeAlias = "tuple[Expression, dict[str, Plain], Plain | EvaluationFailed]"
"""An expression that was evaluated, over which values, and the answer."""

WHOLE_TABLE: Final = 16
"""Code tables up to this size stand in a trace whole; of a larger one what was asked for."""


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

    `seen` gathers what is evaluated and `notes` what the form says besides, for the trace; moments made of this one
    share them. `told` are the samples that told the signals.
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
    on_error: OnError | None = None
    told: Mapping[str, Sample] = {}
    outline: Outline = Outline()
    seen: list[Seen] = []
    notes: dict[str, Any] = {}

    def since_ms(self, condition: Expression) -> int:
        """When the condition became what it is now: other metrics of the same message may be much older, or newer."""
        times = [self.changed_ms[name] for name in condition.names if name in self.changed_ms]
        return max(times, default=self.at_ms)

    def with_extra(self, extra: Mapping[str, Plain]) -> Moment:
        return replace(self, extra={**self.extra, **extra})

    def of(self, source: Source, at_ms: int) -> Moment:
        """The same state, told by another message."""
        return replace(self, source=source, at_ms=at_ms)

    def apart(self) -> Moment:
        """The same, with a trace of its own from here on."""
        return replace(self, seen=[*self.seen], notes={**self.notes})

    def bind(self, names: Iterable[str]) -> dict[str, Plain]:
        """The values of these names as expressions read them; what is not known is left out."""
        values: dict[str, Plain] = {}
        for name in names:
            if name in self.extra:
                values[name] = self.extra[name]
            elif name in self.known:
                values[name] = as_cel(self.known[name])
            elif name.startswith("codes."):
                values[name] = cast("dict[str, Plain]", self.codes.get(name[6:], {}))
            elif name.startswith("has."):
                values[name] = name[4:] in self.extra or name[4:] in self.known
            elif name == "asset.name":
                values[name] = self.equipment.name
            elif name == "asset.path":
                values[name] = self.equipment.path
        return values

    def evaluate(self, expression: Expression) -> Plain | EvaluationFailed:
        values = self.bind(expression.names)
        answer = expression.evaluate(values)
        self.seen.append((expression, values, answer))
        return answer

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

    def alert(self, text: str) -> Alert:
        """A person must look at this equipment. Two of one rule at one moment are the same."""
        key, path = f"{self.equipment.path}:alert:{self.rule}:{self.at_ms}", self.equipment.path
        trace = self.trace(Outcome.ALERTED, key=key, reason=text)
        return Alert(rule=self.rule, equipment=path, text=text, at_ms=self.at_ms, trace=trace)

    def trace(self, outcome: Outcome, *, key: str = "", reason: str = "") -> Trace:
        """Why the rule answers so: all that was evaluated up to here."""
        names = {name for _, values, _ in self.seen for name in values}
        return Trace(
            rule=self.rule,
            version=self.version,
            form=self.outline.form,
            equipment=self.equipment.path,
            outcome=outcome,
            at_ms=self.at_ms,
            decided_ms=self.now_ms,
            key=key,
            topic=self.source.topic,
            seq=self.source.seq,
            checks=tuple(_check(self.outline, *each) for each in self.seen),
            told={name: told for name in sorted(names) if (told := self._told_by(name)) is not None},
            facts={**self.outline.settings, **self.notes},
            reason=reason,
        )

    def _told_by(self, name: str) -> Told | None:
        """The message that told the value of a name; None for what no message tells, or not since the start."""
        sample = self.told.get(name)
        if sample is not None and name not in self.extra:
            return Told(at_ms=sample.at_ms, topic=sample.source.topic, seq=sample.source.seq)
        if self.outline.event and name.startswith(f"{self.outline.event}."):
            return Told(at_ms=self.notes.get("event_ms", self.at_ms), topic=self.source.topic, seq=self.source.seq)
        other = self.notes.get("decided_by")
        if other is not None and name.startswith(f"{other['event']}."):
            return Told(at_ms=other["at_ms"], topic=other["topic"], seq=other["seq"])
        return None

    def failed(self, expression: Expression, failure: EvaluationFailed) -> Remark | Alert:
        """What is said about an expression that could not be evaluated: a remark, where the rule wants no alert."""
        text = f"rule {self.rule}: {expression.text}: {failure.text}"
        return self.alert(text) if self.on_error is OnError.ALERT else self.remark_failure(text)

    def remark_failure(self, text: str) -> Remark:
        return Remark(name=RemarkName.EVALUATION_FAILED, equipment=self.equipment.path, text=text)


def _check(outline: Outline, expression: Expression, values: dict[str, Plain], answer: object) -> Check:
    read = {name: _asked(value, values, expression) for name, value in values.items()}
    failed = answer if isinstance(answer, EvaluationFailed) else None
    return Check(
        place=outline.place(expression),
        text=expression.text,
        values=read,
        answer=None if failed else answer,
        failure=failed.text if failed else "",
    )


def _asked(value: Plain, values: Mapping[str, Plain], expression: Expression) -> Plain:
    """Of a long table the entries whose keys are among the values, or in the expression's text."""
    if not isinstance(value, dict) or len(value) <= WHOLE_TABLE:
        return value
    texts = {each for each in values.values() if isinstance(each, str)}
    return {key: each for key, each in value.items() if key in texts or repr(key)[1:-1] in expression.text}


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
