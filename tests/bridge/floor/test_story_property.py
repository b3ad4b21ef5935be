"""Whatever happens on the floor: restarts change nothing in what is posted, wherever they come."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
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
from tests.ruleset.floor import LINE, PRESS, STATION

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
STEPS = st.lists(
    st.builds(
        lambda after_ms, what, restart_ms: Step(after_ms, what[0], what[1], what[2], restart_ms),
        PAUSES,
        WHAT,
        st.one_of(st.none(), st.none(), AWAY),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_restarts_change_nothing_in_what_is_posted_where_nothing_was_lost_meanwhile(steps: list[Step]) -> None:
    unbroken, broken = came(story(steps, restarting=False), site()), came(story(steps), site())
    assert postings(broken) == postings(unbroken)
    assert len(set(keys(broken))) == len(keys(broken))


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_what_a_process_remembers_is_stored_at_any_moment_while_it_settles_too(steps: list[Step]) -> None:
    restarts = story(steps, apart_ms=0)
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
