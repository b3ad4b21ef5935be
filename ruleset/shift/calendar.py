"""The shift calendar: weekly shifts in local time, through the nights in which clocks change.

A shift begins and ends by the clock on the wall, so in such a night it is an hour shorter or longer. Moments are UTC
milliseconds; of an hour that comes twice the first counts, and one that does not come begins when it would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from ruleset.transaction import ShiftPart

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One shift of the week. `days` are those on which it begins, 0 is Monday; with `ends` not after `begins` it ends
    on the day after. `areas` are first levels below the site; none: all that no other shift names."""

    name: str
    days: frozenset[int]
    begins: time
    ends: time
    areas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The shifts of one place. Two of them never overlap; there may be time between them."""

    timezone: str
    shifts: tuple[Shift, ...]

    def at(self, at_ms: int) -> ShiftPart | None:
        """The shift that this moment lies in, with its own begin and end; None between shifts."""
        return next((part for part in self._near(at_ms, at_ms) if part.started_ms <= at_ms < part.ended_ms), None)

    def next_turn_ms(self, at_ms: int) -> int | None:
        """When a shift next begins or ends."""
        week = self._near(at_ms, at_ms + 8 * 86_400_000)
        turns = (turn for part in week for turn in (part.started_ms, part.ended_ms) if turn > at_ms)
        return min(islice(turns, 4), default=None)

    def split(self, started_ms: int, ended_ms: int) -> tuple[ShiftPart, ...]:
        """The interval cut at the ends of shifts, without gaps: what lies between shifts has the name ""."""
        parts: list[ShiftPart] = []
        at_ms = started_ms
        for shift in self._near(started_ms, ended_ms):
            if shift.started_ms >= ended_ms or shift.ended_ms <= at_ms:
                continue
            if shift.started_ms > at_ms:
                parts.append(ShiftPart(shift="", started_ms=at_ms, ended_ms=shift.started_ms))
            end_ms = min(shift.ended_ms, ended_ms)
            parts.append(ShiftPart(shift=shift.shift, started_ms=max(at_ms, shift.started_ms), ended_ms=end_ms))
            at_ms = end_ms
        if at_ms < ended_ms or not parts:
            parts.append(ShiftPart(shift="", started_ms=at_ms, ended_ms=ended_ms))
        return tuple(parts)

    def _near(self, from_ms: int, to_ms: int) -> Iterator[ShiftPart]:
        """The shifts of the days around, in order."""
        zone = ZoneInfo(self.timezone)
        day = datetime.fromtimestamp(from_ms / 1000, zone).date() - _DAY
        last = datetime.fromtimestamp(to_ms / 1000, zone).date()
        while day <= last:
            yield from _of_day(self, day)
            day += _DAY


@lru_cache(maxsize=256)
def _of_day(calendar: Calendar, day: date) -> tuple[ShiftPart, ...]:
    """The shifts that begin on a day."""
    parts: list[ShiftPart] = []
    for shift in calendar.shifts:
        if day.weekday() in shift.days:
            ends = day if shift.begins < shift.ends else day + _DAY
            begin_ms, end_ms = (
                _moment_ms(calendar.timezone, datetime.combine(*each))
                for each in ((day, shift.begins), (ends, shift.ends))
            )
            if begin_ms < end_ms:
                parts.append(ShiftPart(shift=shift.name, started_ms=begin_ms, ended_ms=end_ms))
    return tuple(sorted(parts, key=lambda part: part.started_ms))


def _moment_ms(timezone: str, local: datetime) -> int:
    return round(local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC).timestamp() * 1000)
