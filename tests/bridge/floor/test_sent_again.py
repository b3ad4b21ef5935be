"""What a node sends again as history is told once, whatever our clock showed when it was told."""

from __future__ import annotations

import pytest

from ruleset.transaction import DowntimeRecord
from tests.bridge.floor.outage import GRACE_MS, running
from tests.ruleset.floor import LINE, PRESS

BEHIND_MS = 240_000


@pytest.mark.parametrize("behind_ms", [0, BEHIND_MS])
def test_what_was_told_while_our_clock_was_behind_is_known_when_it_is_sent_again(behind_ms: int) -> None:
    """A counter that went back to what it was would be taken for reset, and all of it counted again."""
    site = running(at_ms=100_000)
    for count in (101, 102):
        site.after(1_000)
        site.says(ahead_ms=BEHIND_MS, good_count=count)
    site.restarts()
    site.now_ms += 10_000 + BEHIND_MS - behind_ms
    site.born(order="mo-1", ahead_ms=behind_ms, good_count=104)
    for number in (1, 2, 3, 4):
        site.stored(340_000 + 1_000 * number, good_count=100 + number)
    site.after(5 * GRACE_MS)
    assert site.said[-1] == "progress mo-1 epoch 0 upto 4 pcs"
    assert not [line for line in site.said if line.startswith("remark")]


def test_a_clock_that_is_set_back_while_its_node_is_away_loses_nothing_that_it_stored_since() -> None:
    site = running(at_ms=100_000)
    site.says(ahead_ms=BEHIND_MS, good_count=101)
    site.dies(LINE)
    site.after(10_000)
    site.born(order="mo-1", good_count=103)
    site.stored(105_000, good_count=102)
    site.stored(106_000, good_count=103)
    site.after(5 * GRACE_MS)
    assert site.said[-1] == "progress mo-1 epoch 0 upto 3 pcs"


def test_what_waited_with_times_ahead_of_ours_is_known_by_them_when_it_is_sent_again() -> None:
    """It was put at our present, and its own times are later."""
    site = running(at_ms=100_000)
    site.restarts()
    site.born(order="mo-1", ahead_ms=BEHIND_MS, good_count=100)
    for count in (101, 102):
        site.after(1_000)
        site.says(ahead_ms=BEHIND_MS, good_count=count)
    site.after(2 * GRACE_MS)
    site.dies(LINE)
    site.after(10_000)
    site.born(order="mo-1", ahead_ms=BEHIND_MS, good_count=103)
    site.stored(101_000 + BEHIND_MS, good_count=101)
    site.stored(102_000 + BEHIND_MS, good_count=102)
    site.stored(165_000 + BEHIND_MS, good_count=103)
    site.after(5 * GRACE_MS)
    assert site.said[-1] == "progress mo-1 epoch 0 upto 3 pcs"
    assert not [line for line in site.said if line.startswith("remark")]


def test_of_the_last_moment_that_is_known_only_what_was_told_is_known() -> None:
    """Two messages of one millisecond, and we were killed after the commit of the first."""
    site = running(at_ms=100_000)
    site.says(PRESS, state="IDLE")
    site.after(1_000)
    site.says(PRESS, state="RUN")
    site.restarts()
    site.after(5_000)
    site.born(PRESS, ago={"state": 2_000, "fault": 2_000}, state="RUN", fault="")
    site.stored(101_000, PRESS, state="RUN")
    site.stored(101_000, PRESS, state="FAULT", fault="E12")
    site.stored(104_000, PRESS, state="RUN", fault="")
    site.after(2 * GRACE_MS)
    stops = [one for one in site.posted if isinstance(one, DowntimeRecord)]
    assert [(one.ended_ms - one.started_ms, one.loss) for one in stops] == [(3_000, "unclassified")]
    assert [line for line in site.given if line.startswith("101000")] == [
        "101000 press-1 state=RUN",
        "101000 press-1 fresh",
        "101000 press-1 state=FAULT",
        "101000 press-1 fault=E12",
    ]
