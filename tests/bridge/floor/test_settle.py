"""What happened during an outage reaches the rules in the order in which it happened."""

from __future__ import annotations

import pytest

from bridge.floor.settle import LONGEST_MS, MOST_KEPT
from ruleset.sample import Fresh
from tests.bridge.floor.outage import GRACE_MS, Site, running
from tests.ruleset.floor import LINE, PRESS, START_MS

LATE = "remark history-late: stored readings of {} came after their time had been settled; they change nothing"
OTHER_PRESS = "acme/berlin/machining/press-2"


def broken(*, at_ms: int = 100_000, gone_ms: int = 500_000, most_kept: int = MOST_KEPT) -> Site:
    """A settled site whose packaging node died, and may come back now."""
    site = running(at_ms=at_ms, most_kept=most_kept)
    assert site.dies(LINE) == [f"{at_ms} line-1 stale"]
    site.after(gone_ms)
    site.given.clear()
    return site


def test_a_birth_waits_for_the_history_behind_it_and_for_documents() -> None:
    site = broken()
    assert site.born(order="mo-2", good_count=130) == []
    assert site.stored(200_000, good_count=110) == []
    assert site.stored(300_000, order="mo-2") == []
    assert site.document("finished", "f-1", 299_000) == []
    assert site.stored(400_000, good_count=130) == []
    assert site.after(2_999) == []
    assert site.after(1) == [
        "200000 line-1 fresh",
        "200000 line-1 good_count=110",
        "299000 line-1 finished f-1",
        "300000 line-1 order=mo-2",
        "400000 line-1 good_count=130",
        "600000 line-1 order=mo-2",
        "600000 line-1 good_count=130",
    ]
    site.after(60_000)
    assert site.said == ["progress mo-1 epoch 0 upto 10 pcs", "progress mo-2 epoch 0 upto 20 pcs"]
    assert site.waiting == []


def test_equipment_that_settles_does_not_hold_up_another_node() -> None:
    site = broken()
    site.born(order="mo-1", good_count=100)
    assert site.says(PRESS, state="STOPPED") == ["600000 press-1 state=STOPPED"]


def test_the_next_step_of_an_order_waits_on_other_equipment_for_the_step_that_settles() -> None:
    site = running(at_ms=100_000)
    site.dies(PRESS)
    site.after(10_000)
    site.given.clear()
    assert site.document("work_finished", "f-8", 109_000, PRESS, order="mo-8") == []
    assert site.document("work_finished", "f-7", 109_500, LINE, order="mo-7") == ["110000 line-1 work_finished f-7"]
    assert site.document("work_started", "s-8", 110_000, LINE, order="mo-8") == []
    assert site.says(good_count=101) == []
    assert site.document("work_finished", "f-6", 110_000, LINE, order="mo-6") == []
    site.after(1_000)
    site.born(PRESS, state="RUN")
    site.stored(105_000, PRESS, state="STOPPED")
    assert site.after(3_000) == [
        "105000 press-1 fresh",
        "105000 press-1 state=STOPPED",
        "109000 press-1 work_finished f-8",
        "110000 line-1 good_count=101",
        "110000 line-1 work_started s-8",
        "110000 line-1 work_finished f-6",
        "111000 press-1 state=RUN",
    ]
    assert site.says(good_count=102) == ["114000 line-1 good_count=102"]


def test_the_steps_of_an_order_keep_their_order_where_one_comes_after_later_readings_of_its_equipment() -> None:
    site = running(at_ms=100_000)
    site.after(1_000)
    site.says(PRESS, state="STOPPED")
    site.restarts()
    site.document("work_started", "s-8", 100_700, LINE, order="mo-8")
    site.document("work_finished", "f-8", 100_400, PRESS, order="mo-8")
    site.document("work_started", "s-9", 100_800, LINE, order="mo-9")
    given = site.after(GRACE_MS)
    assert [line for line in given if "work" in line] == [
        "100800 line-1 work_started s-9",
        "101000 press-1 work_finished f-8",
        "101000 line-1 work_started s-8",
    ]


