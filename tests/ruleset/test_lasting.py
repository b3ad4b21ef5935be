"""Episodes that are posted while they last: stops that are seen, capacity that is blocked, parts by shift."""

from __future__ import annotations

from ruleset.form.episode import EXTEND_MS
from ruleset.transaction import CapacityBlock, DowntimeClose, DowntimeOpen
from tests.ruleset.floor import ASSETS, PRESS, START_MS, Floor, problems_of

STOPS = """
- rule: downtime
  assets: "machining/*"
  episode: {open: "state in ['STOPPED', 'FAULT', 'STARVED']", close: "state == 'RUN'", merge_gaps: 5s}
  micro: 2m
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
    - {when: "episode.share('STARVED') > 0.5", loss: "'material_availability'"}
    - {when: "true", loss: "'unclassified'"}
  at_open: {do: downtime.open, with: {start: started, loss: loss}}
  do: downtime.close
  with: {start: started, end: ended, loss: loss}
  stale: fire
"""
BLOCKS = """
- rule: broken
  assets: "machining/*"
  episode: {open: "state == 'FAULT'", close: "state == 'RUN'"}
  micro: 30m
  at_open: {do: capacity.block, with: {start: started, loss: "'breakdown'", text: "'Fault ' + episode.fault"}}
  do: capacity.unblock
  with: {start: started, end: ended}
  stale: fire
- rule: broken-request
  assets: "machining/*"
  raise: {when: "state == 'FAULT'", for: 30m}
  do: maintenance.request
  with: {title: "'Fault ' + fault + ' for half an hour on ' + asset.name"}
"""
MINUTE_MS = 60_000


def press(rules: str = STOPS, *, restarting: bool = False) -> Floor:
    floor = Floor(rules, at=PRESS, restarting=restarting)
    floor.comes_back(state="RUN", fault="", order="mo-1")
    return floor


def test_a_stop_is_opened_once_it_is_no_micro_stop_any_more_and_closed_when_it_is_over() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    assert floor.after(119_999) == []
    assert floor.after(1) == ["open PRESS-1 since 0 at 120 breakdown"]
    floor.after(240_000)
    floor.says(state="RUN")
    assert floor.after(5_000) == ["downtime PRESS-1 0..360 breakdown closed"]
    opened, closed = floor.posted
    assert isinstance(opened, DowntimeOpen)
    assert isinstance(closed, DowntimeClose)
    assert opened.key == f"{PRESS}:downtime.open:-:{START_MS}"
    assert (opened.started_ms, opened.equipment) == (closed.started_ms, closed.equipment)


def test_a_restart_within_a_stop_neither_opens_it_again_nor_loses_its_end() -> None:
    floor = press()
    floor.says(state="STARVED")
    floor.restarts()
    floor.comes_back(state="STARVED", fault="", order="mo-1")
    assert floor.after(120_000) == ["open PRESS-1 since 0 at 120 material_availability"]
    floor.after(1_080_000)
    floor.restarts()
    floor.comes_back(state="RUN", fault="", order="mo-1")
    assert floor.after(5_000) == ["downtime PRESS-1 0..1200 material_availability closed"]


def test_a_micro_stop_is_neither_opened_nor_closed() -> None:
    floor = press()
    floor.says(state="STOPPED")
    floor.after(90_000)
    floor.says(state="RUN")
    floor.after(10 * MINUTE_MS)
    assert floor.posted == []


def test_a_stop_that_goes_on_after_a_short_gap_is_opened_in_its_time() -> None:
    floor = press()
    floor.says(state="STOPPED")
    floor.after(118_000)
    floor.says(state="RUN")
    floor.after(4_000)
    assert floor.posted == []
    assert floor.says(state="STOPPED") == []
    floor.after(1_000)
    assert [type(each) for each in floor.posted] == [DowntimeOpen]


