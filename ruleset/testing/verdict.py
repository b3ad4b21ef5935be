"""What became of a test: passed, or what differs, told to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ruleset.output import Alert, Post, Remark, Unmet
from ruleset.testing.case import SECTIONS, RuleTest, Shown
from ruleset.testing.compare import Difference, Got, compare
from ruleset.testing.run import Came
from ruleset.testing.shown import shown

_NAMES: Final = {"expect": "posting", "unmet": "dead letter", "alerts": "alert", "remarks": "remark"}
_SECTION: Final = {Post: "expect", Unmet: "unmet", Alert: "alerts", Remark: "remarks"}
_APART: Final = ("do", "remark")
_WHENCE: Final = ("asset", "rule", "at", "posted", "key")
"""Of what came, where it is from."""
_INDENT: Final = "    "
_DEEPER: Final = 14 * " "
MOST_REMARKS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`differences` are by section; none: passed. `remarks` are what the engine remarked meanwhile."""

    test: RuleTest
    differences: Mapping[str, tuple[Difference, ...]]
    remarks: tuple[Got, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def judge(test: RuleTest, came: Sequence[Came], site: str) -> Verdict:
    """Compare what came of a test with what it expects. `site` is `enterprise/site`."""
    got: dict[str, list[Got]] = {section: [] for section in SECTIONS}
    for each in came:
        got[_SECTION[type(each.output)]].append(shown(each.output, each.now_ms, test.start_ms, site))
    compared = {section: compare(expected, got[section]) for section, expected in test.expected.items()}
    differences = {section: found for section, found in compared.items() if found}
    return Verdict(test=test, differences=differences, remarks=tuple(got["remarks"]))


def told(verdict: Verdict) -> Iterator[str]:
    """Why a test failed, line by line."""
    for section, differences in verdict.differences.items():
        for each in differences:
            yield from _told(each, _NAMES[section], verdict.test.file)
    if verdict.differences.keys() - {"remarks"} and verdict.remarks:
        yield "remarked meanwhile:"
        for remark in verdict.remarks[:MOST_REMARKS]:
            yield f"{_INDENT}{remark['posted']} {remark['asset']}: {remark['text']} ({remark['remark']})"
        if len(verdict.remarks) > MOST_REMARKS:
            yield f"{_INDENT}and {len(verdict.remarks) - MOST_REMARKS} more"


def _told(difference: Difference, what: str, file: str) -> Iterator[str]:
    expected, got = difference.expected, difference.got
    yield f"{difference.wrong} {what}" + (f", {file}:{expected.line}" if expected is not None else "")
    if expected is not None:
        yield f"{_INDENT}expected  {written(expected.values)}"
    if got is None:
        return
    named = expected.values if expected is not None else got
    yield f"{_INDENT}got       {written({name: got[name] for name in named if name in got})}"
    if expected is not None:
        for name in difference.fields:
            yield f"{_DEEPER}{name}: expected {_value(expected.values[name])}, got {_value(got.get(name))}"
        yield f"{_DEEPER}{written({name: got[name] for name in _WHENCE if name in got and name not in named})}"


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
