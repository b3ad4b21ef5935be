"""The outbox, situation by situation: what is offered, and what became of what was sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from state.entry import EntryState, Note, Offer
from state.record import RecordId, Table
from tests.state.outbox_site import ODOO, Site


def test_the_same_fact_again_is_a_duplicate_while_it_waits_and_after_it_is_done(site: Site) -> None:
    assert site.offer("a") is Offer.ACCEPTED
    assert site.offer("a") is Offer.DUPLICATE
    site.deliver(*site.claim())
    assert site.offer("a") is Offer.DUPLICATE
    site.commit()
    site.crash()
    assert site.offer("a") is Offer.DUPLICATE
    assert site.outbox.entries() == ()


def test_how_a_fact_was_learnt_is_no_part_of_its_content_where_the_caller_says_so(site: Site) -> None:
    site.offer("a", body=b"4 pieces, seq 7", content=b"4 pieces")
    assert site.offer("a", body=b"4 pieces, seq 9", content=b"4 pieces") is Offer.DUPLICATE


@pytest.mark.parametrize("hold", [None, "above the tolerance"])
def test_other_content_replaces_an_entry_that_was_not_sent(site: Site, hold: str | None) -> None:
    site.offer("a", body=b"5", hold=hold)
    assert site.offer("a", body=b"4", now_ms=9) is Offer.REPLACED
    (entry,) = site.outbox.entries()
    assert (entry.body, entry.state, entry.number) == (b"4", EntryState.PENDING, 1)
    assert entry.history[-1].what.startswith(f"replaced; was {'held' if hold else 'pending'}")


def test_a_dead_letter_whose_mapping_was_mended_is_sent_when_it_is_offered_again(site: Site) -> None:
    site.offer("a", body=b"S99", dead="scrap reason S99 is not in codes.yaml")
    assert site.claim() == []
    assert site.offer("a", body=b"S04") is Offer.REPLACED
    assert site.claim() == ["a"]


def test_other_content_for_a_claimed_entry_waits_and_contradicts_it_when_it_was_applied(site: Site) -> None:
    site.offer("a", body=b"5")
    site.claim()
    assert site.offer("a", body=b"4", now_ms=7) is Offer.WAITING
    site.commit()
    site.crash()
    assert site.claim() == ["a"]
    follow_up = site.outbox.applied("a", b"{}", 8)
    assert follow_up is not None
    assert (follow_up.body, follow_up.at_ms) == (b"4", 7)
    assert site.done()["a"].body == b"5"
    assert site.offer("a", body=b"4") is Offer.CONTRADICTED


def test_other_content_for_a_claimed_entry_takes_its_place_when_it_was_declined(site: Site) -> None:
    site.offer("a", body=b"5")
    site.claim()
    site.offer("a", body=b"4")
    site.outbox.declined("a", "no_stock", "no stock of P", 1)
    (entry,) = site.outbox.entries()
    assert (entry.state, entry.body, entry.follow_up) == (EntryState.PENDING, b"4", None)


def test_other_content_waits_on_while_the_outcome_is_uncertain(site: Site) -> None:
    site.offer("a", body=b"5")
    site.claim()
    site.offer("a", body=b"4")
    site.outbox.postponed(["a"], "timed out", 0, uncertain=True)
    (again,) = site.outbox.claim(ODOO, now_ms=5000, limit=1)
    assert again.body == b"5"


def test_a_source_that_takes_its_other_content_back_leaves_nothing_waiting(site: Site) -> None:
    site.offer("a", body=b"5")
    site.claim()
    site.offer("a", body=b"4")
    assert site.offer("a", body=b"5") is Offer.DUPLICATE
    assert site.outbox.applied("a", b"{}", 1) is None


def test_a_total_that_is_not_above_the_last_of_its_stream_is_a_duplicate(site: Site) -> None:
    assert [site.total(upto) for upto in (10, 25, 10, 25, 5)] == [
        Offer.ACCEPTED,
        Offer.ACCEPTED,
        Offer.DUPLICATE,
        Offer.DUPLICATE,
        Offer.DUPLICATE,
    ]
    site.deliver(*site.claim())
    site.commit()
    site.crash()
    assert site.total(25) is Offer.DUPLICATE
    assert site.outbox.stream_totals("mo-1/") == {"mo-1/good": Decimal(25)}


def test_the_key_of_a_total_is_not_kept_once_it_is_delivered(site: Site) -> None:
    site.total(25)
    site.deliver(*site.claim())
    site.commit()
    assert {record.id for record in site.records if record.table is Table.KEY} == {
        "outbox",
        "stream:mo-1/good",
        "done:1",
    }


def test_half_a_total_and_an_entry_both_held_and_dead_are_misuse(site: Site) -> None:
    with pytest.raises(ValueError, match="either hold or dead"):
        site.offer("a", hold="x", dead="y")
    with pytest.raises(ValueError, match="together"):
        site.outbox.offer(key="a", lane="l", action="x", destination=ODOO, body=b"", now_ms=0, upto=Decimal(1))


def test_a_delivered_entry_moves_to_the_done_ones_with_its_receipt(site: Site) -> None:
    site.offer("a")
    site.claim()
    site.commit()
    site.outbox.applied("a", b'{"model": "stock.scrap", "id": 7}', 5)
    done = site.done()["a"]
    assert (done.state, done.receipt) == (EntryState.DELIVERED, b'{"model": "stock.scrap", "id": 7}')
    assert done.history == (Note(0, "accepted"), Note(5, "delivered"))
    assert RecordId(Table.ENTRY, "a") not in site.records


def test_an_outcome_without_a_claim_is_misuse(site: Site) -> None:
    site.offer("a")
    with pytest.raises(ValueError, match="not claimed"):
        site.outbox.applied("a", b"{}", 0)


def test_what_was_surely_not_written_is_pending_again_and_one_probe_follows_the_pause(site: Site) -> None:
    for number in range(4):
        site.offer(f"a{number}", lane=f"mo-{number}")
    site.claim(limit=2)
    site.outbox.postponed(["a0", "a1"], "Odoo does not answer", 0)
    assert site.outbox.depth() == {EntryState.PENDING: 4}
    assert site.outbox.next_due_ms == 1000
    assert (site.claim(now_ms=999), site.claim(now_ms=1000), site.claim(now_ms=1000)) == ([], ["a2"], [])
    site.outbox.postponed(["a2"], "Odoo does not answer", 1000)
    assert (site.claim(now_ms=2999), site.claim(now_ms=3000)) == ([], ["a3"])
    site.deliver("a3")
    assert (site.claim(now_ms=3000), site.outbox.depth()) == (
        ["a0", "a1"],
        {EntryState.CLAIMED: 2, EntryState.PENDING: 1},
    )


def test_an_entry_that_always_fails_does_not_keep_the_circuit_open_for_the_others(site: Site) -> None:
    site.offer("poison", lane="mo-0")
    site.offer("good", lane="mo-1")
    site.claim(limit=1)
    site.outbox.postponed(["poison"], "server error", 0)
    assert site.claim(now_ms=60_000) == ["good"]


def test_the_pause_survives_a_restart(site: Site) -> None:
    site.offer("a")
    site.claim()
    site.outbox.postponed(["a"], "Odoo is in maintenance", 0, retry_after_ms=30_000)
    site.commit()
    site.crash()
    assert (site.outbox.next_due_ms, site.claim(now_ms=29_999), site.claim(now_ms=30_000)) == (30_000, [], ["a"])


@pytest.mark.parametrize("ahead_ms", [900_000, 7_200_000])
def test_a_pause_is_as_long_for_a_process_whose_clock_is_behind_that_of_the_one_before(
    site: Site, ahead_ms: int
) -> None:
    site.offer("a", now_ms=ahead_ms)
    site.claim(ahead_ms)
    site.outbox.postponed(["a"], "Odoo is in maintenance", ahead_ms, retry_after_ms=30_000)
    site.commit()
    site.crash()
    site.outbox.started(5_000)
    assert (site.outbox.next_due_ms, site.claim(34_999)) == (65_000, [])  # the destination is left alone for a minute
    assert site.claim(65_000) == ["a"]


def test_a_process_that_starts_twice_with_a_clock_behind_does_not_pause_shorter(site: Site) -> None:
    site.offer("a", now_ms=900_000)
    site.claim(900_000)
    site.outbox.postponed(["a"], "the answer was lost", 900_000, retry_after_ms=60_000, uncertain=True)
    for began_ms in (5_000, 6_000):
        site.commit()
        site.crash()
        site.outbox.started(began_ms)
    assert (site.outbox.next_due_ms, site.claim(64_999), site.claim(65_000)) == (65_000, [], ["a"])


def test_an_uncertain_entry_is_sent_again_unchanged_before_its_followers(site: Site) -> None:
    for key in "abc":
        site.offer(key)
    site.claim(limit=2)
    site.outbox.postponed(["a", "b"], "the answer was lost", 0, uncertain=True)
    assert site.outbox.depth() == {EntryState.CLAIMED: 2, EntryState.PENDING: 1}
    assert site.offer("b", body=b"other") is Offer.WAITING
    assert site.claim(now_ms=1000) == ["a"]
    site.deliver("a")
    assert site.claim(now_ms=1000) == ["b", "c"]


def test_what_was_uncertain_once_stays_claimed_after_a_setback_that_surely_wrote_nothing(site: Site) -> None:
    site.offer("a")
    site.claim()
    site.outbox.postponed(["a"], "the answer was lost", 0, uncertain=True)
    site.claim(now_ms=1000)
    site.outbox.postponed(["a"], "connection refused", 1000)
    assert site.outbox.depth() == {EntryState.CLAIMED: 1}


def test_what_a_crash_left_claimed_is_sent_again_first(site: Site) -> None:
    site.offer("a")
    site.offer("b")
    site.claim(limit=1)
    site.commit()
    site.offer("lost with the crash")
    site.crash()
    assert site.claim() == ["a", "b"]
    site.outbox.passed("a", 1)
    site.outbox.passed("b", 1)
    assert site.states() == {"a": EntryState.CLAIMED, "b": EntryState.PENDING}


def test_what_is_to_be_sent_again_goes_before_an_older_entry_that_was_replayed(site: Site) -> None:
    site.offer("old", dead="no mapping")
    site.offer("unsure")
    site.claim()
    site.outbox.postponed(["unsure"], "the answer was lost", 0, uncertain=True)
    site.outbox.act("replay", ["old"], by="ann", reason="mapped", now_ms=1)
    assert [entry.key for entry in site.outbox.entries()] == ["old", "unsure"]
    site.claim(now_ms=1000)
    site.deliver("unsure")
    assert site.claim(now_ms=1000) == ["old"]


def test_a_declined_entry_is_dead_and_what_was_passed_over_goes_on(site: Site) -> None:
    for key in "abc":
        site.offer(key)
    site.claim()
    site.outbox.declined("a", "no_stock", "4 wanted, 1 in stock", 3)
    site.outbox.passed("b", 3)
    site.outbox.passed("c", 3)
    (dead,) = site.outbox.entries(EntryState.DEAD)
    assert (dead.key, dead.reason) == ("a", "no_stock: 4 wanted, 1 in stock")
    assert site.claim() == ["b", "c"]


def test_a_destination_that_is_left_alone_is_due_although_another_one_has_something_to_send_now(site: Site) -> None:
    site.offer("a")
    site.claim(now_ms=0)
    site.outbox.postponed(["a"], "away", now_ms=0)
    site.outbox.offer(key="p", lane="publish:mo-1", action="order.publish", destination="broker", body=b"1", now_ms=0)
    assert (site.outbox.next_due_ms, site.outbox.due_after(0), site.outbox.due_after(1000)) == (0, 1000, None)