def test_the_equipment_of_one_node_settles_together() -> None:
    site = running(at_ms=100_000)
    site.dies(PRESS, OTHER_PRESS)
    site.after(100_000)
    site.given.clear()
    site.born(PRESS, state="RUN")
    site.after(2_000)
    site.born(OTHER_PRESS, state="RUN")
    site.stored(150_000, PRESS, state="STOPPED")
    site.stored(140_000, OTHER_PRESS, state="STOPPED")
    site.stored(160_000, OTHER_PRESS, state="RUN")
    assert [each for each in site.after(3_000) if "STOPPED" in each or "160000" in each] == [
        "140000 press-2 state=STOPPED",
        "150000 press-1 state=STOPPED",
        "160000 press-2 state=RUN",
    ]


def test_a_rebirth_without_an_outage_passes_at_once() -> None:
    site = running(at_ms=50_000)
    assert site.born(order="mo-1", good_count=101) == [
        "50000 line-1 fresh",
        "50000 line-1 order=mo-1",
        "50000 line-1 good_count=101",
    ]


def test_a_birth_whose_metrics_have_old_times_stays_behind_its_history() -> None:
    site = broken()
    site.born(good_count=130, ago={"good_count": 550_000})
    site.stored(200_000, good_count=110)
    site.stored(400_000, good_count=130)
    assert site.after(3_000)[1:] == [
        "200000 line-1 good_count=110",
        "400000 line-1 good_count=130",
        "400000 line-1 good_count=130",
    ]


def test_a_birth_tells_each_change_at_its_own_time() -> None:
    site = running(at_ms=100_000)
    site.dies(PRESS)
    site.after(500_000)
    site.born(PRESS, state="FAULT", fault="E12", ago={"state": 300_000, "fault": 5_000_000})
    site.after(3_000)
    site.says(PRESS, state="RUN")
    assert site.said == ["downtime PRESS-1 300..603 breakdown"]


def test_live_messages_behind_a_birth_keep_the_order_in_which_they_came() -> None:
    site = broken()
    site.born(good_count=130)
    site.says(good_count=131, ahead_ms=0)
    site.says(good_count=132, ahead_ms=-7_000)
    given = site.after(3_000)
    assert [each.rsplit("=")[-1] for each in given if "good" in each] == ["130", "131", "132"]


def test_history_that_is_sent_twice_gives_nothing_new() -> None:
    site = broken()
    site.born(good_count=120)
    for _ in range(2):
        site.stored(200_000, good_count=110)
        site.stored(300_000, good_count=120)
    site.after(3_000)
    site.dies(LINE)
    site.born(good_count=120)
    for _ in range(2):
        assert site.stored(200_000, good_count=110) == []
    site.after(60_000)
    assert site.said == ["progress mo-1 epoch 0 upto 10 pcs", "progress mo-1 epoch 0 upto 20 pcs"]


def test_what_was_heard_live_and_is_sent_as_history_too_counts_once_although_we_crashed_between() -> None:
    site = running(at_ms=100_000)
    site.says(good_count=110)
    site.after(10)
    site.says(good_count=110)
    site.restarts()
    site.born(good_count=115)
    for at_ms, count in ((100_000, 110), (100_010, 110), (100_020, 115)):
        site.stored(at_ms, good_count=count)
    site.after(100_000)
    assert site.said == ["progress mo-1 epoch 0 upto 15 pcs"]


def test_history_that_comes_after_the_settling_is_passed_on_as_such_and_ends_in_a_remark() -> None:
    site = broken()
    site.born(good_count=120)
    site.after(3_000)
    assert site.stored(200_000, good_count=110) == ["603000 line-1 good_count=110 (late)"]
    assert site.said[-1] == LATE.format("good_count")
    site.stored(300_000, good_count=120)
    site.after(60_000)
    assert site.said[-2:] == [LATE.format("good_count"), "progress mo-1 epoch 0 upto 20 pcs"]


