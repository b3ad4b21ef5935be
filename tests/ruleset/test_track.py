"""What a rule follows over time: rates, what does not come, sums of a shift or an order, and the shift itself."""

from __future__ import annotations

import pytest

from tests.ruleset.floor import ASSETS, LINE, PRESS, Floor, problems_of

SHIFTS = (
    ASSETS
    + """
shifts:
  - {name: first, days: mon-sun, from: "23:00", to: "23:30"}    # the start of the tests is at 23:13:20
  - {name: second, days: mon-sun, from: "23:45", to: "23:55"}
"""
)
MINUTE = 60_000
WARMING = """
- rule: warming
  assets: "machining/*"
  track: {rise: {delta: temperature, over: 10m}}
  raise: {when: rise > 5}
  alert: "{rise} degrees in 10 min"
"""
SLOW = """
- rule: slow
  assets: "packaging/*"
  track: {made: {delta: good_count, over: 10m}}
  raise: {when: "state == 'RUN' && made < 10"}
  alert: "only {made} in 10 min"
"""
SILENT = """
- rule: no-pieces
  assets: "packaging/*"
  raise: {when: "state == 'RUN'", without: good_count, for: 5m}
  alert: "runs and makes nothing"
"""
PER_ORDER = """
- rule: sum-of-order
  assets: "machining/*"
  track:
    heat: {delta: temperature, per: order}
    made: {delta: good_count, per: order}
  at_end_of: order
  when: made > 0
  alert: "{period}: {heat} degrees for {made} pieces in {(ended - started) / 1000} s"
"""
PER_SHIFT = """
- rule: sum-of-shift
  assets: "machining/*"
  track: {made: {delta: good_count, per: shift}}
  at_end_of: shift
  alert: "{period}: {made} pieces"
"""


def press(rules: str, *, restarting: bool = False, assets: str = ASSETS) -> Floor:
    return Floor(rules, at=PRESS, restarting=restarting, assets=assets)


def test_a_change_within_a_window_is_not_known_before_the_window_is_full() -> None:
    floor = press(WARMING)
    floor.comes_back(temperature=20)
    floor.after(MINUTE)
    assert floor.says(temperature=30) == []
    assert floor.after(9 * MINUTE - 1) == []
    assert floor.after(1) == ["alert 10 degrees in 10 min"]


def test_a_window_moves_and_forgets_what_was_before_it() -> None:
    floor = press(WARMING)
    floor.comes_back(temperature=20)
    for degrees in range(21, 40):
        floor.after(4 * MINUTE)
        assert floor.says(temperature=degrees) == []
    assert floor.says(temperature=45) == ["alert 9 degrees in 10 min"]


def test_a_window_survives_restarts() -> None:
    floor = press(WARMING)
    floor.comes_back(temperature=20)
    floor.after(11 * MINUTE)
    floor.says(temperature=24)
    floor.restarts()
    floor.comes_back(temperature=24)
    floor.after(2 * MINUTE)
    assert floor.says(temperature=26) == ["alert 6 degrees in 10 min"]


def test_a_rate_falls_by_time_alone_and_counts_over_a_reset() -> None:
    floor = Floor(SLOW, at=LINE)
    floor.comes_back(good_count=100, state="RUN")
    floor.after(5 * MINUTE)
    floor.says(good_count=108)
    floor.after(MINUTE)
    floor.says(good_count=4)
    assert floor.after(9 * MINUTE - 1) == []
    assert floor.after(1) == ["alert only 4 in 10 min"]
    assert floor.after(60 * MINUTE) == []
    assert floor.engine.next_due_ms is None


def test_a_window_stays_small_however_much_is_said() -> None:
    floor = press(WARMING)
    for second in range(1200):
        floor.says(temperature=20 + second % 2)
        floor.after(1_000)
    assert len(floor.records[f"track/warming/{PRESS}"]) < 2_500


def test_what_does_not_come_while_a_condition_holds_is_found_and_ends_when_it_comes() -> None:
    floor = Floor(SILENT, at=LINE)
    floor.comes_back(good_count=1, state="RUN")
    for count in range(2, 10):
        assert floor.after(4 * MINUTE) == []
        floor.says(good_count=count)
    assert floor.after(5 * MINUTE - 1) == []
    floor.restarts()
    floor.comes_back(good_count=9, state="RUN")
    assert floor.after(1) == ["alert runs and makes nothing"]
    assert floor.after(60 * MINUTE) == []
    floor.says(good_count=10)
    assert floor.after(5 * MINUTE) == ["alert runs and makes nothing"]
    floor.says(good_count=11)
    floor.says(state="STOPPED")
    assert floor.after(60 * MINUTE) == []


def test_an_event_that_does_not_come_is_found() -> None:
    floor = Floor(SILENT.replace("good_count", "finished").replace("5m", "30m"), at=LINE)
    floor.comes_back(state="RUN")
    floor.after(29 * MINUTE)
    floor.happens("finished", "F1", order="mo-1", lot="L", qty=1, consumed=[])
    assert floor.after(30 * MINUTE - 1) == []
    assert floor.after(1) == ["alert runs and makes nothing"]


def test_a_deadband_leaves_small_changes_out() -> None:
    assets = ASSETS.replace("unit: mm/s}", "unit: mm/s, deadband: 0.5}")
    frozen = SILENT.replace("packaging", "machining").replace("good_count", "vibration_rms")
    floor = press(frozen, assets=assets)
    floor.comes_back(state="RUN", vibration_rms=2.0)
    floor.after(4 * MINUTE)
    floor.says(vibration_rms=2.4)
    assert floor.after(MINUTE) == ["alert runs and makes nothing"]
    floor.says(vibration_rms=1.5)
    assert floor.after(5 * MINUTE) == ["alert runs and makes nothing"]


