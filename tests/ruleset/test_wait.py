"""What waits may be corrected, and is not forgotten because a rule was renamed."""

import msgspec

from ruleset.engine import Engine
from ruleset.form.memory import WaitMemory
from ruleset.form.records import rule_id
from ruleset.output import Alert, Post, Retraction
from ruleset.trace.trace import Outcome
from tests.ruleset.floor import LINE, START_MS, STATION, Floor, compiled, plant
from tests.ruleset.test_event import COMPLETE


def finished(floor: Floor, qty: int, lot: str = "L1") -> list[str]:
    return floor.happens("finished", "f-1", at=LINE, order="mo-1", lot=lot, qty=qty, consumed=[])


def accepted(floor: Floor, lot: str = "L1") -> list[str]:
    return floor.happens("disposition", f"d-{lot}", at=STATION, order="mo-1", lot=lot, status="accept")[1:]


def test_an_event_corrected_while_it_waits_is_posted_as_corrected() -> None:
    floor = Floor(COMPLETE, restarting=True)
    assert (finished(floor, 480), finished(floor, 470)) == ([], [])
    assert accepted(floor) == ["complete mo-1 470 pcs lot L1"]


def test_a_correction_that_was_decided_before_is_posted_at_once() -> None:
    floor = Floor(COMPLETE)
    finished(floor, 480)
    assert accepted(floor, "L2") == []
    assert finished(floor, 480, "L2") == ["complete mo-1 480 pcs lot L2"]
    assert accepted(floor, "L1") == []


def test_an_event_told_otherwise_after_it_was_decided_leads_to_the_same_posting_anew() -> None:
    floor = Floor(COMPLETE, restarting=True)
    finished(floor, 480)
    accepted(floor)
    assert (finished(floor, 480), finished(floor, 470)) == ([], ["complete mo-1 470 pcs lot L1"])
    assert (finished(floor, 470), finished(floor, 470, "L2")) == ([], ["complete mo-1 470 pcs lot L2"])


def test_an_event_that_came_while_the_clock_stood_ahead_waits_no_longer_after_a_restart() -> None:
    floor = Floor(COMPLETE)
    floor.now_ms += 7_200_000
    finished(floor, 480)
    floor.now_ms -= 7_200_000
    floor.restarts()
    assert floor.engine.next_due_ms == floor.now_ms + 4 * 3_600_000


def test_another_disposition_since_then_changes_nothing_of_what_was_decided() -> None:
    floor = Floor(COMPLETE)
    finished(floor, 480)
    accepted(floor)
    floor.happens("disposition", "d-later", at=STATION, order="mo-1", lot="L1", status="reject")
    assert finished(floor, 470) == ["complete mo-1 470 pcs lot L1"]


SOME = COMPLETE.replace("event: finished\n", "event: finished\n  when: finished.qty > 0\n")


def test_an_event_told_so_that_when_is_false_after_it_was_decided_is_retracted() -> None:
    floor = Floor(SOME, restarting=True)
    finished(floor, 480)
    accepted(floor)
    assert finished(floor, 0) == []
    *_, posted, retracted = floor.outputs
    assert isinstance(posted, Post)
    assert isinstance(retracted, Retraction)
    assert (retracted.refused.key, retracted.refused.reason) == (
        posted.transaction.key,
        "its source retracted it: as it is told now, finished.qty > 0 does not hold; skip it",
    )
    assert finished(floor, 470) == ["complete mo-1 470 pcs lot L1"]


def test_an_event_told_so_that_when_is_false_while_it_waits_waits_no_longer() -> None:
    floor = Floor(SOME)
    assert (finished(floor, 480), finished(floor, 0), accepted(floor)) == ([], [], [])
    assert Outcome.FALSE in {each.outcome for each in floor.engine.looks.of(rule_id("complete", LINE))}


def test_a_repeat_while_something_else_makes_when_false_is_told_under_the_key_of_what_was_posted() -> None:
    when = "finished.qty > 0 && (finished.lot in codes.scrap_reason || finished.lot == 'L1')"
    floor = Floor(SOME.replace("finished.qty > 0", f'"{when}"'))
    finished(floor, 480)
    accepted(floor)
    (told,) = finished(floor, 480, "L2")
    assert told.endswith("it was decided as production.complete, and would be nothing as it is told now")


def test_what_an_earlier_bridge_kept_of_a_decision_is_read() -> None:
    stored = msgspec.json.encode({"form": "wait", "decided": {"f-1": START_MS}})
    assert msgspec.json.decode(stored, type=WaitMemory).decided == {"f-1": START_MS}


def test_events_that_wait_in_a_rule_that_was_renamed_are_told_and_kept() -> None:
    floor = Floor(COMPLETE)
    finished(floor, 480)
    floor.store()
    renamed = Engine(compiled(COMPLETE.replace("rule: complete", "rule: completion")), plant())
    for id, snapshot in floor.records.items():
        renamed.restore(id, snapshot)
    (alert,) = renamed.started(START_MS)
    assert isinstance(alert, Alert)
    assert (alert.rule, alert.equipment) == ("complete", LINE)
    assert alert.text.startswith("rule complete is gone, or has another form, and f-1 wait in it")
    assert f"rule/complete/{LINE}" not in renamed.take_changed()


def test_the_disposition_of_another_order_decides_nothing() -> None:
    floor = Floor(COMPLETE)
    assert finished(floor, 10) == []
    assert floor.happens("disposition", "d-other", at=STATION, order="mo-2", lot="L1", status="accept")[1:] == []
    assert floor.happens("disposition", "d-lot", at=STATION, order="mo-1", lot="L2", status="accept")[1:] == []
    assert accepted(floor) != []
