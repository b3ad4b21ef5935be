"""Series: what one signal says, tick by tick, in one line: `RUN x6 STOPPED x3 _ x12 RUN`, `0..100/5`, `'' mo-1`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from ruleset.document import Node
from ruleset.equipment import Signal, ValueType
from ruleset.grammar.expression import problem_within
from ruleset.testing.case import Value

MOST_TICKS: Final = 100_000
"""A day of a tick a second; a repetition with a zero too many must not eat the memory."""

_ELEMENT: Final = re.compile(r"""(?P<quoted>'(?:[^']|'')*'|"[^"]*")(?=\s|$)|(?P<word>[^\s'"]\S*)|(?P<wrong>\S+)""")
_REPEAT: Final = re.compile(r"x(\d+)")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_WHOLE: Final = re.compile(r"-?\d+")
_RAMP: Final = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?")
_WORDS: Final = {"true": True, "false": False}
_NOT: Final = {
    ValueType.BOOLEAN: "neither true nor false",
    ValueType.INTEGER: "no whole number",
    ValueType.NUMBER: "no number",
}


class Silence(Enum):
    """The signal is not told at this tick."""

    SILENT = "_"


Tick: TypeAlias = "Value | Silence"


def read_series(node: Node, signal: Signal) -> tuple[Tick, ...] | None:
    """The values of a signal, one a tick; None, and problems, where the text is no series."""
    text = node.scalar()
    if text is None:
        return None
    before = len(node.problems)
    ticks: list[Tick] = []
    run: list[Tick] = []
    for match in _ELEMENT.finditer(text):
        element, offset = match.group(), match.start()
        repeat = _REPEAT.fullmatch(element) if match["word"] else None
        if match["wrong"]:
            problem_within(node, offset, f"{element} has a quote that does not end, or text behind one that does")
        elif repeat is None:
            run = _read_element(node, offset, match, signal)
            ticks += run
        elif not run or not int(repeat[1]):
            what = "0 times is never" if run else "there is nothing before it to be repeated"
            problem_within(node, offset, f"{element}: {what}; a text that looks like this stands in quotes")
        elif len(ticks) + len(run) * int(repeat[1]) > MOST_TICKS:
            problem_within(node, offset, f"more than {MOST_TICKS} ticks; let `every` be longer")
            return None
        else:
            ticks += run * (int(repeat[1]) - 1)
            run = []
    if not text.strip():
        node.problem("a series needs a value; the empty text is '' in it, and nothing said at a tick is _")
    return tuple(ticks) if len(node.problems) == before else None


def changes(ticks: tuple[Tick, ...]) -> Iterator[tuple[int, Value]]:
    """The ticks at which the value is another than before: an edge node tells no others."""
    before: Tick = Silence.SILENT
    for number, tick in enumerate(ticks):
        if isinstance(tick, Silence) or (tick == before and isinstance(tick, bool) == isinstance(before, bool)):
            continue
        yield number, tick
        before = tick


def _read_element(node: Node, offset: int, match: re.Match[str], signal: Signal) -> list[Tick]:
    element = match.group()
    if match["word"]:
        if element == Silence.SILENT.value:
            return [Silence.SILENT]
        if element == "?":
            return [None]
        if (ramp := _RAMP.fullmatch(element)) and signal.type in (ValueType.INTEGER, ValueType.NUMBER):
            return _read_ramp(node, offset, ramp, signal.type)
    value = _value(_unquoted(element), signal.type)
    if value is None:
        problem_within(node, offset, f"{element} is {_NOT[signal.type]}, which {signal.name} is")
    return [value]


def _value(text: str, kind: ValueType) -> Value:
    match kind:
        case ValueType.TEXT:
            return text
        case ValueType.BOOLEAN:
            return _WORDS.get(text)
        case ValueType.INTEGER:
            return int(text) if _WHOLE.fullmatch(text) else None
        case ValueType.NUMBER:
            return float(text) if _NUMBER.fullmatch(text) else None


def _unquoted(element: str) -> str:
    if element[0] == "'":
        return element[1:-1].replace("''", "'")
    return element[1:-1] if element[0] == '"' else element


def _read_ramp(node: Node, offset: int, ramp: re.Match[str], kind: ValueType) -> list[Tick]:
    """From the first number towards the second, never beyond it."""
    first, last, step = Decimal(ramp[1]), Decimal(ramp[2]), Decimal(ramp[3] or 1)
    whole = all(each == each.to_integral_value() for each in (first, step))
    if not step or (last - first) / step > MOST_TICKS or (first - last) / step > MOST_TICKS:
        problem_within(node, offset, f"{ramp.group()} has no end, or more than {MOST_TICKS} ticks")
        return []
    if kind is ValueType.INTEGER and not whole:
        problem_within(node, offset, f"{ramp.group()} leaves the whole numbers")
        return []
    count = int(abs(last - first) / step) + 1
    values = [first + (step if last > first else -step) * number for number in range(count)]
    return [int(each) if kind is ValueType.INTEGER else float(each) for each in values]