def test_a_machine_without_power_is_opened_all_the_same_and_stays_open() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    floor.goes_away()
    assert floor.after(120_000) == ["open PRESS-1 since 0 at 120 breakdown"]
    assert floor.after(48 * 60 * MINUTE_MS) == []


def test_half_an_hour_of_fault_asks_for_maintenance_and_blocks_the_capacity_until_it_runs() -> None:
    floor = press(BLOCKS)
    floor.says(state="FAULT", fault="E12")
    assert floor.after(30 * MINUTE_MS - 1) == []
    told = floor.after(1)
    assert sorted(told) == [
        "blocked PRESS-1 since 0 at 1800 breakdown",
        "maintenance SN-1 Fault E12 for half an hour on press-1 priority 1",
    ]
    floor.after(30 * MINUTE_MS)
    assert floor.says(state="RUN") == ["unblocked PRESS-1 0..3600"]


def test_a_fault_too_short_to_block_the_capacity_is_no_micro_stop_of_that_rule() -> None:
    floor = press(BLOCKS)
    floor.says(state="FAULT", fault="E12")
    assert floor.after(6 * MINUTE_MS) == []
    assert floor.says(state="RUN") == []
    assert (floor.after(MINUTE_MS), floor.posted) == ([], [])


def test_a_block_is_posted_again_while_it_lasts_as_another_transaction_of_the_same_stop() -> None:
    floor = press(BLOCKS)
    floor.says(state="FAULT", fault="E12")
    floor.after(30 * MINUTE_MS + 2 * EXTEND_MS)
    blocks = [each for each in floor.posted if isinstance(each, CapacityBlock)]
    assert [each.started_ms for each in blocks] == [START_MS] * 3
    assert [each.key.partition(":")[2] for each in blocks] == [
        f"capacity.block:-:{START_MS}",
        f"capacity.block:-:{START_MS}:1",
        f"capacity.block:-:{START_MS}:2",
    ]


def test_what_is_opened_must_be_what_is_closed() -> None:
    (problem,) = problems_of(
        STOPS.replace("do: downtime.close", "do: capacity.unblock").replace(", loss: loss}\n  stale", "}\n  stale")
    )
    assert '"capacity.unblock" does not end what at_open posts; downtime.open is ended by downtime.close' in problem
    (problem,) = problems_of(STOPS.replace("do: downtime.open", "do: maintenance.request"))
    assert '"maintenance.request" does not last; at_open posts downtime.open or capacity.block' in problem


SHIFTS = """
shifts:
  - {name: early, days: mon-sun, from: "06:00", to: "14:00"}
  - {name: late, days: mon-sun, from: "14:00", to: "22:30"}
  - {name: night, days: mon-sun, from: "22:30", to: "06:00"}
"""


def test_a_stop_over_the_end_of_a_shift_has_a_part_for_each() -> None:
    """The floor's clock begins at 23:13:20 in Berlin, in the night; 6:00 is 24 400 s later."""
    floor = Floor(STOPS, at=PRESS, assets=ASSETS + SHIFTS)
    floor.comes_back(state="RUN", fault="", order="mo-1")
    floor.says(state="FAULT", fault="E12")
    floor.after(25_000_000)
    floor.says(state="RUN")
    assert floor.after(5_000) == ["downtime PRESS-1 0..25000 breakdown closed, 0 night, 24400 early"]


def test_micro_stops_are_totalled_for_each_shift() -> None:
    floor = Floor(STOPS, at=PRESS, assets=ASSETS + SHIFTS)
    floor.comes_back(state="RUN", fault="", order="mo-1")
    for wait_ms in (10_000, 25_000_000, 10_000):
        floor.says(state="STOPPED")
        floor.after(60_000)
        floor.says(state="RUN")
        floor.after(wait_ms)
    texts = [str(each).partition("1m; ")[2].rstrip("')") for each in floor.outputs if "micro" in str(each)]
    assert texts == [
        "1 so far in the shift night, 1m in all",
        "2 so far in the shift night, 2m in all",
        "1 so far in the shift early, 1m in all",
    ]
