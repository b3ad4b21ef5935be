"""Moments of a test: offsets as they are written and read, and beginnings by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleset.document import read_document
from ruleset.problem import Problems
from ruleset.testing.case import Offset
from ruleset.testing.moment import parse_offset, read_start


def start_of(text: str) -> tuple[str | None, list[str]]:
    """The beginning in UTC, and the problems, of a text in a plant in Berlin."""
    problems = Problems()
    root = read_document("f", f"start: {text}", problems)
    assert root is not None
    start_ms = read_start(root.mapping()["start"], "Europe/Berlin")
    utc = None if start_ms is None else f"{datetime.fromtimestamp(start_ms / 1000, UTC):%Y-%m-%d %H:%M}"
    return utc, [str(each) for each in problems.all]


@given(st.integers(min_value=0, max_value=10**11))
def test_an_offset_is_read_as_it_is_written(ms: int) -> None:
    assert parse_offset(str(Offset(ms))) == ms


@pytest.mark.parametrize("text", ["4", "4 m", "-4m", "4m!", "", "1.5h"])
def test_what_is_no_offset_is_not_taken_for_one(text: str) -> None:
    assert parse_offset(text) is None


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-07-01 06:00", "2026-07-01 04:00"),
        ("2026-01-01T06:00:00", "2026-01-01 05:00"),
        ("2026-10-25 02:30+02:00", "2026-10-25 00:30"),
        ("2026-10-25 02:30+01:00", "2026-10-25 01:30"),
        ("2026-10-25T01:30Z", "2026-10-25 01:30"),
    ],
)
def test_a_test_begins_by_the_clock_of_the_plant_or_of_its_own_zone(text: str, utc: str) -> None:
    assert start_of(text) == (utc, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "2026-10-25 02:30",
            "f:1:8: 2026-10-25 02:30 comes twice in Europe/Berlin, as the clock is set back; "
            "say which: 2026-10-25 02:30+02:00 or 2026-10-25 02:30+01:00",
        ),
        (
            "2026-03-29 02:30",
            "f:1:8: 2026-03-29 02:30 does not come in Europe/Berlin: the clock is set forward over it",
        ),
        (
            "half past six",
            'f:1:8: "half past six" is no date and time, such as 2026-10-25 01:30, '
            "or with its zone, 2026-10-25 01:30+02:00",
        ),
    ],
)
def test_a_time_that_comes_twice_or_never_is_a_problem(text: str, problem: str) -> None:
    assert start_of(text) == (None, [problem])


def test_without_a_beginning_it_is_a_monday_at_midnight() -> None:
    start_ms = read_start(None, "Europe/Berlin")
    assert start_ms is not None
    assert datetime.fromtimestamp(start_ms / 1000, UTC) == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert datetime(2024, 1, 1).weekday() == 0