def test_who_does_not_come_back_is_waited_for_until_the_grace_is_over() -> None:
    site = running(at_ms=100_000)
    site.restarts()
    site.born(order="mo-1", good_count=105)
    site.document("finished", "f-1", 99_000)
    assert site.after(GRACE_MS - 1) == []
    assert site.after(1) == [
        "99000 line-1 finished f-1",
        "100000 line-1 fresh",
        "100000 line-1 order=mo-1",
        "100000 line-1 good_count=105",
        "130000 press-1 unheard",
        "130000 press-2 unheard",
        "130000 scale-1 unheard",
        "130000 station-1 unheard",
    ]


def test_who_dies_while_it_settles_is_stale_at_once_and_again_after_what_it_said_before() -> None:
    site = broken()
    site.born(good_count=120)
    assert site.dies(LINE) == ["600000 line-1 stale"]
    assert site.after(GRACE_MS) == ["600000 line-1 fresh", "600000 line-1 good_count=120", "600000 line-1 stale"]


def test_when_our_session_breaks_too_everything_settles_together() -> None:
    site = broken()
    site.born(good_count=120)
    site.settler.away(site.now_ms)
    assert site.after(GRACE_MS - 1) == []
    assert site.says(PRESS, state="STOPPED") == []
    given = site.after(1)
    assert [each for each in given if "=" in each] == ["600000 line-1 good_count=120", "629999 press-1 state=STOPPED"]


