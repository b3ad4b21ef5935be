"""The run of a test: what the floor says comes to the rules as it would in the plant, through restarts and outages."""

from __future__ import annotations

import pytest

from bridge.rule_tests.folder import run_test
from tests.ruleset.testing.tried import OWN, SCENARIOS, came_of, plant, verdict_of, why, with_rules, written

STOP = """\
- test: one long stop
  rule: downtime
  asset: pressing/press-1
  every: 10s
  given:
    state: "RUN x6 STOPPED x3 RUN x6 STOPPED x3 RUN x6 FAULT x60 RUN"
    fault: "_ x24 E12 x60 ''"
  expect: [{do: downtime.record, start: 4m, end: 14m, loss: breakdown, parts: ~}]
  remarks: [micro-stop, micro-stop]
"""
COUNT = """\
- test: pieces
  rule: progress
  asset: packing/line-1
  every: 1m
  given: {order: "mo-1 x4 mo-2 x6", good_count: "0 5 10 15 20 30 x5"}
  expect: []
"""
TOTALS = ("order", "upto", "posted")


@pytest.mark.parametrize("at", [f"{minute}m{second}s" for minute in (0, 1, 2, 4, 9, 13, 14) for second in (0, 3, 55)])
@pytest.mark.parametrize("act", ["restart", "{restart: 45s}", "birth", "[stale, history]"])
def test_an_outage_at_any_moment_changes_no_posting(at: str, act: str) -> None:
    assert why(f"{STOP}  at: {{{at}: {act}}}\n", plant(SCENARIOS)) == []


def test_a_test_run_twice_gives_the_same() -> None:
    test, of = written(STOP, plant(SCENARIOS)), plant(SCENARIOS)

    assert run_test(test, of, of.rules) == run_test(test, of, of.rules)


def test_pieces_are_posted_as_they_are_counted_where_nothing_happens() -> None:
    assert came_of(COUNT, *TOTALS, of=plant(SCENARIOS)) == [
        ("mo-1", "5", "2m"),
        ("mo-1", "10", "3m"),
        ("mo-1", "15", "4m"),
        ("mo-1", "20", "4m"),
        ("mo-2", "10", "6m"),
    ]


def test_what_a_node_stored_is_told_after_its_birth_and_goes_where_it_belongs() -> None:
    assert came_of(f"{COUNT}  at: {{90s: stale, 8m: history}}\n", *TOTALS, of=plant(SCENARIOS)) == [
        ("mo-1", "5", "2m"),
        ("mo-1", "10", "8m3s"),
        ("mo-1", "15", "8m3s"),
        ("mo-1", "20", "8m3s"),
        ("mo-2", "10", "8m3s"),
    ]


def test_a_birth_alone_tells_the_present_and_what_was_stored_is_lost() -> None:
    came = came_of(f"{COUNT}  at: {{90s: stale, 8m: birth}}\n", *TOTALS, "remark", of=plant(SCENARIOS))

    assert came == [
        ("mo-1", "5", "2m"),
        ("8m3s", "count-jump"),
        ("mo-1", "30", "8m3s"),
    ]


def test_while_the_bridge_is_away_nodes_store_and_timers_rest() -> None:
    assert came_of(f"{COUNT}  at: {{90s: {{restart: 5m}}}}\n", *TOTALS, of=plant(SCENARIOS)) == [
        ("mo-1", "5", "6m33s"),
        ("mo-1", "10", "6m33s"),
        ("mo-1", "15", "6m33s"),
        ("mo-1", "20", "6m33s"),
        ("mo-2", "10", "6m33s"),
    ]


def test_documents_that_came_while_the_bridge_was_away_are_read_once_it_is_back() -> None:
    text = """\
- test: t
  rule: work-started
  asset: pressing/press-1
  events: [{at: 2m, work_started: {order: mo-1, work_order: wo-1}}]
  at: {1m: {restart: 10m}}
  expect: []
"""
    assert came_of(text, "do", "at", "posted", of=plant(SCENARIOS)) == [("workorder.start", "2m", "11m3s")]


