"""Conditions that last become one request until they cleared."""

from __future__ import annotations

from ruleset.transaction import MaintenanceRequest
from tests.ruleset.floor import PRESS, START_MS, Floor

VIBRATION = """
- rule: spindle-vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7.1", for: 30s}
  clear: {when: "vibration_rms < 5.5", for: 5m}
  once: while_open
  do: maintenance.request
  with:
    title: "'Vibration ' + string(vibration_rms) + ' mm/s on ' + asset.name"
    priority: "vibration_rms > 11 ? 3 : 2"
"""
REQUEST = "maintenance SN-1 Vibration 8.25 mm/s on press-1 priority 2"


def press(rules: str = VIBRATION, *, restarting: bool = False) -> Floor:
    floor = Floor(rules, at=PRESS, restarting=restarting)
    floor.comes_back(vibration_rms=2.0)
    return floor


def test_a_condition_that_lasts_is_raised_with_the_values_of_that_moment() -> None:
    floor = press()
    assert floor.says(vibration_rms=7.5) == []
    floor.after(10_000)
    assert floor.says(vibration_rms=8.25) == []
    assert floor.after(19_999) == []
    assert floor.after(1) == [REQUEST]
    (request,) = floor.posted
    assert isinstance(request, MaintenanceRequest)
    assert (request.key, request.at_ms) == (
        f"{PRESS}:maintenance.request:-:spindle-vibration:{START_MS}",
        START_MS + 30_000,
    )
    assert request.provenance.values == {"vibration_rms": 8.25}


def test_a_condition_whose_beginning_came_late_lasts_by_the_devices_clock() -> None:
    floor = press()
    floor.after(20_000)
    floor.says_at(vibration_rms=(7.5, 0))
    floor.after(5_000)
    assert floor.says_at(vibration_rms=(8.25, 25_000)) == []
    assert floor.after(4_999) == []
    assert floor.after(1) == [REQUEST]


def test_a_condition_that_does_not_last_is_not_raised() -> None:
    floor = press()
    for _ in range(10):
        floor.says(vibration_rms=8.0)
        floor.after(29_000)
        floor.says(vibration_rms=7.0)
        floor.after(1_000)
    assert floor.posted == []


def test_chatter_makes_one_request_and_a_second_only_after_it_cleared() -> None:
    floor = press()
    for _ in range(40):
        floor.says(vibration_rms=8.25)
        floor.after(31_000)
        floor.says(vibration_rms=6.0)
        floor.after(31_000)
    assert len(floor.posted) == 1
    floor.says(vibration_rms=5.0)
    floor.after(300_000)
    floor.says(vibration_rms=8.25)
    assert floor.after(30_000) == [REQUEST]
    assert len({each.key for each in floor.posted}) == 2


def test_once_in_a_day_holds_although_it_cleared() -> None:
    floor = press(VIBRATION.replace("while_open", "1d"))
    for _ in range(3):
        floor.says(vibration_rms=8.25)
        floor.after(60_000)
        floor.says(vibration_rms=2.0)
        floor.after(600_000)
    assert len(floor.posted) == 1
    floor.after(86_400_000)
    floor.says(vibration_rms=8.25)
    assert floor.after(30_000) == [REQUEST]


def test_without_for_and_clear_it_raises_at_once_and_clears_when_it_is_over() -> None:
    floor = press(VIBRATION.replace(", for: 30s", "").replace('  clear: {when: "vibration_rms < 5.5", for: 5m}\n', ""))
    assert floor.says(vibration_rms=8.25) == [REQUEST]
    assert floor.says(vibration_rms=9.0) == []
    assert floor.says(vibration_rms=7.0) == []
    floor.after(1)
    assert floor.says(vibration_rms=8.25) == [REQUEST]


def test_a_timer_survives_a_restart_and_waits_for_the_birth() -> None:
    floor = press()
    floor.says(vibration_rms=8.25)
    floor.after(29_000)
    floor.restarts()
    assert floor.after(5_000) == []
    assert floor.comes_back(vibration_rms=8.25) == []
    assert floor.after(0) == [REQUEST]


