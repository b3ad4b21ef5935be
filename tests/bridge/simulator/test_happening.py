"""The agenda: what is due runs in the order of its time, whatever the steps."""

from __future__ import annotations

from bridge.simulator.happening import Agenda, DocumentSent


def say(agenda: Agenda, topic: str, at_ms: int) -> None:
    agenda.report(DocumentSent(topic=topic, document={}, at_ms=at_ms))


def test_acts_run_in_the_order_of_their_time_and_then_of_their_entry() -> None:
    agenda = Agenda()
    agenda.enter(20, lambda at_ms: say(agenda, "late", at_ms))
    agenda.enter(10, lambda at_ms: say(agenda, "first", at_ms))
    agenda.enter(10, lambda at_ms: agenda.enter(15, lambda then_ms: say(agenda, "between", then_ms)))
    agenda.enter(30, lambda at_ms: say(agenda, "not yet", at_ms))

    assert [(each.topic, each.at_ms) for each in agenda.advance(29) if isinstance(each, DocumentSent)] == [
        ("first", 10),
        ("between", 15),
        ("late", 20),
    ]
    assert agenda.next_due_ms == 30
    assert agenda.advance(29) == []
