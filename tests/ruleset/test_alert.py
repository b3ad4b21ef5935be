"""A rule that alerts instead of posting, and one that keeps quiet for a time."""

from __future__ import annotations

import pytest

from tests.ruleset.floor import PRESS, STATION, Floor, problems_of

EVENT = """
- rule: fail
  assets: "quality/*"
  event: quality
  when: quality.result == 'fail'
  alert: "{quality.check} failed at {asset.name}"
"""
COUNT = EVENT.replace("  alert", "  count: {by: [quality.check], at_least: 2, within: 8h}\n  alert").replace(
    "failed", "failed twice ({counted})"
)
RAISE = """
- rule: vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7", for: 30s}
  once: 1h
  alert: "vibration {vibration_rms} mm/s"
"""
EPISODE = """
- rule: stop
  assets: "machining/*"
  episode: {open: "state == 'FAULT'"}
  micro: 10s
  classify: [{when: "true", loss: "'breakdown'"}]
  alert: "{loss} with {episode.fault} for {(ended - started) / 1000} s"
"""


def fails(floor: Floor, id: str, check: str = "torque", *, ago_ms: int = 0) -> list[str]:
    return floor.happens("quality", id, check=check, result="fail", ago_ms=ago_ms)


def test_an_event_is_told_once_however_often_it_comes_and_whatever_restarts() -> None:
    floor = Floor(EVENT, at=STATION, restarting=True)
    assert fails(floor, "Q1") == ["alert torque failed at station-1"]
    assert fails(floor, "Q1") == []
    assert fails(floor, "Q2") == ["alert torque failed at station-1"]
    assert floor.posted == []


def test_once_keeps_an_event_quiet_for_a_time() -> None:
    floor = Floor(EVENT + "  once: 10m\n", at=STATION, restarting=True)
    assert fails(floor, "Q1") == ["alert torque failed at station-1"]
    floor.after(599_999)
    assert fails(floor, "Q2") == []
    floor.after(1)
    assert fails(floor, "Q3") == ["alert torque failed at station-1"]
    assert fails(floor, "Q4", ago_ms=60_000) == []


def test_a_request_may_be_quiet_for_a_time_too() -> None:
    request = EVENT.replace(
        'alert: "{quality.check} failed', "once: 10m\n  do: maintenance.request\n  with: {title: \"'failed'\"} # "
    )
    floor = Floor(request, at=STATION)
    assert fails(floor, "Q1") == ["maintenance SN-STATION failed priority 1"]
    assert fails(floor, "Q2") == []


def test_an_event_that_cannot_be_decided_is_told_too() -> None:
    floor = Floor(EVENT.replace("quality.result == 'fail'", "codes.scrap_reason[quality.check] == 'x'"), at=STATION)
    assert fails(floor, "Q1") == ['alert rule fail: Q1: when: there is no "torque" in the table']


def test_a_repetition_a_lasting_condition_and_a_stop_may_be_told() -> None:
    floor = Floor(COUNT, at=STATION)
    assert fails(floor, "Q1") == []
    (line,) = fails(floor, "Q2")
    assert line.startswith("alert torque failed twice (Q1 (")
    floor = Floor(RAISE, at=PRESS)
    floor.comes_back(vibration_rms=8.5)
    assert floor.after(30_000) == ["alert vibration 8.5 mm/s"]
    floor = Floor(EPISODE, at=PRESS)
    floor.comes_back(state="FAULT", fault="E12")
    floor.after(9_000)
    assert floor.says(state="RUN") == []
    floor.says(state="FAULT")
    floor.after(90_000)
    assert floor.says(state="RUN") == ["alert breakdown with E12 for 90 s"]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (EVENT + "  do: maintenance.request\n", "2:3: a rule either posts or alerts: give it `do` or `alert`"),
        (EVENT.replace("  alert", "  # alert"), "2:3: a rule either posts or alerts: give it `do` or `alert`"),
        (EVENT + "  with: {title: \"'x'\"}\n", "7:9: `with` belongs to `do`; an alert is a text only"),
        (EVENT.replace("{asset.name}", "{aset.name}"), '6:38: unknown name "aset.name"; did you mean "asset.name"?'),
        (
            EPISODE + "  at_open: {do: capacity.block, with: {start: started, loss: \"'x'\"}}\n",
            "8:12: it lasts until what `do` posts; an alert ends nothing",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(rule: str, problem: str) -> None:
    assert problems_of(rule) == [f"rules/a.yaml:{problem}"]


def test_a_rule_says_what_becomes_of_what_it_cannot_decide() -> None:
    why = 'there is no "torque" in the table'
    request = EVENT.replace("quality.result == 'fail'", "codes.scrap_reason[quality.check] == 'x'").replace(
        'alert: "', "do: maintenance.request\n  with: {title: \"'x'\"} # "
    )
    expected = {
        "dead_letter": f"dead maintenance.request None: when: {why}",
        "remark": f"remark evaluation-failed: rule fail: Q1: when: {why}",
        "alert": f"alert rule fail: Q1: when: {why}",
    }
    for policy, line in expected.items():
        assert fails(Floor(request + f"  on_error: {policy}\n", at=STATION), "Q1") == [line]
    condition = "codes.fault_reason[fault] == 'x'"
    floor = Floor(RAISE.replace("vibration_rms > 7", condition) + "  on_error: alert\n", at=PRESS)
    assert floor.comes_back(fault="X1") == [f'alert rule vibration: {condition}: there is no "X1" in the table']
    assert floor.says(fault="X2") == []
    assert problems_of(RAISE + "  on_error: dead_letter\n") == [
        'rules/a.yaml:7:13: "dead_letter" is not possible here; known here: alert, remark'
    ]


def test_once_is_refused_where_it_would_lose_pieces() -> None:
    scrap = """\
- rule: scrap
  assets: "*"
  event: scrap
  once: 10m
  order: scrap.order
  do: production.scrap
  with: {quantity: scrap.qty, reason: scrap.reason}
"""
    assert problems_of(scrap) == [
        "rules/a.yaml:4:9: what happens within that time would be lost; `once` goes with maintenance.request or "
        "quality.request or alert"
    ]