def test_a_timer_set_while_the_clock_stood_ahead_is_due_in_time_after_a_restart() -> None:
    floor = press()
    floor.now_ms += 7_200_000
    floor.says(vibration_rms=8.25)
    floor.now_ms -= 7_200_000
    floor.restarts()
    floor.comes_back(vibration_rms=8.25)
    assert floor.after(29_999) == []
    assert [each.split(" Vib")[0] for each in floor.after(1)] == ["maintenance SN-1"]


def test_a_birth_that_says_otherwise_cancels_the_timer() -> None:
    floor = press()
    floor.says(vibration_rms=8.25)
    floor.after(29_000)
    floor.restarts()
    floor.after(5_000)
    floor.comes_back(vibration_rms=2.0)
    assert floor.after(60_000) == []


def test_without_a_birth_the_timer_runs_after_the_time_granted() -> None:
    floor = press()
    floor.says(vibration_rms=8.25)
    floor.after(29_000)
    floor.restarts()
    assert floor.after(60_000) == []
    floor.stays_away()
    assert floor.after(0) == [REQUEST]


def test_a_stale_press_suspends_its_timers_and_with_fire_it_does_not() -> None:
    expectations: dict[str, list[str]] = {"suspend": [], "fire": [REQUEST]}
    for stale, expected in expectations.items():
        floor = press(VIBRATION + f"  stale: {stale}\n")
        floor.says(vibration_rms=8.25)
        floor.goes_away()
        assert floor.after(600_000) == expected


def test_an_unknown_value_is_neither_true_nor_false() -> None:
    floor = press()
    floor.says(vibration_rms=8.25)
    floor.says(vibration_rms=None)
    assert floor.after(30_000) == ["dead maintenance.request None: title: vibration_rms is not known"]


def test_whole_numbers_compare_with_decimal_ones() -> None:
    floor = press(
        VIBRATION.replace("vibration_rms > 7.1", "temperature > 70.5").replace("vibration_rms", "temperature")
    )
    floor.says(temperature=71)
    assert floor.after(30_000) == ["maintenance SN-1 Vibration 71 mm/s on press-1 priority 3"]


def test_two_rules_at_one_moment_are_two_facts() -> None:
    floor = press(VIBRATION + VIBRATION.replace("rule: spindle-vibration", "rule: other").replace("> 11", "> 12"))
    floor.says(vibration_rms=8.25)
    assert floor.after(30_000) == [REQUEST, REQUEST]
    assert len({each.key for each in floor.posted}) == 2


def test_a_number_that_is_none_is_not_known() -> None:
    floor = press()
    floor.says(vibration_rms=float("nan"))
    floor.says(vibration_rms=float("inf"))
    floor.restarts()
    assert floor.after(60_000) == []


def test_a_value_that_changes_nothing_for_the_rule_changes_no_record_of_it() -> None:
    floor = press()
    floor.says(vibration_rms=3.0)
    floor.engine.take_changed()
    floor.engine.observe_all(tuple(floor.samples(PRESS, floor.now_ms, {"vibration_rms": 3.5})), floor.now_ms)
    assert floor.engine.take_changed() == frozenset({f"equipment/{PRESS}"})


def test_a_condition_that_cannot_be_evaluated_is_remarked_once_until_it_can_be() -> None:
    floor = press(VIBRATION.replace("vibration_rms > 7.1", "codes.fault_reason[fault] == 'setup'"))
    (remark,) = floor.says(fault="X1")
    assert remark.startswith("remark evaluation-failed: rule spindle-vibration: codes.fault_reason[fault] == 'setup': ")
    floor.restarts()
    assert floor.says(fault="X2") == []
    assert floor.says(fault="E12") == []
    assert floor.says(fault="X1") == [remark]


def test_the_condition_began_when_its_own_signal_changed() -> None:
    floor = press(VIBRATION.replace("vibration_rms > 7.1", "vibration_rms > 7.1 && temperature > 0"))
    floor.says(temperature=5, state="RUN")
    floor.says_at(vibration_rms=(8.25, 1_000), temperature=(6, -50_000), state=("STOPPED", -90_000))
    floor.after(30_000)
    assert [each.at_ms for each in floor.posted] == [START_MS + 31_000]
