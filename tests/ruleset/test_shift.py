"""The shift calendar: weekly shifts on the wall's clock, through the nights in which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.equipment import Assets
from ruleset.problem import Problems
from ruleset.shift.calendar import Calendar
from tests.ruleset.floor import ASSETS, CODES, LINE, PRESS

THREE = """
shifts:
  - {name: early, days: mon-sun, from: "06:00", to: "14:00"}
  - {name: late, days: mon-sun, from: "14:00", to: "22:00"}
  - {name: night, days: mon-sun, from: "22:00", to: "06:00"}
"""
OFFICE = """
shifts:
  - {name: day, days: [mon-thu, fri], from: "07:00", to: "15:30"}
  - {name: press, days: fri-mon, from: "08:00", to: "08:00", areas: [machining]}
"""
ZONE = ZoneInfo("Europe/Berlin")


def read(shifts: str) -> tuple[Assets | None, list[str]]:
    problems = Problems()
    assets = read_assets("assets.yaml", ASSETS + shifts, read_codes("codes.yaml", CODES, problems), problems)
    return assets, [str(each) for each in problems.all]


def calendar(shifts: str = THREE, path: str = PRESS) -> Calendar:
    assets, problems = read(shifts)
    assert assets is not None, problems
    found = assets.equipment[path].shifts
    assert found is not None
    return found


def at(text: str) -> int:
    """The moment that a clock on the wall shows; the first where it shows it twice."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def divided(shifts: Calendar, start: str, end: str) -> list[tuple[str, str, float]]:
    """Name, begin in UTC, and hours of each part."""
    return [
        (
            part.shift,
            datetime.fromtimestamp(part.started_ms / 1000, UTC).strftime("%d %H:%M"),
            (part.ended_ms - part.started_ms) / 3_600_000,
        )
        for part in shifts.split(at(start), at(end))
    ]


def test_a_stop_within_a_shift_stays_whole() -> None:
    assert divided(calendar(), "2026-11-23 07:00", "2026-11-23 09:00") == [("early", "23 06:00", 2)]


def test_a_stop_is_cut_where_a_shift_ends_and_over_midnight_it_is_still_the_night() -> None:
    parts = divided(calendar(), "2026-11-23 21:00", "2026-11-24 07:00")
    assert parts == [("late", "23 20:00", 1), ("night", "23 21:00", 8), ("early", "24 05:00", 1)]


def test_the_night_in_which_clocks_go_back_has_nine_hours() -> None:
    parts = divided(calendar(), "2026-10-24 21:00", "2026-10-25 07:00")
    assert parts == [("late", "24 19:00", 1), ("night", "24 20:00", 9), ("early", "25 05:00", 1)]


def test_the_night_in_which_clocks_go_forward_has_seven_hours() -> None:
    parts = divided(calendar(), "2026-03-28 21:00", "2026-03-29 07:00")
    assert parts == [("late", "28 20:00", 1), ("night", "28 21:00", 7), ("early", "29 04:00", 1)]


def test_what_lies_between_shifts_belongs_to_none() -> None:
    shifts = calendar(OFFICE, LINE)
    parts = divided(shifts, "2026-11-20 15:00", "2026-11-23 08:00")
    assert [(name, hours) for name, _, hours in parts] == [("day", 0.5), ("", 63.5), ("day", 1)]
    assert shifts.at(at("2026-11-21 12:00")) is None


def test_an_area_with_shifts_of_its_own_has_only_those() -> None:
    shifts = calendar(OFFICE)
    assert {shift.name for shift in shifts.shifts} == {"press"}
    found = shifts.at(at("2026-11-24 07:59"))
    assert found is not None
    assert found.started_ms == at("2026-11-23 08:00")
    assert shifts.at(at("2026-11-24 08:00")) is None


def test_a_plant_without_shifts_has_no_calendar() -> None:
    assets, problems = read("")
    assert assets is not None, problems
    assert {each.shifts for each in assets.equipment.values()} == {None}


YEAR_MS = 31_536_000_000


@settings(deadline=None)
@given(st.integers(at("2026-01-01 00:00"), at("2026-01-01 00:00") + YEAR_MS), st.integers(0, 6 * 86_400_000))
def test_the_parts_are_together_exactly_the_stop(start_ms: int, lasted_ms: int) -> None:
    parts = calendar().split(start_ms, start_ms + lasted_ms)
    assert (parts[0].started_ms, parts[-1].ended_ms) == (start_ms, start_ms + lasted_ms)
    assert [part.ended_ms for part in parts[:-1]] == [part.started_ms for part in parts[1:]]
    assert all(part.started_ms < part.ended_ms for part in parts) or lasted_ms == 0


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ('{name: a, days: mo, from: "06:00", to: "14:00"}', '"mo" is no day of the week'),
        ('{name: a, days: mon, from: "6 o\'clock", to: "14:00"}', "is no time of day; write it in quotes"),
        ('{name: a, days: mon, from: "24:00", to: "14:00"}', '"24:00" is no time of day'),
        ('{name: a, days: mon, from: "06:00", to: "14:00", areas: [machinning]}', 'did you mean "machining"'),
        ('{name: a, days: mon, from: "06:00"}', '"to"'),
    ],
)
def test_a_shift_that_cannot_be_read_is_told_with_its_mend(wrong: str, problem: str) -> None:
    assets, problems = read(f"\nshifts: [{wrong}]\n")
    assert assets is None
    assert problem in problems[0]


def test_shifts_that_overlap_are_refused_over_the_end_of_the_week_too() -> None:
    night = '{name: night, days: sun, from: "22:00", to: "06:00"}'
    _, problems = read(
        f"\nshifts: [{night}, {night.replace('night', 'early').replace('sun', 'mon').replace('22', '05')}]\n"
    )
    assert 'the shift "early" overlaps the shift "night"' in problems[0]