def test_a_session_that_breaks_again_and_again_does_not_keep_everything_for_ever() -> None:
    site = running(at_ms=100_000)
    site.settler.away(site.now_ms)
    site.says(good_count=101)
    for _ in range(LONGEST_MS // 20_000 - 1):
        assert site.after(20_000) == []
        site.settler.away(site.now_ms)
    assert "100000 line-1 good_count=101" in site.after(20_000)


def test_a_clock_ahead_is_held_at_the_present_and_its_history_keeps_its_order() -> None:
    site = broken()
    site.born(good_count=130)
    site.stored(990_000, good_count=120)
    site.stored(980_000, good_count=110)
    assert site.after(3_000) == [
        "603000 line-1 fresh",
        "603000 line-1 good_count=110",
        "603000 line-1 good_count=120",
        "603000 line-1 good_count=130",
    ]


def test_a_clock_that_was_set_back_is_held_at_what_the_rules_know() -> None:
    site = broken()
    site.says(good_count=101)
    site.born(good_count=130, ago={"good_count": 10_000_000})
    assert site.after(3_000)[-1].endswith("good_count=130")
    site.after(60_000)
    assert site.said == ["progress mo-1 epoch 0 upto 30 pcs"]


def test_in_one_millisecond_history_comes_before_the_present_and_documents_come_last() -> None:
    site = broken()
    site.born(good_count=130)
    site.document("finished", "f-1", 600_000)
    site.stored(600_000, good_count=120)
    assert site.after(3_000) == [
        "600000 line-1 fresh",
        "600000 line-1 good_count=120",
        "600000 line-1 good_count=130",
        "600000 line-1 finished f-1",
    ]


def test_what_is_too_much_to_keep_is_given_in_part_the_oldest_first_and_it_is_said() -> None:
    site = broken(most_kept=10)
    site.born(good_count=130)
    for number in range(9):
        assert site.stored(200_000 + number, good_count=101 + number) == []
    given = site.stored(300_000, good_count=110)
    assert given == [
        "200000 packaging 11 readings and events wait since an outage, the most that may",
        "200000 line-1 fresh",
        *(f"{200_000 + number} line-1 good_count={101 + number}" for number in range(5)),
    ]
    assert site.said == ["remark settled-early: 11 readings and events wait since an outage, the most that may"]
    site.restarts()
    site.born(good_count=130)
    site.after(100_000)
    assert site.said[-1] == "progress mo-1 epoch 0 upto 30 pcs"


def test_where_the_present_is_too_much_to_keep_the_settling_ends() -> None:
    site = broken(most_kept=5)
    site.born(good_count=100)
    for count in range(101, 105):
        assert site.says(good_count=count) == []
    assert site.says(good_count=105)[-1] == "600000 line-1 good_count=105"
    assert site.says(good_count=106) == ["600000 line-1 good_count=106"]


def test_a_timer_whose_time_came_during_the_outage_waits_for_all_that_the_birth_says() -> None:
    site = running(at_ms=100_000)
    site.says(PRESS, vibration_rms=8.0)
    site.restarts()
    site.after(20_000)
    site.born(PRESS, fault="", vibration_rms=2.0, ago={"fault": 5_000_000})
    site.after(100_000)
    assert site.posted == []


def test_a_timer_whose_time_came_during_the_outage_fires_where_the_history_says_that_it_lasted() -> None:
    site = running(at_ms=100_000)
    site.says(PRESS, vibration_rms=8.0)
    site.dies(PRESS)
    site.after(200_000)
    site.born(PRESS, vibration_rms=2.0)
    site.stored(105_000, PRESS, vibration_rms=9.0)
    site.stored(140_000, PRESS, vibration_rms=2.0)
    site.after(3_000)
    assert [each.at_ms - START_MS for each in site.posted] == [130_000]


def test_a_birth_that_settles_longer_than_the_grace_still_cancels_a_timer() -> None:
    site = running(at_ms=100_000)
    site.says(PRESS, vibration_rms=8.0)
    site.restarts()
    site.born(PRESS, vibration_rms=2.0)
    for at_ms in range(0, 60_000, 2_000):
        site.after(2_000)
        site.stored(100_000 + at_ms, good_count=100)
    site.after(60_000)
    assert [each for each in site.said if "maintenance" in each] == []


def test_a_document_with_a_number_beyond_all_measure_is_kept_too() -> None:
    site = broken()
    site.born(good_count=100)
    site.document("finished", "f-1", 200_000, order="mo-1", lot="L", qty=10**30, consumed=[])
    site.restarts()
    assert "200000 line-1 finished f-1" in site.after(GRACE_MS)


def test_signals_that_no_rule_follows_are_not_kept() -> None:
    site = broken()
    site.born(crew="early")
    assert (site.after(3_000), site.waiting) == (["603000 line-1 fresh"], [])


@pytest.mark.parametrize("restarting", [False, True])
def test_after_a_restart_what_waited_is_given_with_what_comes_anew(restarting: bool) -> None:
    site = broken()
    site.born(good_count=130)
    for number in range(12):  # more than one digit: records do not come back in the order of their numbers
        site.stored(200_000 + number // 6, good_count=101 + number)
    if restarting:
        site.restarts()
    else:
        site.engine.started(site.now_ms)
        site.settler.away(site.now_ms)
    site.tells(Fresh(equipment=LINE, at_ms=site.now_ms))
    given = [each for each in site.after(GRACE_MS) if "good" in each]
    assert given == [
        *(f"{200_000 + number // 6} line-1 good_count={101 + number}" for number in range(12)),
        "600000 line-1 good_count=130",
    ]


def test_history_of_the_very_millisecond_that_is_known_is_known_too() -> None:
    site = running(at_ms=100_000)
    site.says(good_count=104)
    site.says(good_count=105)
    site.restarts()
    site.born(good_count=105)
    site.stored(100_000, good_count=104)
    site.stored(100_000, good_count=105)
    site.after(100_000)
    assert site.said == ["progress mo-1 epoch 0 upto 5 pcs"]


def test_a_clock_that_was_ahead_and_is_right_again_loses_no_history() -> None:
    site = running(at_ms=100_000)
    site.says(good_count=105, ahead_ms=3_600_000)
    site.dies(LINE)
    site.after(100_000)
    site.born(order="mo-2", good_count=120)
    site.stored(150_000, good_count=110)
    site.stored(160_000, order="mo-2")
    site.after(200_000)
    assert site.said[-2:] == ["progress mo-1 epoch 0 upto 10 pcs", "progress mo-2 epoch 0 upto 10 pcs"]


def test_what_comes_after_a_restart_takes_no_place_of_what_waited() -> None:
    site = broken()
    site.born(good_count=120)
    site.stored(200_000, good_count=110)
    site.restarts()
    site.stored(300_000, good_count=115)
    given = [each for each in site.after(GRACE_MS) if "good" in each]
    assert [each.rsplit("=")[-1] for each in given] == ["110", "115", "120"]
