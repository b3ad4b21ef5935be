"""What became of a test: passed, or what differs, told to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ruleset.output import Alert, Post, Remark, Unmet
from ruleset.testing.case import SECTIONS, Offset, RuleTest, Shown
from ruleset.testing.compare import Difference, Got, Wrong, compare
from ruleset.testing.run import Ran
from ruleset.testing.shown import shown
from ruleset.trace.sentence import headline, one_line
from ruleset.trace.trace import Trace

_NAMES: Final = {"expect": "posting", "unmet": "dead letter", "alerts": "alert", "remarks": "remark"}
_SECTION: Final = {Post: "expect", Unmet: "unmet", Alert: "alerts", Remark: "remarks"}
_APART: Final = ("do", "remark")
_WHENCE: Final = ("asset", "rule", "at", "posted", "key")
"""Of what came, where it is from."""
_INDENT: Final = "    "
_DEEPER: Final = 14 * " "
MOST_LINES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`differences` are by section; none: passed. `remarks` are what the engine remarked meanwhile."""

    test: RuleTest
    differences: Mapping[str, tuple[Difference, ...]]
    remarks: tuple[Got, ...]
    looks: tuple[Trace, ...]

    @property
    def passed(self) -> bool:
        return not self.differences

    def clock(self, at_ms: int) -> str:
        """A moment as the test writes it."""
        return str(Offset(at_ms - self.test.start_ms))


def judge(test: RuleTest, ran: Ran, site: str) -> Verdict:
    """Compare what came of a test with what it expects. `site` is `enterprise/site`."""
    got: dict[str, list[Got]] = {section: [] for section in SECTIONS}
    for each in ran.came:
        trace = None if isinstance(each.output, Remark) else each.output.trace
        values = shown(each.output, each.now_ms, test.start_ms, site)
        got[_SECTION[type(each.output)]].append(Got(values, trace))
    compared = {section: compare(expected, got[section]) for section, expected in test.expected.items()}
    differences = {section: found for section, found in compared.items() if found}
    return Verdict(test=test, differences=differences, remarks=tuple(got["remarks"]), looks=ran.looks)


def told(verdict: Verdict) -> Iterator[str]:
    """Why a test failed, line by line."""
    for section, differences in verdict.differences.items():
        for each in differences:
            yield from _told(each, _NAMES[section], verdict)
    differ = [each for section, all_of in verdict.differences.items() if section != "remarks" for each in all_of]
    if any(each.wrong is Wrong.MISSING for each in differ):
        yield from _few("the rules looked last:", list(_looks(verdict)))
    if differ:
        remarks = [each.values for each in verdict.remarks]
        lines = [f"{each['posted']} {each['asset']}: {each['text']} ({each['remark']})" for each in remarks]
        yield from _few("remarked meanwhile:", lines)


def _told(difference: Difference, what: str, verdict: Verdict) -> Iterator[str]:
    expected, got = difference.expected, difference.got
    yield f"{difference.wrong} {what}" + (f", {verdict.test.file}:{expected.line}" if expected is not None else "")
    if expected is not None:
        yield f"{_INDENT}expected  {written(expected.values)}"
    if got is None:
        return
    named = expected.values if expected is not None else got.values
    yield f"{_INDENT}got       {written({name: got.values[name] for name in named if name in got.values})}"
    if expected is not None:
        for name in difference.fields:
            yield f"{_DEEPER}{name}: expected {_value(expected.values[name])}, got {_value(got.values.get(name))}"
        whence = {name: got.values[name] for name in _WHENCE if name in got.values and name not in named}
        yield f"{_DEEPER}{written(whence)}"
    if got.trace is not None and (because := one_line(got.trace, verdict.clock)):
        yield f"{_DEEPER}{because}"


def _looks(verdict: Verdict) -> Iterator[str]:
    """Looks from which nothing came, the newest first."""
    for look in sorted(verdict.looks, key=lambda each: -each.decided_ms):
        if not look.outcome.decided:
            name = look.equipment.rsplit("/", 1)[-1]
            because = one_line(look, verdict.clock)
            yield f"{look.rule} at {name}, {headline(look, verdict.clock)}" + (f"; {because}" if because else "")


def _few(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield head
        yield from (f"{_INDENT}{line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"{_INDENT}and {len(lines) - MOST_LINES} more"


def written(values: Mapping[str, Shown]) -> str:
    """As it could stand in a test: `downtime.record: start 4m, end 14m, loss breakdown`."""
    head = next((str(values[name]) for name in _APART if name in values), "")
    rest = ", ".join(f"{name} {_value(value)}" for name, value in values.items() if name not in _APART)
    return f"{head}: {rest}" if head and rest else head or rest


def _value(value: Shown) -> str:
    match value:
        case None:
            return "none"
        case Decimal():
            return f"{value:f}"
        case tuple():
            return f"[{'; '.join(map(_value, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{name} {_value(each)}' for name, each in value.items())}}}"
        case str():
            return f"'{value}'" if not value or " " in value else value
        case _:
            return str(value)
