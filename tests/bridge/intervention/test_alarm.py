"""Dead letters, and held entries, that wait too long for a person or are too many, and workflows that are late."""

from __future__ import annotations

from bridge.core.input import Notice
from bridge.intervention.alarm import AGAIN_MS, LOOK_MS, Alarm, Limit, Overdue
from bridge.plant import Mode, OnFailure, SystemOfRecord, Workflow
from state.outbox import Outbox

HOUR_MS = 3_600_000


def alarm(*workflows: Workflow) -> Alarm:
    """At most two dead letters and one held entry, and none longer than one hour, or two."""
    dead, held = Limit(most=2, longest_ms=HOUR_MS), Limit(most=1, longest_ms=2 * HOUR_MS)
    return Alarm(outbox=Outbox(), dead=dead, held=held, workflows=workflows)


def waits(
    one: Alarm, key: str, at_ms: int = 0, *, dead: str | None = "no stock", hold: str | None = None, action: str = "x"
) -> None:
    one.outbox.offer(key=key, lane=key, action=action, destination="odoo", body=b"", now_ms=at_ms, dead=dead, hold=hold)


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
        ("entries.overdue", (0, "limits.dead", "", 3, 0)),
        ("entries.overdue", (AGAIN_MS, "limits.dead", "", 3, 86_400)),
    ]
    one.outbox.act("skip", "abc", by="ada", reason="seen", now_ms=AGAIN_MS)
    assert told(one, AGAIN_MS + LOOK_MS) == [("entries.in_time", (AGAIN_MS + LOOK_MS, "limits.dead"))]
    assert (one.overdue, one.next_due_ms) == ((), None)


def test_one_that_waits_too_long_is_told_with_its_age() -> None:
    one = alarm()
    waits(one, "a")
    later_ms = HOUR_MS + LOOK_MS
    assert told(one, HOUR_MS, later_ms) == [("entries.overdue", (later_ms, "limits.dead", "", 1, 3660))]
    assert one.overdue == (Overdue(limit="limits.dead", tell="", entries=1, oldest_ms=0),)


def test_dead_letters_and_held_entries_have_limits_of_their_own() -> None:
    one = alarm()
    for key in "ab":
        waits(one, key)
        waits(one, f"{key} held", dead=None, hold="too many")
    assert told(one, 0) == [("entries.overdue", (0, "limits.held", "", 2, 0))]
    one.outbox.act("skip", ["a held"], by="ada", reason="seen", now_ms=1)
    assert told(one, HOUR_MS + 1) == [
        ("entries.overdue", (HOUR_MS + 1, "limits.dead", "", 2, 3600)),
        ("entries.in_time", (HOUR_MS + 1, "limits.held")),
    ]
    assert told(one, 2 * HOUR_MS + 1) == [("entries.overdue", (2 * HOUR_MS + 1, "limits.held", "", 1, 7200))]


def test_how_long_a_dead_letter_waits_counts_from_when_it_died() -> None:
    one = alarm()
    waits(one, "a", dead=None)
    one.outbox.claim("odoo", now_ms=HOUR_MS, limit=1)
    one.outbox.declined("a", "no_stock", "none", 3 * HOUR_MS)
    assert told(one, 4 * HOUR_MS, 4 * HOUR_MS + LOOK_MS) == [
        ("entries.overdue", (4 * HOUR_MS + LOOK_MS, "limits.dead", "", 1, 3660))
    ]


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
        Notice(
            level="alert",
            name="entries.overdue",
            fields={"limit": "limits.dead", "tell": "", "entries": 3, "oldest_s": 0},
        )
    ]