@pytest.mark.parametrize("restarting", [False, True])
def test_an_order_has_its_own_sums_which_are_told_when_it_is_over(restarting: bool) -> None:
    floor = press(PER_ORDER, restarting=restarting)
    floor.comes_back(order="", temperature=20, good_count=10)
    floor.says(order="mo-1")
    floor.after(MINUTE)
    floor.says(temperature=23, good_count=12)
    assert floor.says(order="mo-2", good_count=13) == ["alert mo-1: 3 degrees for 3 pieces in 60 s"]
    floor.says(temperature=30)
    assert floor.says(order="mo-1", good_count=14) == ["alert mo-2: 7 degrees for 1 pieces in 0 s"]
    floor.says(good_count=20)
    assert floor.says(order="") == ["alert mo-1: 3 degrees for 9 pieces in 0 s"]


@pytest.mark.parametrize("restarting", [False, True])
def test_a_shift_is_told_when_it_is_over_also_while_the_machine_is_away(restarting: bool) -> None:
    floor = press(PER_SHIFT, restarting=restarting, assets=SHIFTS)
    floor.comes_back(good_count=10)
    floor.says(good_count=15)
    floor.goes_away()
    assert floor.after(1_000_000 - 1) == []
    assert floor.after(1) == ["alert first: 5 pieces"]
    floor.comes_back(good_count=18)
    floor.after(15 * MINUTE)
    floor.says(good_count=20)
    assert floor.after(10 * MINUTE) == ["alert second: 2 pieces"]


def test_a_sum_begins_at_nothing_with_the_next_shift_although_nothing_is_said() -> None:
    much = """
- rule: much
  assets: "machining/*"
  track: {made: {delta: good_count, per: shift}}
  episode: {open: "made > 3"}
  alert: "much for {(ended - started) / 1000} s"
"""
    floor = press(much, assets=SHIFTS)
    floor.comes_back(good_count=10)
    floor.says(good_count=15)
    assert floor.after(1_900_000 - 1) == []
    assert floor.after(1) == ["alert much for 1900 s"]


@pytest.mark.parametrize("restarting", [False, True])
def test_a_shift_in_which_nothing_is_said_is_told_too_also_behind_a_gap(restarting: bool) -> None:
    floor = press(PER_SHIFT, restarting=restarting, assets=SHIFTS)
    floor.comes_back(good_count=10)
    floor.says(good_count=15)
    day = ["alert first: 0 pieces", "alert second: 0 pieces"]
    assert floor.after(48 * 60 * MINUTE) == ["alert first: 5 pieces", "alert second: 0 pieces", *day]


def test_what_a_rule_follows_is_known_to_rules_about_events_too() -> None:
    per_piece = """
- rule: heat-per-piece
  assets: "machining/*"
  track: {made: {delta: good_count, per: order}}
  event: scrap
  alert: "{scrap.qty} of {made} in {scrap.order}"
"""
    floor = press(per_piece)
    floor.comes_back(order="mo-1", good_count=10)
    floor.says(good_count=30)
    assert floor.happens("scrap", "1", order="mo-1", qty=2, weight=1, reason="S01", confirmed=True) == [
        "alert 2 of 20 in mo-1"
    ]


def test_a_stop_is_one_only_while_a_shift_is_on_and_begins_with_it() -> None:
    stop = """
- rule: stop
  assets: "machining/*"
  episode: {open: "state == 'STOPPED' && shift.planned"}
  alert: "stopped {(ended - started) / 1000} s, {shift.name}."
"""
    floor = press(stop, assets=SHIFTS)
    floor.comes_back(state="RUN")
    floor.after(900_000)
    floor.says(state="STOPPED")
    assert floor.after(100_000) == ["alert stopped 100 s, ."]
    assert floor.after(15 * MINUTE) == []
    floor.restarts()
    floor.comes_back(state="STOPPED")
    floor.after(5 * MINUTE)
    assert floor.says(state="RUN") == ["alert stopped 300 s, second."]


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "problem"),
    [
        (
            WARMING,
            "temperature, over",
            "temprature, over",
            '4:25: "temprature" is no signal that is a number; did you mean "temperature"?',
        ),
        (WARMING, "temperature, over", "state, over", '4:25: "state" is no signal that is a number'),
        (WARMING, ", over: 10m", "", "4:17: say over which time: `over: 10m`, or `per: shift` or `per: order`"),
        (WARMING, "rise: {", "fault: {", '4:11: "fault" means something else here already; choose another name'),
        (WARMING, "rise > 5", "ris > 5", '5:17: unknown name "ris"; did you mean "rise"?'),
        (
            WARMING,
            "rise > 5",
            "shift.planned",
            '5:17: unknown name "shift.planned"; there are none here: say in assets.yaml when shifts are',
        ),
        (WARMING, "over: 10m", "per: shift", "4:43: press-1 has no shifts: say in assets.yaml when they are"),
        (SILENT, "good_count", "good_cnt", '4:44: unknown signal "good_cnt"; did you mean "good_count"?'),
        (SILENT, ", for: 5m", "", "4:44: say for how long nothing came: add `for`, such as `for: 5m`"),
        (PER_ORDER, "at_end_of: order", "at_end_of: ordr", '7:14: "ordr" is not possible here; did you mean "order"?'),
        (
            PER_ORDER,
            "made > 0",
            "made > vibration_rms",
            "8:9: made is in pcs and vibration_rms in mm/s, which do not go together",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(rule: str, right: str, wrong: str, problem: str) -> None:
    assert right in rule
    found = problems_of(rule.replace(right, wrong, 1))
    assert found[0].startswith(f"rules/a.yaml:{problem}"), found
