"""Clocks: only what a slow answer cannot explain is a difference."""

from __future__ import annotations

import pytest

from bridge.doctor.clock import Reading, ahead_ms, examine_clock
from bridge.doctor.finding import Level, Place


@pytest.mark.parametrize(
    ("told_ms", "step_ms", "ahead"),
    [(10_050, 1, 0), (10_300, 1, 200), (9_500, 1, -499), (9_001, 1000, 0), (8_000, 1000, -1_000)],
)
def test_what_the_answers_time_and_the_clocks_step_explain_is_no_difference(
    told_ms: int, step_ms: int, ahead: int
) -> None:
    assert ahead_ms(Reading(asked_ms=10_000, answered_ms=10_100, told_ms=told_ms, step_ms=step_ms)) == ahead


@pytest.mark.parametrize(
    ("off_ms", "level", "text"),
    [
        (1_000, Level.OK, "its clock agrees with ours"),
        (5_000, Level.WARNING, "its clock is 5.0 s ahead of ours"),
        (-90_001, Level.WRONG, "its clock is 90.0 s behind ours"),
    ],
)
def test_a_clock_that_is_off_is_told_by_how_much(off_ms: int, level: Level, text: str) -> None:
    found = examine_clock(Place("redis", "r"), Reading(asked_ms=0, answered_ms=0, told_ms=off_ms))
    assert (found.level, found.text) == (level, text)
