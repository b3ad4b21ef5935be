"""Stops: from the moment they open until they closed for good, with the loss that caused them."""

from __future__ import annotations

from ruleset.transaction import DowntimeRecord
from tests.ruleset.floor import PRESS, START_MS, Floor

DOWNTIME = """
- rule: downtime
  assets: "machining/*"
  episode: {open: "state in ['STOPPED', 'FAULT', 'STARVED']", close: "state == 'RUN'", merge_gaps: 5s}
  micro: 2m
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
    - {when: "episode.share('STARVED') > 0.5", loss: "'material_availability'"}
    - {when: "true", loss: "'unclassified'"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}
"""


def press(rules: str = DOWNTIME, *, restarting: bool = False) -> Floor:
    floor = Floor(rules, at=PRESS, restarting=restarting)
    floor.comes_back(state="RUN", fault="", order="mo-1")
    return floor


def test_a_stop_is_recorded_with_the_fault_that_was_shown_during_it() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    floor.after(300_000)
    floor.says(fault="")
    floor.after(60_000)
    assert floor.says(state="RUN") == []
    assert floor.after(4_999) == []
    assert floor.after(1) == ["downtime PRESS-1 0..360 breakdown"]


def test_the_record_names_the_stop_by_its_start_and_the_message_that_opened_it() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    floor.after(300_000)
    floor.says(state="RUN", fault="")
    floor.after(5_000)
    (record,) = floor.posted
    assert isinstance(record, DowntimeRecord)
    assert (record.key, record.at_ms) == (f"{PRESS}:downtime.record:-:{START_MS}", START_MS + 300_000)
    assert (record.provenance.topic, record.provenance.seq) == (f"spBv1.0/{PRESS}", 1)


def test_a_micro_stop_is_totalled_and_not_posted() -> None:
    floor = press()
    for _ in range(2):
        floor.says(state="STOPPED")
        floor.after(90_000)
        floor.says(state="RUN")
        floor.after(10_000)
    assert floor.posted == []
    assert [str(each) for each in floor.outputs] == [
        f"Remark(name=<RemarkName.MICRO_STOP: 'micro-stop'>, equipment='{PRESS}', text='{text}')"
        for text in ("rule downtime: 90s; 1 so far, 90s in all", "rule downtime: 90s; 2 so far, 3m in all")
    ]


def test_gaps_shorter_than_the_merge_are_one_stop() -> None:
    floor = press()
    floor.says(state="STOPPED")
    floor.after(100_000)
    floor.says(state="RUN")
    floor.after(4_000)
    floor.says(state="STOPPED")
    floor.after(100_000)
    floor.says(state="RUN")
    assert floor.after(10_000) == ["downtime PRESS-1 0..204 unclassified"]


def test_the_share_of_a_state_classifies() -> None:
    floor = press()
    floor.says(state="STOPPED")
    floor.after(60_000)
    floor.says(state="STARVED")
    floor.after(1_140_000)
    floor.says(state="RUN")
    assert floor.after(5_000) == ["downtime PRESS-1 0..1200 material_availability"]


def test_a_stop_that_lasts_over_restarts_is_one_record() -> None:
    floor = press(restarting=True)
    floor.says(state="FAULT", fault="W03")
    floor.after(200_000)
    floor.says(fault="")
    floor.after(200_000)
    floor.says(state="RUN")
    assert floor.after(60_000) == []
    assert floor.comes_back(state="RUN", fault="", order="mo-1") == ["downtime PRESS-1 0..400 setup"]


def test_a_stop_that_ended_while_the_clock_stood_ahead_is_over_in_time_after_a_restart() -> None:
    floor = press()
    floor.now_ms += 7_200_000
    floor.says(state="FAULT", fault="E12")
    floor.after(300_000)
    floor.says(state="RUN")
    floor.now_ms -= 7_200_000
    floor.restarts()
    floor.comes_back(state="RUN", fault="", order="mo-1")
    assert floor.after(4_999) == []
    assert floor.after(1) == ["downtime PRESS-1 7200..7500 breakdown"]


def test_while_the_press_is_stale_the_stop_stays_open() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    floor.after(200_000)
    floor.goes_away()
    assert floor.after(200_000) == []
    floor.comes_back(state="RUN", fault="", order="mo-1")
    assert floor.after(5_000) == ["downtime PRESS-1 0..400 breakdown"]


def test_a_stop_that_ended_just_before_the_press_went_away_waits_for_its_birth() -> None:
    floor = press()
    floor.says(state="FAULT", fault="E12")
    floor.after(200_000)
    floor.says(state="RUN")
    floor.goes_away()
    assert floor.after(60_000) == []
    assert floor.comes_back(state="RUN", fault="", order="mo-1") == ["downtime PRESS-1 0..200 breakdown"]


def test_stale_fire_does_not_wait_for_the_birth() -> None:
    floor = press(DOWNTIME + "  stale: fire\n")
    floor.says(state="FAULT", fault="E12")
    floor.after(200_000)
    floor.says(state="RUN")
    floor.goes_away()
    assert floor.after(5_000) == ["downtime PRESS-1 0..200 breakdown"]


def test_a_condition_over_a_signal_that_is_not_known_opens_nothing() -> None:
    floor = Floor(DOWNTIME.replace("'STARVED']", "'STARVED'] && planned"), at=PRESS)
    assert floor.says(state="FAULT") == []
    floor.after(600_000)
    floor.says(state="RUN")
    assert floor.after(10_000) == []


def test_signals_of_one_message_are_seen_together() -> None:
    floor = press(DOWNTIME.replace("'STARVED']", "'STARVED'] && planned"))
    floor.says(planned=True)
    floor.says(state="STOPPED", planned=False)
    floor.after(600_000)
    floor.says(state="RUN")
    assert floor.after(10_000) == []


def test_a_stop_that_no_line_classifies_is_a_dead_letter() -> None:
    floor = press(DOWNTIME.replace("""    - {when: "true", loss: "'unclassified'"}\n""", ""))
    floor.says(state="STOPPED")
    floor.after(300_000)
    floor.says(state="RUN")
    assert floor.after(5_000) == ["dead downtime.record None: no line of classify fits"]


def test_stored_states_that_come_late_open_nothing_and_are_remarked_once() -> None:
    floor = press()
    assert floor.stored(START_MS - 100_000, state="FAULT") == [
        "remark history-late: stored readings of state came after their time had been settled; they change nothing"
    ]
    assert floor.stored(START_MS - 50_000, state="RUN") == []
    floor.after(600_000)
    assert floor.posted == []


def test_after_a_birth_a_stop_begins_when_the_state_changed_whatever_else_the_birth_tells() -> None:
    floor = press()
    floor.after(900_000)
    floor.says_at(birth=True, state=("FAULT", 600_000), fault=("E12", 100_000), order=("mo-1", -5_000_000))
    floor.says_at(state=("RUN", 900_000), fault=("", 903_000))
    assert floor.after(5_000) == ["downtime PRESS-1 600..900 breakdown"]


def test_conditions_that_cannot_be_evaluated_are_remarked_once_until_they_can_be() -> None:
    floor = press(DOWNTIME.replace("'STARVED']", "'STARVED'] && codes.fault_reason[fault] == 'setup'"))
    (remark,) = floor.says(state="FAULT", fault="X1")
    assert remark.startswith("remark evaluation-failed: rule downtime: ")
    floor.restarts()
    assert floor.says(fault="X2") == []
    assert floor.says(fault="E12") == []
    assert floor.says(fault="X1") == [remark]
