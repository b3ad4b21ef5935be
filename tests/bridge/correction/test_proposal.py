"""A fact that stands in Odoo and comes again with other content ends in one proposal, which a person decides."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from bridge.core.input import Acted, ActKind, Notice, Setback
from bridge.core.job import unmet_reason
from odoo_adapter.odoo import Applied, Declined, Held
from ruleset.transaction import (
    Complete,
    Correct,
    DowntimeRecord,
    IdempotencyKey,
    MaterialConsume,
    OrderRef,
    Scrap,
    Transaction,
    decode,
)
from state.entry import Entry, EntryState
from state.ledger import MOST_REFUSED
from tests.bridge.core.test_posting import LINE, ORDER, RECEIPT, Desk, cause, said

FACT = f"{LINE}:fact:1"
FIRST = f"correction:1:{FACT}"
SECOND = f"correction:2:{FACT}"


def completed(quantity: int, lot: str = "L1") -> Complete:
    return Complete(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        quantity=Decimal(quantity),
        unit="pcs",
        lot=lot,
    )


def scrapped(quantity: int, order: str = ORDER) -> Scrap:
    return Scrap(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=OrderRef(order),
        quantity=Decimal(quantity),
        unit="pcs",
        reason="burr",
    )


def consumed(quantity: int) -> MaterialConsume:
    return MaterialConsume(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        product="STEEL",
        quantity=Decimal(quantity),
        unit="kg",
    )


def stopped(loss: str) -> DowntimeRecord:
    return DowntimeRecord(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        work_center="WC",
        started_ms=1_700_000_000_000,
        ended_ms=1_700_000_060_000,
        loss=loss,
    )


def deliver(desk: Desk) -> None:
    for entry in desk.outbox.claim("odoo", now_ms=2, limit=10):
        desk.postings.resolve(Applied(key=entry.key, receipt=RECEIPT), 3)


def posted(transaction: Transaction) -> Desk:
    """A desk whose fact stands in Odoo."""
    desk = Desk()
    desk.postings.post(transaction, 1)
    deliver(desk)
    return desk


def act(desk: Desk, kind: ActKind, key: str) -> tuple[Notice, ...]:
    return desk.postings.act(Acted(id="1", kind=kind, keys=(key,), by="ana", reason="looked"), 5)


def only(desk: Desk) -> Entry:
    (entry,) = desk.outbox.entries()
    return entry


def differences(desk: Desk) -> dict[str, Decimal]:
    """What is proposed, by key."""
    found = {entry.key: decode(entry.body) for entry in desk.outbox.entries() if entry.action != "fact.changed"}
    return {key: one.quantity for key, one in found.items() if isinstance(one, Correct | Scrap | MaterialConsume)}


def test_another_quantity_of_a_completion_proposes_a_correction_by_the_difference() -> None:
    desk = posted(completed(80))
    (notice,) = desk.postings.post(completed(70), 4)
    entry = only(desk)
    assert (notice.level, notice.name, notice.fields["key"], notice.fields["fact"]) == (
        "alert",
        "entry.contradicted",
        FIRST,
        FACT,
    )
    assert (entry.key, entry.state, entry.action, entry.lane) == (FIRST, EntryState.HELD, "production.correct", ORDER)
    assert entry.reason == notice.fields["reason"]
    assert entry.reason == (
        "the fact was posted with other content: quantity was 80 and is 70; "
        "release posts the difference of -10 pcs, skip leaves what stands"
    )
    assert decode(entry.body) == Correct(
        key=IdempotencyKey(FIRST),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        corrects=FACT,
        quantity=Decimal(-10),
        unit="pcs",
        reason="told again: quantity was 80 and is 70",
        lot="L1",
    )


@pytest.mark.parametrize("again", [scrapped(15), consumed(15)])
def test_more_scrap_or_consumption_is_proposed_as_more_of_it(again: Scrap | MaterialConsume) -> None:
    desk = posted(msgspec.structs.replace(again, quantity=Decimal(10)))
    desk.postings.post(again, 4)
    expected = msgspec.structs.replace(again, key=IdempotencyKey(FIRST), quantity=Decimal(5))
    assert (only(desk).state, decode(only(desk).body)) == (EntryState.HELD, expected)


@pytest.mark.parametrize(
    ("first", "again", "what"),
    [
        (scrapped(10), scrapped(7), "quantity was 10 and is 7"),
        (completed(80), completed(70, "L2"), "quantity was 80 and is 70, lot was L1 and is L2"),
        (stopped("breakdown"), stopped("setup"), "loss was breakdown and is setup"),
        (
            stopped("x"),
            msgspec.structs.replace(stopped("x"), ended_ms=1_700_000_090_000),
            "ended was 2023-11-14T22:14:20.000Z and is 2023-11-14T22:14:50.000Z",
        ),
        (scrapped(10), scrapped(10, "mo-2"), "order was mo-1 and is mo-2"),
        (
            msgspec.structs.replace(
                stopped("x"), text="it smelled of burnt oil near the second spindle, so we stopped it"
            ),
            stopped("x"),
            "text was a long text #8cc9d996 and is not given",
        ),
    ],
)
def test_what_no_transaction_can_make_good_is_for_a_person_to_correct(
    first: Transaction, again: Transaction, what: str
) -> None:
    desk = posted(first)
    desk.postings.post(again, 4)
    entry = only(desk)
    reason = f"the fact was posted with other content: {what}; correct it in Odoo where that is right, then skip this"
    assert (entry.state, entry.action, entry.reason) == (EntryState.DEAD, "fact.changed", reason)
    assert unmet_reason(entry.body) == reason


def test_other_content_proposes_once() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    entry = only(desk)
    assert (desk.postings.post(completed(70), 5), only(desk)) == ((), entry)
    act(desk, ActKind.SKIP, FIRST)
    assert (desk.postings.post(completed(70), 6), desk.states()) == ((), {})


def test_a_content_that_stood_before_is_proposed_anew_once_another_stands() -> None:
    desk, found = posted(completed(80)), []
    for quantity in (70, 80, 70, 80):
        desk.postings.post(completed(quantity), 4)
        (key,) = desk.states()
        found.append((key, differences(desk)[key]))
        act(desk, ActKind.RELEASE, key)
        deliver(desk)
    assert found == [
        (f"correction:{number}:{FACT}", Decimal(by)) for number, by in ((1, -10), (2, 10), (3, -10), (4, 10))
    ]


def test_what_was_refused_stays_so_until_something_else_stands() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.SKIP, FIRST)
    desk.postings.post(completed(75), 5)
    assert (desk.postings.post(completed(70), 6), differences(desk)) == ((), {SECOND: Decimal(-5)})
    act(desk, ActKind.RELEASE, SECOND)
    deliver(desk)
    desk.postings.post(completed(70), 7)
    assert differences(desk) == {f"correction:3:{FACT}": Decimal(-5)}


def test_of_what_was_refused_the_latest_is_remembered() -> None:
    desk = posted(completed(80))
    for more in range(MOST_REFUSED + 1):
        desk.postings.post(completed(81 + more), 4)
        act(desk, ActKind.SKIP, *desk.states())
    done = desk.outbox.accepted(FACT)
    assert done is not None
    assert len(done.refused) == MOST_REFUSED
    assert (desk.postings.post(completed(81 + MOST_REFUSED), 5), desk.states()) == ((), {})
    desk.postings.post(completed(81), 6)
    assert differences(desk) == {f"correction:{MOST_REFUSED + 2}:{FACT}": Decimal(1)}


def test_what_stands_and_is_told_again_withdraws_what_is_proposed() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    assert said(desk.postings.post(completed(80), 5)) == [("warning", "entry.withdrawn")]
    assert (desk.states(), desk.postings.post(completed(80), 6)) == ({}, ())
    desk.postings.post(completed(70), 7)
    assert differences(desk) == {SECOND: Decimal(-10)}


def test_tellings_that_come_again_in_their_order_leave_nothing_proposed() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.RELEASE, FIRST)
    deliver(desk)
    for quantity in (80, 70):
        desk.postings.post(completed(quantity), 5)
    assert desk.states() == {}


@pytest.mark.parametrize("is_declined", [False, True])
def test_what_stands_and_is_told_again_while_its_correction_is_sent_counts_after_the_outcome(is_declined: bool) -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.RELEASE, FIRST)
    desk.outbox.claim("odoo", now_ms=6, limit=1)
    assert (desk.postings.post(completed(80), 7), differences(desk)) == ((), {FIRST: Decimal(-10)})
    if is_declined:
        desk.postings.resolve(Declined(key=FIRST, code="no_stock", reason="gone"), 8)
        assert desk.states() == {}
    else:
        desk.postings.resolve(Applied(key=FIRST, receipt=RECEIPT), 8)
        assert differences(desk) == {SECOND: Decimal(10)}


def test_after_a_correction_by_hand_the_first_content_is_other_content() -> None:
    desk = posted(scrapped(10))
    desk.postings.post(scrapped(7), 4)
    act(desk, ActKind.SKIP, FIRST)
    assert (desk.postings.post(scrapped(7), 5), desk.states()) == ((), {})
    desk.postings.post(scrapped(10), 6)
    assert (only(desk).key, only(desk).state) == (SECOND, EntryState.DEAD)
    assert said(desk.postings.post(scrapped(7), 7)) == [("warning", "entry.withdrawn")]


def test_a_later_content_takes_the_place_of_what_is_proposed() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    desk.postings.post(completed(75), 5)
    assert differences(desk) == {FIRST: Decimal(-5)}
    assert only(desk).history[-1].what.startswith("replaced; was held with content")


def test_a_proposal_that_was_released_is_what_the_next_one_begins_from() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.RELEASE, FIRST)
    deliver(desk)
    desk.postings.post(completed(75), 6)
    assert differences(desk) == {SECOND: Decimal(5)}


def test_a_proposal_that_was_skipped_changes_nothing_for_the_next_one() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.SKIP, FIRST)
    desk.postings.post(completed(75), 6)
    assert differences(desk) == {SECOND: Decimal(-5)}


def test_what_comes_while_a_proposal_is_being_sent_begins_from_its_outcome() -> None:
    applied, declined = posted(completed(80)), posted(completed(80))
    for desk in (applied, declined):
        desk.postings.post(completed(70), 4)
        act(desk, ActKind.RELEASE, FIRST)
        desk.outbox.claim("odoo", now_ms=6, limit=1)
        assert desk.postings.post(completed(75), 7) != ()
        assert differences(desk) == {FIRST: Decimal(-10)}
    assert said(applied.postings.resolve(Applied(key=FIRST, receipt=RECEIPT), 8)) == [
        ("info", "entry.delivered"),
        ("alert", "entry.contradicted"),
    ]
    declined.postings.resolve(Declined(key=FIRST, code="no_stock", reason="gone"), 8)
    assert (differences(applied), differences(declined)) == ({SECOND: Decimal(5)}, {FIRST: Decimal(-5)})


def test_once_a_person_corrected_it_by_hand_no_difference_is_proposed_any_more() -> None:
    desk = posted(scrapped(10))
    desk.postings.post(scrapped(7), 4)
    act(desk, ActKind.SKIP, FIRST)
    desk.postings.post(scrapped(12), 6)
    assert only(desk).reason == (
        "the fact was posted with other content, and what stands of it now is not known here; correct it in Odoo where "
        "that is right, then skip this"
    )


def test_of_a_correction_that_may_stand_and_is_skipped_nobody_knows_whether_it_does() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(70), 4)
    act(desk, ActKind.RELEASE, FIRST)
    desk.outbox.claim("odoo", now_ms=6, limit=1)
    desk.postings.postpone(Setback(keys=(FIRST,), reason="the answer was lost", uncertain=True), 7)
    desk.outbox.claim("odoo", now_ms=100_000, limit=1)
    desk.postings.resolve(Held(key=FIRST, reason="70 stand, 80 were expected"), 100_001)
    act(desk, ActKind.SKIP, FIRST)
    desk.postings.post(completed(75), 100_002)
    assert (only(desk).key, only(desk).state, differences(desk)) == (SECOND, EntryState.DEAD, {})


def test_a_fact_that_was_skipped_is_not_posted_by_coming_again() -> None:
    desk = Desk()
    desk.postings.post(scrapped(10), 1)
    act(desk, ActKind.SKIP, FACT)
    desk.postings.post(scrapped(12), 4)
    assert (only(desk).state, only(desk).reason.partition(";")[0]) == (
        EntryState.DEAD,
        "the fact was skipped and came again with other content",
    )


def test_the_difference_goes_to_the_order_on_which_the_fact_was_posted() -> None:
    desk = Desk()
    desk.postings.post(scrapped(10), 1, order_ran=True)
    deliver(desk)
    desk.postings.post(scrapped(15, "mo-2"), 4, order_ran=True)
    proposed = decode(only(desk).body)
    assert (only(desk).lane, proposed.order, differences(desk)) == (ORDER, ORDER, {FIRST: Decimal(5)})


def test_a_correction_above_the_tolerance_says_so() -> None:
    desk = posted(completed(80))
    desk.postings.post(completed(150), 4)
    assert only(desk).reason.endswith(
        "150 Units reported on WH/MO/1, planned 100: above the tolerance of 5 %; release it to post it all the same"
    )


def test_a_fact_older_than_what_is_remembered_is_held_and_a_total_is_not() -> None:
    desk = Desk()
    now_ms = 1_800_000_000_000
    kept_ms = desk.postings.keys_kept_ms
    at_the_limit = msgspec.structs.replace(scrapped(1), key=IdempotencyKey("young"), at_ms=now_ms - kept_ms)
    desk.postings.post(at_the_limit, now_ms)
    desk.postings.post(
        msgspec.structs.replace(at_the_limit, key=IdempotencyKey("old"), at_ms=now_ms - kept_ms - 1), now_ms
    )
    assert desk.states() == {"young": EntryState.PENDING, "old": EntryState.HELD}
    held = desk.outbox.entry("old")
    assert held is not None
    assert held.reason == (
        "it happened at 2026-12-16T07:59:59.999Z, by the clock of its source, and facts are remembered for less "
        "(limits.keys_kept): whether it was posted then is not known; look in Odoo, then release or skip it"
    )
