"""The order within lanes, what keeps back what, and totals that are joined."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import get_args

from ruleset.transaction import Transaction
from state.entry import EntryState, FollowUp, Offer
from state.lane import BLOCKS
from state.record import Table
from tests.state.outbox_site import ODOO, Site


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
    blocker = site.outbox.waiting.waits_for("finish")
    assert blocker is not None
    assert (blocker.key, blocker.reason) == ("start", "order_state: the order is a draft")
    assert site.outbox.waiting.waits_for("scrap") is None
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


def test_a_held_consumption_keeps_the_completion_back(site: Site) -> None:
    site.offer("consume", "material.consume", hold="more than the order needs")
    site.offer("complete", "production.complete")
    assert site.claim() == []


def test_waiting_totals_of_a_stream_become_one(site: Site) -> None:
    for upto in range(10, 110, 10):
        site.total(upto)
        site.total(upto, stream="mo-1/rework")
    assert site.claim() == ["progress:mo-1/good:100", "progress:mo-1/rework:100"]
    assert site.done() == {}


def test_a_total_that_takes_in_others_has_their_place_and_age_and_they_leave_no_record(site: Site) -> None:
    site.total(10, now_ms=5)
    site.commit()
    for upto in (1, 2):
        site.total(upto, stream="mo-1/rework", now_ms=5 + upto)
        site.total(10 + upto, now_ms=5 + upto)
    site.offer("scrap")
    for _ in range(2):
        assert [(one.key, one.number, one.created_ms) for one in site.outbox.entries()] == [
            ("progress:mo-1/good:12", 1, 5),
            ("progress:mo-1/rework:2", 2, 6),
            ("scrap", 6, 0),
        ]
        site.commit()
        assert {record.id for record in site.records if record.table in (Table.ENTRY, Table.DONE)} == {
            "progress:mo-1/good:12",
            "progress:mo-1/rework:2",
            "scrap",
        }
        site.crash()
    (first, *_) = site.outbox.entries()
    assert [(note.at_ms, note.what) for note in first.history] == [(5, "accepted"), (7, "took in the total before it")]
    assert site.total(11) is Offer.DUPLICATE


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


def test_the_table_names_every_transaction_and_the_page_names_every_row() -> None:
    transactions = {member.__struct_config__.tag for member in get_args(Transaction)}
    assert transactions - BLOCKS.keys() == set()
    page = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")
    assert {action for action in BLOCKS if f"`{action}`" not in page} == set()


def test_what_came_behind_a_total_that_waits_for_a_start_stays_behind_both(site: Site) -> None:
    site.offer("scrap")
    site.outbox.take(
        "progress",
        FollowUp(
            body=b"5",
            content_hash="5",
            at_ms=0,
            lane="mo-1",
            priority=50,
            stream="mo-1/good",
            upto=Decimal(5),
            not_before_ms=30_000,
        ),
        action="production.progress",
        destination=ODOO,
    )
    site.offer("complete", "production.complete")
    assert site.claim() == ["scrap"]
    site.deliver("scrap")
    site.offer("start", "workorder.start")
    assert site.claim() == ["start", "progress", "complete"]
