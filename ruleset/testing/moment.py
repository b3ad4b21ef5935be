"""Moments of a test: offsets from its beginning, and the time on the wall at which it begins."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from ruleset.document import DURATION_UNITS_MS, Node

DEFAULT_START: Final = datetime(2024, 1, 1)
"""A Monday, midnight, far from a change of clocks."""
LONGEST_MS: Final = 366 * 86_400_000

_PART: Final = re.compile(r"(\d+)(ms|d|h|m|s)")
_OFFSET: Final = re.compile(rf"(?:{_PART.pattern})+")


def read_offset(node: Node) -> int | None:
    """Milliseconds since the beginning: `4m`, `1h30m`, `0s`."""
    text = node.scalar()
    offset = None if text is None else parse_offset(text)
    if text is not None and offset is None:
        node.problem(f'"{text}" is no time since the beginning of the test, such as 4m, 1h30m or 0s')
    if offset is not None and offset > LONGEST_MS:
        node.problem(f"{text} is too long: a test lasts a year at the most")
        return None
    return offset


def parse_offset(text: str) -> int | None:
    if not _OFFSET.fullmatch(text):
        return None
    return sum(int(number) * DURATION_UNITS_MS[unit] for number, unit in _PART.findall(text))


def read_start(node: Node | None, timezone: str) -> int | None:
    """UTC milliseconds of `start`: a time in the plant's zone, or one with an offset or `Z`."""
    zone = ZoneInfo(timezone)
    if node is None:
        return _ms(DEFAULT_START.replace(tzinfo=zone))
    text = node.scalar()
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        if text is not None:
            node.problem(
                f'"{text}" is no date and time, such as 2026-10-25 01:30, or with its zone, 2026-10-25 01:30+02:00'
            )
        return None
    if moment.tzinfo is not None:
        return _ms(moment)
    first, second = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    if _ms(first) == _ms(second):
        return _ms(first)
    if _ms(first) > _ms(second):
        node.problem(f"{text} does not come in {timezone}: the clock is set forward over it")
    else:
        choice = " or ".join(f"{text}{each.isoformat()[-6:]}" for each in (first, second))
        node.problem(f"{text} comes twice in {timezone}, as the clock is set back; say which: {choice}")
    return None


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)
