"""Dead letters and held entries that wait too long for a person, or are too many, and workflows that are late."""

from __future__ import annotations

from bridge.core.input import Notice
from bridge.intervention.alarm import AGAIN_MS, LOOK_MS, Alarm, Overdue
from bridge.plant import Mode, OnFailure, SystemOfRecord, Workflow
from state.outbox import Outbox

HOUR_MS = 3_600_000


def alarm(*workflows: Workflow) -> Alarm:
    """At most two, and none longer than an hour."""
    return Alarm(outbox=Outbox(), most=2, longest_ms=HOUR_MS, workflows=workflows)


def waits(one: Alarm, key: str, at_ms: int = 0, *, dead: str | None = "no stock", action: str = "x") -> None:
    one.outbox.offer(key=key, lane=key, action=action, destination="odoo", body=b"", now_ms=at_ms, dead=dead, hold=None)


def told(one: Alarm, *times_ms: int) -> list[tuple[str, object]]:
    found = [(now_ms, each) for now_ms in times_ms for each in one.due(now_ms)]
    return [(each.name, (now_ms, *each.fields.values())) for now_ms, each in found]


def test_nothing_that_waits_is_nothing_to_look_at() -> None:
    one = alarm()
    assert (list(one.due(1)), one.next_due_ms, one.overdue) == ([], None, ())


def test_what_waited_before_a_start_is_looked_at_at_once_and_then_every_minute() -> None:
    one = alarm()
    waits(one, "a")
    assert one.next_due_ms == 0
    for now_ms in (5, 5 + LOOK_MS):
        assert list(one.due(now_ms)) == []
        assert one.next_due_ms == now_ms + LOOK_MS


def test_too_many_are_told_once_a_day_and_when_it_is_over() -> None:
    one = alarm()
    for key in "abc":
        waits(one, key)
    assert told(one, 0, 1, LOOK_MS, AGAIN_MS) == [
        ("entries.overdue", (0, "all", "", 3, 0)),
        ("entries.overdue", (AGAIN_MS, "all", "", 3, 86_400)),
    ]
    one.outbox.act("skip", "abc", by="ada", reason="seen", now_ms=AGAIN_MS)
    assert told(one, AGAIN_MS + LOOK_MS) == [("entries.in_time", (AGAIN_MS + LOOK_MS, "all"))]
    assert (one.overdue, one.next_due_ms) == ((), None)


def test_one_that_waits_too_long_is_told_with_its_age() -> None:
    one = alarm()
    waits(one, "a")
    assert told(one, HOUR_MS, HOUR_MS + LOOK_MS) == [("entries.overdue", (HOUR_MS + LOOK_MS, "all", "", 1, 3660))]
    assert one.overdue == (Overdue(limit="all", tell="", entries=1, oldest_ms=0),)


def test_a_workflow_tells_whom_it_names_when_its_entries_are_late_whatever_keeps_them() -> None:
    flow = Workflow(
        name="scrap",
        actions=("production.scrap",),
        system_of_record=SystemOfRecord.ODOO,
        mode=Mode.REAL_TIME,
        latency_ms=1_000,
        priority=1,
        on_failure=OnFailure.WAIT,
        alert="planning",
        alert_after_ms=120_000,
    )
    one = alarm(flow)
    waits(one, "a", dead=None, action="production.scrap")
    waits(one, "b", dead=None)
    assert told(one, 120_000, 180_000) == [("entries.overdue", (180_000, "scrap", "planning", 1, 180))]


def test_it_is_looked_once_a_minute() -> None:
    one = alarm()
    waits(one, "a")
    assert one.next_due_ms == 0
    assert list(one.due(5)) == []
    assert one.next_due_ms == 5 + LOOK_MS


def test_what_is_told_is_for_a_person() -> None:
    one = alarm()
    for key in "abc":
        waits(one, key)
    assert list(one.due(7)) == [
        Notice(level="alert", name="entries.overdue", fields={"limit": "all", "tell": "", "entries": 3, "oldest_s": 0})
    ]
