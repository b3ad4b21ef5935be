"""What passes while the bridge is away, and while all equipment settles: the rules see it in its own time."""

from __future__ import annotations

from ruleset.output import Alert
from tests.bridge.floor.story import START_MS, Step, came, site, story
from tests.ruleset.floor import LINE, PRESS

IDLE = {"state": "RUN"}
SHIFTS_MS = {"first": 40_000, "second": 160_000, "third": 400_000}
"""When they end, since the start."""


def told(*steps: Step, rule: str) -> list[tuple[int, str]]:
    """What a rule alerts of, and when that was so."""
    outputs = [each.output for each in came(story(steps), site())]
    alerts = [each for each in outputs if isinstance(each, Alert) and (each.rule, each.equipment) == (rule, LINE)]
    return [(each.at_ms - START_MS, each.text) for each in alerts]


def test_what_lasted_long_enough_while_the_bridge_was_away_is_posted_although_it_ended_meanwhile() -> None:
    away = Step(31_000, PRESS, "says", IDLE, restart_ms=25_000)
    ended = Step(20_000, LINE, "says", {"state": "STOPPED"})
    assert told(away, ended, rule="makes-nothing") == [(50_000, "makes nothing")]


def test_what_did_not_last_long_enough_while_the_bridge_was_away_is_not_posted() -> None:
    away = Step(31_000, PRESS, "says", IDLE, restart_ms=25_000)
    ended = Step(18_000, LINE, "says", {"state": "STOPPED"})
    assert told(away, ended, rule="makes-nothing") == []


def test_pieces_that_wait_at_the_end_of_their_shift_are_in_its_total() -> None:
    away = Step(30_000, PRESS, "says", IDLE, restart_ms=5_000)
    last = Step(9_000, LINE, "says", {"good_count": 1007})
    next_one = Step(2_000, LINE, "says", {"good_count": 1009})
    assert told(away, last, next_one, rule="per-shift")[:2] == [
        (SHIFTS_MS["first"], "first: 7 pieces"),
        (SHIFTS_MS["second"], "second: 2 pieces"),
    ]


def test_a_stop_that_its_shift_ended_while_the_bridge_was_away_ended_with_the_shift() -> None:
    stopped = Step(99_999, LINE, "says", {"state": "STOPPED"})
    away = Step(1_000, PRESS, "says", IDLE, restart_ms=90_000)
    assert told(stopped, away, rule="planned-stop")[0] == (SHIFTS_MS["second"], "stopped in , 60 s")
