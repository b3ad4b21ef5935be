"""The pauses between attempts to connect."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.reconnect import failures_after, pause_s
from tests.bridge.broker.ground import BASE

SETTINGS = replace(BASE, first_pause_s=0.5, longest_pause_s=30, steady_s=5)


def test_the_pauses_double_up_to_the_longest() -> None:
    assert [pause_s(failures, SETTINGS, 1.0) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_chance_takes_at_most_half_of_a_pause(failures: int, chance: float) -> None:
    longest = pause_s(failures, SETTINGS, 1.0)
    assert longest / 2 <= pause_s(failures, SETTINGS, chance) <= longest


def test_a_session_that_lasted_ends_the_row_of_those_that_did_not() -> None:
    assert [failures_after(lasted_s, 6, SETTINGS) for lasted_s in (0, 4.9, 5, 3600)] == [7, 7, 1, 1]
