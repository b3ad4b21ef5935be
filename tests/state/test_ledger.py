"""What the outbox keeps through a restart, and what it forgets."""

from __future__ import annotations

from state.entry import EntryState, Offer
from state.record import RecordId, Table
from tests.state.outbox_site import Site


def test_only_what_changed_is_committed(site: Site) -> None:
    site.offer("a")
    site.offer("b")
    site.commit()
    assert site.commit() == frozenset()
    site.offer("a")
    assert site.commit() == frozenset()
    site.claim(limit=1)
    assert site.commit() == {RecordId(Table.ENTRY, "a")}


def test_what_is_old_and_done_is_forgotten_even_by_a_restored_outbox(site: Site) -> None:
    site.offer("a")
    site.total(5, lane="mo-2")
    site.offer("dead", lane="mo-3", dead="no mapping")
    site.total(9, lane="mo-4", hold="9 of 8")
    site.deliver(*site.claim())
    site.commit()
    site.crash()
    site.outbox.forget_before(1)
    site.commit()
    assert {(record.table, record.id) for record in site.records} == {
        (Table.ENTRY, "dead"),
        (Table.ENTRY, "progress:mo-4/good:9"),
        (Table.KEY, "stream:mo-4/good"),
        (Table.KEY, "outbox"),
    }
    assert site.offer("a") is Offer.ACCEPTED


def test_numbers_go_on_after_a_restart_with_nothing_left(site: Site) -> None:
    site.offer("a")
    site.deliver(*site.claim())
    site.commit()
    site.crash()
    site.offer("b")
    assert [entry.number for entry in site.outbox.entries()] == [2]


def test_the_oldest_waiting_entry_is_the_age_of_the_outbox(site: Site) -> None:
    site.offer("dead", dead="x", now_ms=1)
    site.offer("a", now_ms=2)
    site.offer("b", now_ms=3)
    site.claim(limit=1)
    assert site.outbox.waiting.oldest_pending_ms == 2


def test_nothing_is_due_while_only_an_outcome_helps(site: Site) -> None:
    site.offer("a", now_ms=2)
    assert site.outbox.next_due_ms == 0
    site.claim()
    assert site.outbox.depth() == {EntryState.CLAIMED: 1}
    assert [site.outbox.next_due_ms] == [None]


def test_an_outbox_with_nothing_to_send_has_no_age(site: Site) -> None:
    site.offer("dead", dead="x")
    assert (site.outbox.waiting.oldest_pending_ms, site.outbox.next_due_ms) == (None, None)


def test_a_lane_is_due_again_when_all_of_it_landed_and_others_are_meanwhile(site: Site) -> None:
    for key, lane in (("a", "mo-1"), ("b", "mo-1"), ("c", "mo-2")):
        site.offer(key, lane=lane)
    assert (site.outbox.next_due_ms, site.claim(limit=2)) == (0, ["a", "b"])
    site.offer("d", lane="mo-1")
    assert (site.outbox.next_due_ms, site.claim()) == (0, ["c"])
    assert [site.outbox.next_due_ms] == [None]
    site.deliver("a")
    assert [site.outbox.next_due_ms] == [None]
    site.deliver("b")
    assert (site.outbox.next_due_ms, site.claim()) == (0, ["d"])


def test_an_urgent_entry_takes_a_lane_to_the_front_that_was_asked_about_before(site: Site) -> None:
    site.offer("a", lane="mo-1")
    site.offer("b", lane="mo-2")
    assert site.outbox.next_due_ms == 0
    site.offer("urgent", lane="mo-2", priority=1)
    site.offer("held", lane="mo-1", priority=0, hold="9 of 8")
    assert site.claim() == ["b", "urgent", "a"]


def test_the_totals_of_one_order_are_those_of_its_first_level(site: Site) -> None:
    site.total(5, lane="mo-1", stream="mo-1/press/good")
    site.total(6, lane="mo-12", stream="mo-12/press/good")
    site.total(7, lane="mo-1", stream="mo-1/press-2/good")
    assert site.outbox.stream_totals("mo-1/") == {"mo-1/press/good": 5, "mo-1/press-2/good": 7}
    assert site.outbox.stream_totals("mo-1/press/") == {"mo-1/press/good": 5}
    assert set(site.outbox.stream_totals("")) == {"mo-1/press/good", "mo-1/press-2/good", "mo-12/press/good"}
