"""A trace in sentences for plant engineers. Pure; the caller says how a moment is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from ruleset.cel import number_text
from ruleset.document import format_duration
from ruleset.trace.trace import Check, Outcome, Told, Trace

Clock: TypeAlias = Callable[[int], str]

LONGEST_VALUE: Final = 200
_MOMENTS: Final = {
    "since_ms": "true since",
    "started_ms": "began",
    "ended_ms": "ended",
    "due_ms": "decided next",
    "posted_ms": "last posted",
}
_DURATIONS: Final = {
    "for_ms": "raise needs",
    "clear_for_ms": "clear needs",
    "once_ms": "once in",
    "micro_ms": "a micro-stop is shorter than",
    "merge_ms": "one episode over gaps up to",
    "within_ms": "within",
    "at_most_ms": "waits without an alert for",
    "every_ms": "posted every",
}
_OWN: Final = frozenset({"counter", "reading", "epoch", "made_before", "made", "order", "event_ms", "raised"})
"""Facts that stand in a sentence with others."""
_MEANS: Final = {
    Outcome.POSTED: "posted",
    Outcome.REFUSED: "meant to be posted, but a dead letter",
    Outcome.ALERTED: "an alert",
    Outcome.FALSE: "it did not hold",
    Outcome.UNDECIDED: "it could not be decided",
    Outcome.TOO_SHORT: "it held, but too short",
    Outcome.WAITS: "it holds, and waits for what else the rule asks",
    Outcome.OPEN: "told already, and lasts",
    Outcome.LASTS: "it lasts, and is told when it is over",
}


def headline(trace: Trace, clock: Clock) -> str:
    """What came of it, and when."""
    reason = f": {trace.reason}" if trace.reason else ""
    return f"{clock(trace.decided_ms)} {_MEANS[trace.outcome]}{reason}"


def one_line(trace: Trace, clock: Clock) -> str:
    """The last condition and what the rule asks for besides: `raise vibration_rms > 7.1 was false: ...`."""
    last = [check_text(each) for each in trace.checks if not each.place.startswith("with")][-1:]
    return "; ".join([*last, *fact_texts(trace, clock)])


def check_text(check: Check) -> str:
    """One expression with its answer and the values that it read."""
    if check.failure:
        answer = f"has no answer ({check.failure})"
    elif isinstance(check.answer, bool):
        answer = f"was {'true' if check.answer else 'false'}"
    else:
        answer = f"is {value_text(check.answer)}"
    read = ", ".join(f"{name} = {value_text(value)}" for name, value in sorted(check.values.items()))
    return f"{check.place} `{check.text}` {answer}{f': {read}' if read else ''}".strip()


def told_text(name: str, told: Told, clock: Clock) -> str:
    """Which message told a value."""
    seq = "" if told.seq is None else f" seq {told.seq}"
    return f"{name} told at {clock(told.at_ms)} by {told.topic}{seq}"


def fact_texts(trace: Trace, clock: Clock) -> tuple[str, ...]:
    """The rule's times and numbers, and what it remembered then."""
    return tuple(_facts(trace.facts, clock))


def value_text(value: Any) -> str:
    """A value as a person writes it, short."""
    match value:
        case bool():
            text = "true" if value else "false"
        case float():
            text = number_text(value)
        case dict():
            text = "{" + ", ".join(f"{key}: {value_text(each)}" for key, each in value.items()) + "}"
        case list():
            text = "[" + ", ".join(value_text(each) for each in value) + "]"
        case None:
            text = "nothing"
        case _:
            text = str(value) if str(value) else "''"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _facts(facts: Mapping[str, Any], clock: Clock) -> Iterator[str]:
    for name, value in facts.items():
        if name in _OWN:
            continue
        if name in _MOMENTS:
            yield f"{_MOMENTS[name]} {clock(value)}"
        elif name in _DURATIONS:
            yield f"{_DURATIONS[name]} {format_duration(value)}"
        elif name == "at_least":
            yield f"needs {value} events"
        elif name == "counted":
            yield "counted " + ", ".join(f"{id} ({clock(at_ms)})" for id, at_ms in value)
        elif name == "decided_by":
            yield f"decided by {value['event']} {value['id']} of {value['equipment']} at {clock(value['at_ms'])}"
        elif name == "because":
            yield f"because {value}"
        else:
            yield f"{name.removesuffix('_ms')} {format_duration(value) if name.endswith('_ms') else value_text(value)}"
    if "counter" in facts:
        yield (
            f"{facts['counter']} read {value_text(facts['reading'])} in epoch {facts['epoch']}: "
            f"{value_text(facts['made_before'])} to {value_text(facts['made'])} for {facts['order']}"
        )