def test_a_node_that_is_gone_over_a_restart_stays_gone_until_its_birth() -> None:
    text = f"{COUNT}  at: {{90s: [stale, restart], 8m: history}}\n"

    assert came_of(text, *TOTALS, of=plant(SCENARIOS))[1:] == [
        ("mo-1", "10", "8m3s"),
        ("mo-1", "15", "8m3s"),
        ("mo-1", "20", "8m3s"),
        ("mo-2", "10", "8m3s"),
    ]


def test_stored_readings_that_come_when_all_is_settled_change_nothing() -> None:
    text = f"{COUNT}  events: [{{at: 7m, told: 9m, good_count: 70}}]\n"

    assert came_of(text, "remark", "posted", of=plant(SCENARIOS))[-1] == ("history-late", "9m")


def test_a_reading_of_its_own_is_told_between_ticks() -> None:
    text = f"{COUNT}  events: [{{at: 8m30s, good_count: 33}}, {{at: 8m40s, good_count: ~}}]\n"

    assert came_of(text, *TOTALS, of=plant(SCENARIOS))[-1] == ("mo-2", "13", "9m30s")


def test_a_timer_that_is_due_at_a_tick_fires_before_it() -> None:
    text = """\
- test: t
  rule: too-hot
  asset: pressing/press-1
  every: 10s
  given: {temperature: "90 50", door_open: false}
  expect: [{do: maintenance.request, at: 10s, posted: 10s}]
"""
    assert why(text, plant(OWN)) == []


def test_a_fact_that_is_told_again_is_posted_once_and_with_other_content_again() -> None:
    event = "{id: 7, order: mo-1, qty: %s, reason: S01, confirmed: true}"
    text = f"""\
- test: t
  rule: scrap
  asset: machining/press-1
  events:
    - {{at: 1m, scrap: {event % 4}}}
    - {{at: 1m, told: 2m, scrap: {event % 4}}}
    - {{at: 1m, told: 3m, scrap: {event % 5}}}
  at: {{90s: restart}}
  expect: []
"""
    assert came_of(text, "quantity", "posted") == [("4", "1m"), ("5", "3m")]


def test_other_equipment_and_other_rules_do_not_take_part() -> None:
    text = """\
- test: t
  rule: complete
  events:
    - {at: 1m, asset: packaging/line-1, finished: {order: mo-1, lot: L1, qty: 3, consumed: []}}
    - {at: 2m, asset: quality/station-1, disposition: {order: mo-1, lot: L1, status: accept}}
  expect: []
"""
    assert came_of(text, "do", "asset") == [("production.complete", "packaging/line-1")]


def test_two_equipment_of_one_test_have_their_own_series() -> None:
    text = """\
- test: t
  rule: downtime
  every: 1s
  given:
    machining/press-1: {state: "RUN STOPPED x3 RUN"}
    machining/press-2: {state: "RUN x2 STOPPED x4 RUN"}
  at: {3s: {stale: machining/press-2}, 8s: {history: machining/press-2}}
  expect: []
"""
    assert came_of(text, "asset", "start", "end", "posted") == [
        ("machining/press-1", "1s", "4s", "4s500ms"),
        ("machining/press-2", "2s", "6s", "11s"),
    ]


def test_a_test_goes_on_five_minutes_after_the_last_thing_or_until_it_says() -> None:
    text = """\
- test: t
  rule: slow
  asset: pressing/press-1
  every: 10s
  given: {temperature: 90}
  %s
  expect: []
"""
    slow = with_rules(
        """\
- rule: slow
  assets: "*"
  raise: {when: "temperature > 80", for: 6m}
  do: maintenance.request
  with: {title: "'slow'"}
""",
        OWN,
    )
    assert came_of(text % "until: 6m", "at", of=slow) == [("6m",)]
    assert came_of(text % "until: 5m59s", "at", of=slow) == []
    assert came_of(text % "start: 2026-01-01 00:00", "at", of=slow) == []


def test_a_verdict_of_a_test_that_passed_has_no_differences() -> None:
    verdict = verdict_of(STOP, plant(SCENARIOS))

    assert verdict.passed
    assert [remark.values["remark"] for remark in verdict.remarks] == ["micro-stop", "micro-stop"]
