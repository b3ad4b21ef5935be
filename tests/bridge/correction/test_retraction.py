"""A fact that its source took back: what waits is not posted, and what stands is for a person to decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from bridge.core.input import ActKind, Notice
from bridge.core.job import unmet_reason
from odoo_adapter.odoo import Applied, Declined
from ruleset.output import Retraction
from ruleset.transaction import Correct, IdempotencyKey, QualityHold, Transaction, decode
from state.entry import EntryState
from state.record import RecordId
from tests.bridge.core.test_posting import LINE, ORDER, RECEIPT, Desk, cause, said, unmet
from tests.bridge.correction.test_proposal import (
    FACT,
    FIRST,
    SECOND,
    act,
    completed,
    consumed,
    deliver,
    differences,
    only,
    scrapped,
    stopped,
)

REASON = "its source retracted it: as it is told now, scrap.qty > 0 does not hold; skip it"
AS_POSTED, AS_RETRACTED = "said 10", "said 0"


def retraction(fact: str = FACT, telling: str = AS_RETRACTED) -> Retraction:
    return Retraction(replace(unmet(REASON), key=IdempotencyKey(fact)), telling=telling)


def retract(desk: Desk, telling: str = AS_RETRACTED) -> tuple[Notice, ...]:
    return desk.postings.retract(retraction(telling=telling), 4)


def waiting(transaction: Transaction) -> Desk:
    desk = Desk()
    desk.postings.post(transaction, 1, telling=AS_POSTED)
    return desk


def posted(transaction: Transaction) -> Desk:
    desk = waiting(transaction)
    deliver(desk)
    return desk


def restarted(desk: Desk) -> Desk:
    """Another process that has what this one committed."""
    records: dict[RecordId, bytes] = {}
    for record in desk.outbox.take_changed():
        if (value := desk.outbox.snapshot(record)) is not None:
            records[record] = value
    other = Desk()
    other.outbox.restore(records)
    return other


def pending() -> Desk:
    return waiting(scrapped(10))


def held() -> Desk:
    desk = waiting(completed(150))
    assert only(desk).state is EntryState.HELD
    return desk


def declined() -> Desk:
    desk = waiting(scrapped(10))
    desk.claim()
    desk.postings.resolve(Declined(key=FACT, code="rights", reason="no"), 3)
    return desk


def test_an_event_that_was_never_wanted_is_nothing() -> None:
    desk = Desk()
    assert (retract(desk), desk.states()) == ((), {})


@pytest.mark.parametrize(
    ("situation", "was"), [(pending, "pending"), (held, "held"), (declined, "dead")], ids=["pending", "held", "dead"]
)
def test_what_was_not_sent_is_a_dead_letter_that_says_so_and_is_said_once(
    situation: Callable[[], Desk], was: str
) -> None:
    desk = situation()
    notices, again = retract(desk), retract(desk)
    entry = only(desk)
    assert (said(notices), again) == ([("warning", "entry.replaced"), ("alert", "entry.dead")], ())
    assert (entry.key, entry.state, entry.reason, unmet_reason(entry.body)) == (FACT, EntryState.DEAD, REASON, REASON)
    assert entry.history[-1].what.startswith(f"replaced; was {was} with content ")


def test_what_was_retracted_before_it_was_sent_is_sent_when_it_is_told_right() -> None:
    desk = waiting(scrapped(10))
    retract(desk)
    desk.postings.post(scrapped(3), 5, telling="said 3")
    assert (only(desk).state, decode(only(desk).body)) == (EntryState.PENDING, scrapped(3))


@pytest.mark.parametrize("again", [False, True], ids=["the same process", "after a restart"])
def test_of_a_completion_that_stands_all_is_proposed_to_be_taken_away(again: bool) -> None:
    desk = posted(completed(80))
    desk = restarted(desk) if again else desk
    (notice,) = retract(desk)
    reason = "the fact was posted, and its source retracted it: quantity was 80 and is 0"
    assert (notice.level, notice.name, notice.fields["fact"]) == ("alert", "entry.contradicted", FACT)
    assert (only(desk).key, only(desk).state, only(desk).action, only(desk).lane, only(desk).reason) == (
        FIRST,
        EntryState.HELD,
        "production.correct",
        ORDER,
        f"{reason}; release posts the difference of -80 pcs, skip leaves what stands",
    )
    assert decode(only(desk).body) == Correct(
        key=IdempotencyKey(FIRST),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        corrects=FACT,
        quantity=Decimal(-80),
        unit="pcs",
        reason="retracted: quantity was 80 and is 0",
        lot="L1",
    )
    assert retract(desk) == ()


def test_goods_that_were_put_on_hold_are_taken_away_like_completed_ones() -> None:
    hold = QualityHold(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        quantity=Decimal(8),
        unit="pcs",
    )
    desk = posted(hold)
    retract(desk)
    assert differences(desk) == {FIRST: Decimal(-8)}


def test_a_correction_that_is_retracted_is_undone_where_it_is_known_what_it_corrected() -> None:
    known = Correct(
        key=IdempotencyKey(FACT),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        corrects="f-1",
        quantity=Decimal(-5),
        unit="pcs",
        reason="counted anew",
    )
    desks = posted(known), posted(msgspec.structs.replace(known, corrects="a name that is much too long" * 3))
    for desk in desks:
        retract(desk)
    (entry,) = desks[0].outbox.entries()
    undone = decode(entry.body)
    assert isinstance(undone, Correct)
    assert (undone.corrects, undone.quantity) == ("f-1", Decimal(5))
    assert (only(desks[1]).action, differences(desks[1])) == ("fact.changed", {})


@pytest.mark.parametrize(
    ("first", "what"),
    [
        (scrapped(10), ": quantity was 10 and is 0"),
        (consumed(10), ": quantity was 10 and is 0"),
        (stopped("breakdown"), ""),
        (msgspec.structs.replace(completed(2), serials=("A", "B")), ": quantity was 2 and is 0"),
    ],
    ids=["scrap", "consumption", "stop", "serial numbers"],
)
def test_what_no_transaction_can_take_back_is_for_a_person_to_correct(first: Transaction, what: str) -> None:
    desk = posted(first)
    retract(desk)
    reason = f"the fact was posted, and its source retracted it{what}; correct it in Odoo where that is right"
    assert (only(desk).state, only(desk).action) == (EntryState.DEAD, "fact.changed")
    assert only(desk).reason == f"{reason}, then skip this"


def test_a_retraction_while_the_fact_is_being_sent_waits_for_its_outcome() -> None:
    applied, refused = waiting(completed(80)), waiting(completed(80))
    for desk in (applied, refused):
        desk.claim()
        assert (retract(desk), only(desk).state) == ((), EntryState.CLAIMED)
    applied.postings.resolve(Applied(key=FACT, receipt=RECEIPT), 5)
    refused.postings.resolve(Declined(key=FACT, code="rights", reason="no"), 5)
    assert differences(applied) == {FIRST: Decimal(-80)}
    assert (only(refused).key, only(refused).state, only(refused).reason) == (FACT, EntryState.DEAD, REASON)


def test_what_is_told_after_everything_was_taken_away_is_the_next_difference() -> None:
    desk = posted(completed(80))
    retract(desk)
    act(desk, ActKind.RELEASE, FIRST)
    deliver(desk)
    desk.postings.post(completed(70), 6, telling="said 70")
    assert differences(desk) == {SECOND: Decimal(70)}


def test_a_rule_that_asks_for_more_since_does_not_retract_what_is_told_as_before() -> None:
    waits, stands = waiting(scrapped(10)), posted(scrapped(10))
    assert (retract(waits, AS_POSTED), retract(stands, AS_POSTED)) == ((), ())
    assert (waits.states(), stands.states()) == ({FACT: EntryState.PENDING}, {})


def test_what_was_skipped_and_is_retracted_is_only_remarked() -> None:
    desk = waiting(scrapped(10))
    act(desk, ActKind.SKIP, FACT)
    assert (said(retract(desk)), desk.states()) == ([("info", "entry.retracted_skipped")], {})


def test_where_it_is_not_known_what_stands_a_retraction_says_that() -> None:
    desk = posted(scrapped(10))
    desk.postings.post(scrapped(7), 4, telling="said 7")
    act(desk, ActKind.SKIP, FIRST)
    retract(desk)
    assert only(desk).reason == (
        "the fact was posted, and its source retracted it, and what stands of it now is not known here; correct it in "
        "Odoo where that is right, then skip this"
    )
