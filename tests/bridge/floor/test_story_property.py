"""Whatever happens on the floor: restarts change nothing in what is posted, wherever they come."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ruleset.sample import Plain
from ruleset.testing.run import Came
from tests.bridge.floor.story import (
    AnotherClock,
    Step,
    Unbroken,
    came,
    keys,
    postings,
    site,
    story,
    without_traces,
)
from tests.ruleset.floor import CELL, LINE, PRESS, STATION

PAUSES = st.sampled_from([1_000, 3_000, 7_000, 20_000, 31_000, 61_000, 200_000])
AWAY = st.sampled_from([0, 0, 4_000, 25_000, 90_000])


def says(
    where: str, signal: str, values: st.SearchStrategy[Plain]
) -> st.SearchStrategy[tuple[str, str, dict[str, Plain]]]:
    return values.map(lambda value: (where, "says", {signal: value}))


WHAT = st.one_of(
    says(PRESS, "state", st.sampled_from(["RUN", "STOPPED", "FAULT"])),
    says(PRESS, "fault", st.sampled_from(["", "E12"])),
    says(PRESS, "order", st.sampled_from(["", "mo-2", "mo-3"])),
    says(PRESS, "vibration_rms", st.sampled_from([2.0, 5.0, 7.5, 9.0])),
    says(PRESS, "temperature", st.sampled_from([20, 24, 29, 40])),
    says(PRESS, "good_count", st.integers(100, 160)),
    says(LINE, "state", st.sampled_from(["RUN", "STOPPED"])),
    says(LINE, "order", st.sampled_from(["", "mo-1", "mo-4"])),
    says(LINE, "good_count", st.integers(1000, 1060)),
    says(CELL, "good_count", st.integers(0, 40)),
    st.sampled_from(["", "mo-7", "mo-8"]).map(lambda order: (CELL, "runs", {"runs": order})),
    st.tuples(st.sampled_from([PRESS, LINE, STATION]), st.sampled_from(["lost", "born"]), st.just({})),
    st.sampled_from(["S01", "S99"]).map(
        lambda reason: (
            PRESS,
            "scrap",
            {"order": "mo-2", "qty": 2.0, "weight": 1.0, "reason": reason, "lot": None, "confirmed": True},
        )
    ),
    st.sampled_from(["fail", "fail", "call"]).map(
        lambda result: (STATION, "quality", {"check": "torque", "result": result})
    ),
    st.sampled_from(["A", "B"]).map(
        lambda lot: (LINE, "finished", {"order": "mo-1", "lot": lot, "qty": 5.0, "consumed": []})
    ),
    st.sampled_from(["A", "B"]).map(
        lambda lot: (STATION, "disposition", {"order": "mo-1", "lot": lot, "status": "accept"})
    ),
)
Happening: TypeAlias = tuple[str, str, dict[str, Plain]]


def step(after_ms: int, what: Happening, away_ms: int | None = None) -> Step:
    return Step(after_ms, what[0], what[1], what[2], away_ms)


def twice(first: Happening, away_ms: int, then: Happening, away_again_ms: int, after_ms: int) -> list[Step]:
    """A restart, and another one while what the first one left to settle still does."""
    soon_ms = away_ms + 1_001
    return [step(after_ms, first, away_ms), step(soon_ms, then, away_again_ms)]


STEPS = st.lists(
    st.one_of(
        st.builds(lambda after_ms, what: [step(after_ms, what)], PAUSES, WHAT),
        st.builds(lambda after_ms, what, away_ms: [step(after_ms, what, away_ms)], PAUSES, WHAT, AWAY),
        st.builds(twice, WHAT, AWAY, WHAT, AWAY, PAUSES),
    ),
    max_size=20,
).map(lambda parts: list(chain.from_iterable(parts)))


@settings(deadline=None, max_examples=40)
@given(STEPS)
@example(twice((PRESS, "says", {"vibration_rms": 9.0}), 25_000, (PRESS, "says", {"vibration_rms": 2.0}), 0, 1_000))
@example(
    [
        *twice((PRESS, "says", {"state": "RUN"}), 0, (PRESS, "says", {"good_count": 101}), 90_000, 1_000),
        Step(94_001, PRESS, "lost", {}, 0),
    ]
)
def test_restarts_change_nothing_in_what_is_posted_where_nothing_was_lost_meanwhile(steps: list[Step]) -> None:
    unbroken, broken = came(story(steps, restarting=False), site()), came(story(steps), site())
    assert postings(broken) == postings(unbroken)
    assert len(set(keys(broken))) == len(keys(broken))


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_what_a_process_remembers_is_stored_at_any_moment_while_it_settles_too(steps: list[Step]) -> None:
    restarts = story(steps)
    assert without_traces(came(restarts, site())) == without_traces(came(restarts, site(Unbroken)))


@settings(deadline=None, max_examples=40)
@given(STEPS, st.dictionaries(st.integers(0, 600_000), st.sampled_from([3_600_000, -3_600_000]), max_size=3))
def test_a_clock_that_is_set_posts_nothing_twice_and_loses_no_piece(steps: list[Step], jumps: dict[int, int]) -> None:
    told = story(steps, restarting=False)
    right, wrong = came(told, site()), came(told, AnotherClock(site(), jumps))
    assert len(set(keys(wrong))) == len(keys(wrong))
    assert of_no_length(wrong) == of_no_length(right)


def of_no_length(answers: Iterable[Came]) -> list[str]:
    """What is posted of that in which no length of time matters."""
    return [each for each in postings(answers) if each.startswith(("Scrap", "unmet", "acme/"))]
