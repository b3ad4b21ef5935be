"""`shifts` of assets.yaml: each with its days, its hours by the clock on the wall, and perhaps its areas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import time
from typing import Final

from ruleset.document import Node
from ruleset.problem import suggest
from ruleset.shift.calendar import Calendar, Shift

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES


def read_shifts(node: Node, areas: Collection[str]) -> tuple[Shift, ...]:
    """The shifts of a site whose equipment lies in these areas. Problems go to the node's."""
    shifts: list[Shift] = []
    for each in node.items():
        shift = _read_shift(each, areas)
        if shift is None:
            continue
        if (other := next((one for one in shifts if _overlap(one, shift)), None)) is not None:
            each.problem(f'the shift "{shift.name}" overlaps the shift "{other.name}"')
        shifts.append(shift)
    return tuple(shifts)


def calendar_of(shifts: Iterable[Shift], timezone: str, area: str) -> Calendar | None:
    """The calendar of an area: its own shifts, else those of the whole site; None where there are none."""
    known = tuple(shifts)
    own = tuple(shift for shift in known if area in shift.areas) or tuple(shift for shift in known if not shift.areas)
    return Calendar(timezone, own) if own else None


def _read_shift(node: Node, areas: Collection[str]) -> Shift | None:
    required = {"name", "days", "from", "to"}
    keys = node.mapping(allowed={*required, "areas"}, required=required)
    if not required <= keys.keys():
        return None
    name, days = keys["name"].text(), _read_days(keys["days"])
    begins, ends = _read_clock(keys["from"]), _read_clock(keys["to"])
    own = [_read_area(each, areas) for each in keys["areas"].items()] if "areas" in keys else []
    if not name or days is None or begins is None or ends is None or None in own:
        return None
    named = frozenset(area for area in own if area is not None)
    return Shift(name=name, days=days, begins=begins, ends=ends, areas=named)


def _read_days(node: Node) -> frozenset[int] | None:
    """`mon-fri`, `sat`, or a list of such; `fri-mon` goes over the week's end."""
    found: set[int] = set()
    for each in node.items() if node.is_sequence else [node]:
        text = each.text() or ""
        first, _, last = text.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            each.problem(f'"{text}" is no day of the week; write mon, tue, wed, thu, fri, sat, sun, or such as mon-fri')
            return None
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _read_clock(node: Node) -> time | None:
    text = node.scalar() or ""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        node.problem(f'"{text}" is no time of day; write it in quotes, such as "06:00"')
        return None
    return time(int(clock[1]), int(clock[2]))


def _read_area(node: Node, areas: Collection[str]) -> str | None:
    area = node.text()
    if area is not None and area not in areas:
        node.problem(f'no equipment lies in an area "{area}"{suggest(area, areas)}')
        return None
    return area


def _overlap(one: Shift, other: Shift) -> bool:
    """Whether both apply somewhere at the same time of the week."""
    if one.areas != other.areas and not one.areas & other.areas:
        return False
    return any(
        begin + week < stop and start < end + week
        for begin, end in _minutes(one)
        for start, stop in _minutes(other)
        for week in (-_WEEK_MINUTES, 0, _WEEK_MINUTES)
    )


def _minutes(shift: Shift) -> list[tuple[int, int]]:
    """From and to in minutes of the week."""
    begins, ends = (each.hour * 60 + each.minute for each in (shift.begins, shift.ends))
    lasts = (ends - begins - 1) % _DAY_MINUTES + 1
    return [(day * _DAY_MINUTES + begins, day * _DAY_MINUTES + begins + lasts) for day in shift.days]
