"""What waited in the sessions while the process stood still is put in order as after an outage, but nobody was away."""

from __future__ import annotations

from tests.bridge.floor.outage import GRACE_MS, running
from tests.ruleset.floor import LINE, PRESS


def test_what_came_while_the_process_stood_still_is_put_in_order() -> None:
    site = running(at_ms=100_000)
    site.after(20_000)
    site.settler.stood_still(site.now_ms)
    assert site.says(PRESS, ahead_ms=-5_000, state="RUN") == []
    assert site.says(ahead_ms=-9_000, good_count=101) == []
    assert site.document("work_started", "s-8", 110_000, LINE, order="mo-8") == []
    assert site.document("work_finished", "f-8", 118_000, LINE, order="mo-8") == []
    assert [line for line in site.after(3_000) if "unheard" not in line] == [
        "110000 line-1 work_started s-8",
        "111000 line-1 good_count=101",
        "115000 press-1 state=RUN",
        "118000 line-1 work_finished f-8",
    ]
    assert site.says(good_count=102) == ["123000 line-1 good_count=102"]


def test_who_died_before_the_process_stood_still_is_waited_for_as_long_as_before() -> None:
    site = running(at_ms=100_000)
    site.dies(LINE)
    site.after(10_000)
    site.settler.stood_still(site.now_ms)
    site.says(PRESS, state="STOPPED")
    assert site.after(GRACE_MS - 10_001) == []
    given = site.after(1)
    assert given[0] == "110000 press-1 state=STOPPED"
    assert "130000 line-1 unheard" in given


def test_who_was_born_before_the_process_stood_still_is_fresh_after_it() -> None:
    site = running(at_ms=100_000)
    site.dies(LINE)
    site.after(10_000)
    site.given.clear()
    site.born()
    site.settler.stood_still(site.now_ms)
    assert site.after(3_000)[0] == "113000 line-1 fresh"
