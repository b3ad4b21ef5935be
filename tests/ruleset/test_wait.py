"""What waits may be corrected, and is not forgotten because a rule was renamed."""

from ruleset.engine import Engine
from ruleset.output import Alert
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
