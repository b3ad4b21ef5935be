"""The outbox, situation by situation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from state.entry import Entry, EntryState, Note, decode
from state.intervention import Prediction
from state.lane import BLOCKS
from state.outbox import Offer, Outbox
from state.record import RecordId, Table
from state.retry import RetryPolicy

POLICY = RetryPolicy(base_ms=1000, cap_ms=60_000, spread=0)
ODOO = "odoo"


class Site:
    """An outbox with the records that its commits left behind."""

    def __init__(self) -> None:
        self.outbox = Outbox(POLICY)
        self.records: dict[RecordId, bytes] = {}

    def offer(
        self,
        key: str,
        action: str = "production.scrap",
        lane: str = "mo-1",
        body: bytes = b"1",
        priority: int = 50,
        hold: str | None = None,
        dead: str | None = None,
        now_ms: int = 0,
        content: bytes | None = None,
    ) -> Offer:
        return self.outbox.offer(
            key=key,
            lane=lane,
            action=action,
            destination=ODOO,
            body=body,
            now_ms=now_ms,
            priority=priority,
            hold=hold,
            dead=dead,
            content=content,
        )

    def total(self, upto: int, lane: str = "mo-1", stream: str = "", hold: str | None = None) -> Offer:
        stream = stream or f"{lane}/good"
        return self.outbox.offer(
            key=f"progress:{stream}:{upto}",
            lane=lane,
            action="production.progress",
            destination=ODOO,
            body=b"%d" % upto,
            now_ms=0,
            stream=stream,
            upto=Decimal(upto),
            hold=hold,
        )

    def claim(self, now_ms: int = 0, limit: int = 50) -> list[str]:
        return [entry.key for entry in self.outbox.claim(ODOO, now_ms=now_ms, limit=limit)]

    def deliver(self, *keys: str) -> None:
        for key in keys:
            self.outbox.applied(key, b"{}", 0)

    def commit(self) -> frozenset[RecordId]:
        changed = self.outbox.take_changed()
        for record in changed:
            value = self.outbox.snapshot(record)
            if value is None:
                self.records.pop(record, None)
            else:
                self.records[record] = value
        return changed

    def crash(self) -> None:
        """Begin again with what was committed."""
        self.outbox = Outbox(POLICY)
        self.outbox.restore({record: value for record, value in self.records.items() if record.table is not Table.DONE})

    def done(self) -> Mapping[str, Entry]:
        self.commit()
        return {record.id: decode(value) for record, value in self.records.items() if record.table is Table.DONE}

    def states(self) -> dict[str, EntryState]:
        live = {entry.key: entry.state for entry in self.outbox.entries()}
        return live | {key: entry.state for key, entry in self.done().items()}


@pytest.fixture
def site() -> Site:
    return Site()


# Offers.


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


# Lanes.


def test_a_lane_goes_in_order_and_gives_nothing_while_it_is_in_flight(site: Site) -> None:
    for key in "abc":
        site.offer(key)
    assert site.claim(limit=2) == ["a", "b"]
    assert site.claim() == []
    site.deliver("a")
    assert site.claim() == []
    site.deliver("b")
    assert site.claim() == ["c"]


def test_urgent_lanes_go_first_and_then_the_older_ones(site: Site) -> None:
    site.offer("old", lane="mo-1")
    site.offer("older-urgent", lane="mo-2")
    site.offer("hold", lane="mo-3", action="quality.hold", priority=10)
    site.offer("urgent", lane="mo-2", action="quality.hold", priority=10)
    assert site.claim() == ["older-urgent", "urgent", "hold", "old"]


def test_destinations_do_not_wait_for_each_other(site: Site) -> None:
    site.offer("a")
    site.outbox.offer(key="p", lane="mo-1", action="order.publish", destination="broker", body=b"", now_ms=0)
    assert site.claim() == ["a"]
    assert [entry.key for entry in site.outbox.claim("broker", now_ms=0, limit=5)] == ["p"]


def test_a_dead_start_keeps_back_the_finish_but_not_scrap(site: Site) -> None:
    site.offer("start", "workorder.start")
    site.claim()
    site.outbox.declined("start", "order_state", "the order is a draft", 1)
    site.offer("finish", "workorder.finish")
    site.offer("scrap", "production.scrap")
    assert site.claim() == ["scrap"]
    blocker = site.outbox.waits_for("finish")
    assert blocker is not None
    assert (blocker.key, blocker.reason) == ("start", "order_state: the order is a draft")
    assert site.outbox.waits_for("scrap") is None
    site.deliver("scrap")
    site.outbox.act("replay", ["start"], by="ann", reason="order confirmed", now_ms=2)
    assert site.claim() == ["start", "finish"]


def test_what_is_kept_back_keeps_back_others_in_turn(site: Site) -> None:
    site.offer("lot", "lot.create", dead="no such product")
    site.offer("consume", "material.consume")
    site.offer("complete", "production.complete")
    site.offer("note", "quality.result")
    assert site.claim() == ["note"]


def test_an_action_that_the_table_does_not_name_blocks_its_whole_lane(site: Site) -> None:
    site.offer("odd", "something.new", dead="?")
    site.offer("scrap", "production.scrap")
    site.offer("elsewhere", "production.scrap", lane="mo-2")
    assert site.claim() == ["elsewhere"]


def test_a_dead_hold_never_lets_a_completion_make_the_goods_available(site: Site) -> None:
    assert "production.complete" in BLOCKS["quality.hold"]
    site.offer("hold", "quality.hold", dead="no hold location")
    site.offer("complete", "production.complete")
    assert site.claim() == []


# Totals.


def test_waiting_totals_of_a_stream_become_one(site: Site) -> None:
    for upto in range(10, 110, 10):
        site.total(upto)
        site.total(upto, stream="mo-1/rework")
    assert site.claim() == ["progress:mo-1/good:100", "progress:mo-1/rework:100"]
    skipped = [entry for entry in site.done().values() if entry.state is EntryState.SKIPPED]
    assert len(skipped) == 18
    assert skipped[0].reason.startswith("compacted into progress:mo-1/")


def test_totals_are_not_joined_over_another_entry_nor_with_one_that_was_sent(site: Site) -> None:
    site.total(10)
    site.claim()
    site.outbox.postponed(["progress:mo-1/good:10"], "refused connection", 0)
    site.total(20)
    site.total(30)
    site.offer("scrap")
    site.total(40)
    site.total(50)
    probe = site.claim(now_ms=1000)
    site.deliver(*probe)
    assert probe == ["progress:mo-1/good:10"]
    assert site.claim(1000) == ["progress:mo-1/good:30", "scrap"]
    site.deliver("progress:mo-1/good:30", "scrap")
    assert site.claim(1000) == ["progress:mo-1/good:50"]


def test_a_completion_makes_held_totals_of_its_order_superfluous(site: Site) -> None:
    site.total(103)
    site.total(105, hold="105 of 100")
    site.total(7, lane="mo-2", hold="7 of 5")
    site.offer("complete", "production.complete")
    assert site.done()["progress:mo-1/good:105"].reason == "superseded by completion complete"
    assert site.claim() == ["progress:mo-1/good:103", "complete"]
    assert [entry.lane for entry in site.outbox.entries(EntryState.HELD)] == ["mo-2"]


def test_a_held_completion_supersedes_only_when_it_is_released(site: Site) -> None:
    site.total(105, hold="105 of 100")
    site.offer("complete", "production.complete", hold="105 of 100")
    assert site.outbox.depth() == {EntryState.HELD: 2}
    site.outbox.act("release", ["complete"], by="eve", reason="counted", now_ms=5)
    assert site.states() == {"complete": EntryState.PENDING, "progress:mo-1/good:105": EntryState.SKIPPED}


# Outcomes.


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


# Acts of people.


def test_acts_do_what_their_dry_run_says(site: Site) -> None:
    site.offer("dead", dead="no mapping")
    site.offer("held", hold="too many", lane="mo-2")
    site.offer("pending", lane="mo-3")
    site.offer("claimed", lane="mo-0", priority=1)
    site.offer("done", lane="mo-4", priority=0)
    site.deliver(site.claim(limit=1)[0])
    site.claim(limit=1)
    keys = ["dead", "held", "pending", "claimed", "done", "unknown", "dead"]
    before = site.states()
    would = {
        act: site.outbox.act(act, keys, by="ann", reason="r", now_ms=1, dry_run=True)
        for act in ("replay", "release", "skip")
    }
    assert site.states() == before
    assert {act: [(one.key, one.would) for one in found if one.would] for act, found in would.items()} == {
        "replay": [("dead", EntryState.PENDING)],
        "release": [("held", EntryState.PENDING)],
        "skip": [("dead", EntryState.SKIPPED), ("held", EntryState.SKIPPED), ("pending", EntryState.SKIPPED)],
    }
    assert would["replay"] == (
        Prediction("dead", EntryState.PENDING, "will be sent; was dead: no mapping"),
        Prediction("held", None, "only dead entries; this one is held: too many"),
        Prediction("pending", None, "only dead entries; this one is pending"),
        Prediction("claimed", None, "is being sent and may stand at its destination already; wait for its outcome"),
        Prediction("done", None, "delivered already"),
        Prediction("unknown", None, "no such entry; it may be done and forgotten"),
    )
    assert site.outbox.act("skip", keys, by="ann", reason="r", now_ms=1) == would["skip"]
    assert site.states() == before | dict.fromkeys(("dead", "held", "pending"), EntryState.SKIPPED)


def test_a_skipped_entry_says_who_and_why(site: Site) -> None:
    site.offer("a", dead="no mapping")
    site.outbox.act("skip", ["a"], by="ann", reason="counted by hand", now_ms=9)
    done = site.done()["a"]
    assert (done.reason, done.history[-1]) == ("counted by hand", Note(9, "skip: counted by hand", "ann"))


def test_a_released_entry_says_who_let_it_go(site: Site) -> None:
    site.offer("a", hold="105 of 100")
    site.outbox.act("release", ["a"], by="eve", reason="counted twice", now_ms=1)
    (entry,) = site.outbox.claim(ODOO, now_ms=1, limit=1)
    assert entry.released_by == "eve"


def test_an_unknown_act_is_misuse(site: Site) -> None:
    with pytest.raises(ValueError, match="erase"):
        site.outbox.act("erase", [], by="ann", reason="", now_ms=0)


# What is kept.


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
    assert site.outbox.oldest_pending_ms == 2


def test_nothing_is_due_while_only_an_outcome_helps(site: Site) -> None:
    site.offer("a", now_ms=2)
    assert site.outbox.next_due_ms == 0
    site.claim()
    assert site.outbox.depth() == {EntryState.CLAIMED: 1}
    assert [site.outbox.next_due_ms] == [None]


def test_an_outbox_with_nothing_to_send_has_no_age(site: Site) -> None:
    site.offer("dead", dead="x")
    assert (site.outbox.oldest_pending_ms, site.outbox.next_due_ms) == (None, None)
