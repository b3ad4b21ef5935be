"""Where our clock is behind those of the plant, what waits while all settles keeps its order and how long it lasted."""

from __future__ import annotations

import pytest

from ruleset.transaction import DowntimeRecord
from tests.bridge.floor.outage import GRACE_MS, Site, running
from tests.ruleset.floor import LINE, PRESS, START_MS

BEHIND_MS = 240_000


def stopped_for_four_seconds(*, line_ahead_ms: int) -> Site:
    """A site that settled after a start, in which a press whose clock is ahead of ours told a stop."""
    site = running(at_ms=100_000)
    site.restarts()
    site.says(LINE, ahead_ms=line_ahead_ms, good_count=101)
    site.says(PRESS, ahead_ms=BEHIND_MS, state="STOPPED")
    site.after(4_000)
    site.says(PRESS, ahead_ms=BEHIND_MS, state="RUN")
    site.after(GRACE_MS)
    return site


def test_a_stop_while_all_settles_keeps_its_times() -> None:
    site = stopped_for_four_seconds(line_ahead_ms=BEHIND_MS)
    stops = [one for one in site.posted if isinstance(one, DowntimeRecord)]
    assert [(one.started_ms - START_MS, one.ended_ms - START_MS) for one in stops] == [(340_000, 344_000)]
    assert [line for line in site.given if "state" in line] == [
        "100000 press-1 state=STOPPED",
        "104000 press-1 state=RUN",
    ]


def test_one_clock_that_is_ahead_is_wrong_itself_and_its_times_are_ours() -> None:
    site = stopped_for_four_seconds(line_ahead_ms=0)
    assert [line for line in site.given if "state" in line] == [
        "130000 press-1 state=STOPPED",
        "130000 press-1 state=RUN",
    ]


@pytest.mark.parametrize("behind_ms", [BEHIND_MS, 900_000, 7_200_000])
def test_births_show_that_our_clock_is_behind_by_hours_and_what_was_stored_keeps_its_times(behind_ms: int) -> None:
    site = running(at_ms=100_000)
    site.restarts()
    site.born(LINE, ahead_ms=behind_ms, good_count=101)
    site.born(PRESS, ahead_ms=behind_ms, state="RUN")
    site.stored(behind_ms + 90_000, PRESS, state="STOPPED")
    site.stored(behind_ms + 94_000, PRESS, state="RUN")
    site.after(GRACE_MS)
    stops = [one for one in site.posted if isinstance(one, DowntimeRecord)]
    assert [one.ended_ms - one.started_ms for one in stops] == [4_000]
