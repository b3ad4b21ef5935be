"""Rules about quality and maintenance: what is asked once, what adds to it, and what ends it."""

from __future__ import annotations

from ruleset.transaction import MaintenanceRequest
from tests.ruleset.floor import PRESS, STATION, Floor, problems_of

TORQUE = """
- rule: torque
  assets: "quality/*"
  event: quality
  when: quality.result == 'fail'
  count: {by: [quality.check], at_least: 3, within: 8h}
  once: while_open
  do: maintenance.request
  with: {title: "'3 failures of ' + quality.check + ' on ' + asset.name", cause: "'torque'"}
"""
VIBRATION = """
- rule: vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7.1", for: 30s}
  clear: {when: "vibration_rms < 5.5", for: 5m}
  once: while_open
  do: maintenance.request
  with: {title: "'Vibration on ' + asset.name", priority: "3", team: "'Spindles'"}
- rule: vibration-over
  assets: "machining/*"
  raise: {when: "vibration_rms < 5.5", for: 10m}
  do: maintenance.close
  with: {cause: "'vibration'", text: "'Quiet for ten minutes'"}
"""
QUALITY = """
- rule: first-piece
  assets: "quality/*"
  event: quality
  when: quality.result == 'ask'
  do: quality.request
  with: {inspection: quality.check, text: "'Asked by ' + asset.name"}
- rule: suspect
  assets: "quality/*"
  event: quality
  when: quality.result == 'suspect'
  do: quality.hold_stock
  with: {product: "'HOUSING'", lot: quality.check}
- rule: cleared
  assets: "quality/*"
  event: quality
  when: quality.result == 'cleared'
  do: quality.release
  with: {product: "'HOUSING'", lot: quality.check, quantity: "4.0", unit: pcs}
"""


def station() -> Floor:
    return Floor(TORQUE, at=STATION)


def fails(floor: Floor, id: str) -> list[str]:
    return floor.happens("quality", id, check="torque M8", result="fail")


def test_three_failures_ask_naming_their_checks_and_the_fourth_adds_to_it() -> None:
    floor = station()
    assert fails(floor, "1") + fails(floor, "2") == []
    fails(floor, "3")
    fails(floor, "4")
    asked = [one for one in floor.posted if isinstance(one, MaintenanceRequest)]
    assert [one.cause for one in asked] == ["torque", "torque"]
    assert len({one.key for one in asked}) == 2
    assert [name for name in ("1 (", "2 (", "3 (") if name not in asked[0].text] == []
    assert "4 (" in asked[1].text


def test_the_fourth_adds_to_it_also_after_a_restart_and_once() -> None:
    floor = station()
    for id in ("1", "2", "3"):
        fails(floor, id)
    floor.restarts()
    fails(floor, "4")
    fails(floor, "4")
    assert len(floor.posted) == 2


def test_chatter_asks_once_and_again_only_after_it_cleared_and_quiet_closes_it() -> None:
    floor = Floor(VIBRATION, at=PRESS)
    floor.comes_back(vibration_rms=6.0)
    for _ in range(40):
        floor.says(vibration_rms=8.25)
        floor.after(31_000)
        floor.says(vibration_rms=6.0)
        floor.after(31_000)
    assert len(floor.posted) == 1
    floor.says(vibration_rms=2.0)
    assert floor.after(600_000) == ["maintenance SN-1 closed for vibration"]
    floor.says(vibration_rms=8.25)
    assert floor.after(30_000) == ["maintenance SN-1 Vibration on press-1 priority 3"]


def test_an_inspection_a_hold_and_a_release_are_asked_for_by_rules() -> None:
    floor = Floor(QUALITY, at=STATION)
    posted = [
        *floor.happens("quality", "1", check="bore", result="ask"),
        *floor.happens("quality", "2", check="L-7", result="suspect"),
        *floor.happens("quality", "3", check="L-7", result="cleared"),
    ]
    assert posted == ["inspection bore None", "hold all of HOUSING lot L-7", "release 4 pcs of HOUSING lot L-7"]


def test_a_close_without_its_cause_is_a_problem_with_its_place() -> None:
    text = VIBRATION.replace("""{cause: "'vibration'", text: "'Quiet for ten minutes'"}""", """{text: "'Quiet'"}""")
    assert problems_of(text) == ['rules/a.yaml:13:9: maintenance.close needs "cause" under `with`']
