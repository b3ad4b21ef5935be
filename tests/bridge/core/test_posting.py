"""From decisions to entries: what is held, what is dead, and what people are told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from bridge.core.input import Acted, ActKind, Destination, Notice, Setback
from bridge.core.job import unmet_reason
from bridge.core.order import OrderBook
from bridge.core.posting import Postings
from bridge.core.standing import Standings
from bridge.core.tolerance import Tolerance
from odoo_adapter.odoo import Applied, Declined, Held, OrderRead, OrdersRead, Passed, Receipt
from ruleset.output import Unmet
from ruleset.trace.trace import Outcome, Trace
from ruleset.transaction import (
    Correct,
    IdempotencyKey,
    OrderRef,
    OrderState,
    Progress,
    Provenance,
    WorkOrderRef,
    WorkOrderStart,
    decode,
    encode,
)
from ruleset.unit import factors, measure
from state.entry import EntryState
from state.outbox import Outbox
from tests.counted import steps_of

ORDER = OrderRef("mo-1")
UNITS = {"pcs": "Units", "kg": "kg", "g": "", "carrier": ""}
LINE = "acme/berlin/packaging/line-1"
KEPT_MS = 30 * 86_400_000
RECEIPT = Receipt(model="mrp.workorder", id=7, details={})


def cause(topic: str = "t") -> Provenance:
    return Provenance(rule="r", version="v1", topic=topic)


def progress(upto: int, stream: str = "1", unit: str = "pcs") -> Progress:
    return Progress(
        key=IdempotencyKey(f"progress:{stream}:{upto}"),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        stream=f"{ORDER}/{LINE}/good/{stream}",
        upto=Decimal(upto),
        unit=unit,
    )


def start(work_order: str = "wo-1", topic: str = "t") -> WorkOrderStart:
    return WorkOrderStart(
        key=IdempotencyKey("start"),
        equipment=LINE,
        at_ms=1,
        provenance=cause(topic),
        order=ORDER,
        work_order=WorkOrderRef(work_order),
    )


def unmet(reason: str = "no such reason") -> Unmet:
    return Unmet(
        key=IdempotencyKey("scrap"),
        action="production.scrap",
        equipment=LINE,
        order=ORDER,
        at_ms=1,
        rule="scrap",
        provenance=cause(),
        reason=reason,
        trace=Trace(
            rule="scrap",
            version="v1",
            form="event",
            equipment=LINE,
            outcome=Outcome.REFUSED,
            at_ms=1,
            decided_ms=1,
            key="scrap",
            reason=reason,
        ),
    )


@dataclass
class Desk:
    """Postings of a site with one released order of 100, five percent of which may be made too many."""

    unit: str = "Units"
    outbox: Outbox = field(default_factory=Outbox)
    postings: Postings = field(init=False)

    def __post_init__(self) -> None:
        book = OrderBook(answer_within_ms=60_000)
        read = OrderRead(
            order=ORDER, name="WH/MO/1", state="confirmed", document={"quantity": "100", "unit": self.unit}
        )
        book.read(OrdersRead(orders=(read,), cursor="1"), 1)
        standings = Standings()
        self.postings = Postings(
            outbox=self.outbox,
            book=book,
            standings=standings,
            site="acme/berlin",
            tolerance=Tolerance(
                share=Decimal("0.05"),
                outbox=self.outbox,
                book=book,
                standings=standings,
                factors=factors(UNITS, measure(UNITS, {}).units),
            ),
            keys_kept_ms=KEPT_MS,
            priorities={},
        )

    def states(self) -> dict[str, EntryState]:
        return {entry.key: entry.state for entry in self.outbox.entries()}

    def claim(self) -> None:
        self.outbox.claim("odoo", now_ms=2, limit=10)


def said(notices: tuple[Notice, ...]) -> list[tuple[str, str]]:
    return [(notice.level, notice.name) for notice in notices]


def test_what_is_within_the_tolerance_is_posted_and_what_is_above_it_waits_for_a_person() -> None:
    desk = Desk()
    assert said(desk.postings.post(progress(105), 1)) == []
    notices = desk.postings.post(progress(106), 1)
    assert (said(notices), desk.states()) == (
        [("alert", "entry.held")],
        {"progress:1:105": EntryState.PENDING, "progress:1:106": EntryState.HELD},
    )
    assert notices[0].fields["reason"] == (
        "106 Units reported on WH/MO/1, planned 100: above the tolerance of 5 %; release it to post it all the same"
    )


def test_the_totals_of_all_counters_of_an_order_count_against_its_tolerance() -> None:
    desk = Desk()
    desk.postings.post(progress(60, "1"), 1)
    assert said(desk.postings.post(progress(60, "2"), 1)) == [("alert", "entry.held")]


def test_grams_are_compared_with_an_order_in_kilograms_as_kilograms() -> None:
    desk = Desk(unit="kg")
    assert said(desk.postings.post(progress(105_000, unit="g"), 1)) == []
    (notice,) = desk.postings.post(progress(105_500, unit="g"), 1)
    assert str(notice.fields["reason"]).startswith("105.5 kg reported on WH/MO/1, planned 100: above")


def test_each_counter_of_an_order_is_compared_in_the_unit_it_counts_in() -> None:
    desk = Desk(unit="kg")
    desk.postings.post(progress(50_000, "1", "g"), 1)
    desk.postings.standings.applied(progress(50_000, "1", "g"), RECEIPT, 1)
    assert said(desk.postings.post(progress(55, "2", "kg"), 1)) == []
    assert said(desk.postings.post(progress(56, "2", "kg"), 1)) == [("alert", "entry.held")]


def test_what_does_not_convert_to_the_unit_of_the_order_is_left_to_odoo_to_judge() -> None:
    desk = Desk(unit="kg")
    assert said(desk.postings.post(progress(1_000, unit="pcs"), 1)) == []
    assert desk.states() == {"progress:1:1000": EntryState.PENDING}


def test_a_need_that_is_not_met_is_a_dead_letter_and_is_said_once() -> None:
    desk = Desk()
    first, second = desk.postings.refuse(unmet(), 1), desk.postings.refuse(unmet(), 2)
    assert (said(first), said(second), desk.states()) == ([("alert", "entry.dead")], [], {"scrap": EntryState.DEAD})


def test_a_dead_letter_of_a_need_tells_why_and_a_transaction_is_none() -> None:
    assert unmet_reason(unmet("not mapped").encode()) == "not mapped"
    assert (unmet_reason(encode(start())), unmet_reason(b"?")) == (None, None)


def test_the_same_fact_from_elsewhere_is_no_other_fact() -> None:
    desk = Desk()
    desk.postings.post(start(topic="before"), 1)
    assert said(desk.postings.post(start(topic="after"), 2)) == []


def test_other_content_before_it_was_sent_takes_the_place_of_the_first() -> None:
    desk = Desk()
    desk.postings.post(start("wo-1"), 1)
    assert said(desk.postings.post(start("wo-2"), 2)) == [("warning", "entry.replaced")]


def test_other_content_after_it_was_posted_is_for_a_person() -> None:
    desk = Desk()
    desk.postings.post(start("wo-1"), 1)
    desk.claim()
    assert said(desk.postings.resolve(Applied(key="start", receipt=RECEIPT), 3)) == [("info", "entry.delivered")]
    assert said(desk.postings.post(start("wo-2"), 4)) == [("alert", "entry.contradicted")]


def test_other_content_while_it_was_being_sent_is_for_a_person_once_the_first_stands() -> None:
    desk = Desk()
    desk.postings.post(start("wo-1"), 1)
    desk.claim()
    assert said(desk.postings.post(start("wo-2"), 2)) == []
    assert said(desk.postings.resolve(Applied(key="start", receipt=RECEIPT), 3)) == [
        ("info", "entry.delivered"),
        ("alert", "entry.contradicted"),
    ]


def test_what_odoo_declines_is_a_dead_letter_and_what_was_passed_over_waits() -> None:
    desk = Desk()
    desk.postings.post(start(), 1)
    desk.postings.post(progress(10), 1)
    desk.claim()
    declined = desk.postings.resolve(Declined(key="start", code="rights", reason="no"), 3)
    assert (said(declined), desk.postings.resolve(Passed(key="progress:1:10"), 3)) == ([("alert", "entry.dead")], ())
    assert desk.states() == {"start": EntryState.DEAD, "progress:1:10": EntryState.PENDING}


def test_after_an_uncertain_attempt_the_entry_stays_claimed() -> None:
    desk = Desk()
    desk.postings.post(start(), 1)
    desk.claim()
    setback = Setback(keys=("start",), reason="the answer was lost", uncertain=True)
    assert said(desk.postings.postpone(setback, 3)) == [("info", "delivery.postponed")]
    assert desk.states() == {"start": EntryState.CLAIMED}


def test_an_act_says_per_entry_what_came_of_it() -> None:
    desk = Desk()
    desk.postings.refuse(unmet(), 1)
    act = Acted(id="1", kind=ActKind.SKIP, keys=("scrap", "other"), by="ada", reason="by hand")
    notices = desk.postings.act(act, 2)
    assert (said(notices), [notice.fields["key"] for notice in notices], desk.states()) == (
        [("info", "act.skip")] * 2,
        ["scrap", "other"],
        {},
    )


def test_what_is_unclear_in_odoo_is_held_and_told() -> None:
    desk = Desk()
    desk.postings.post(progress(10), 1)
    desk.claim()
    notices = desk.postings.resolve(Held(key="progress:1:10", reason="30 stand, 0 were expected"), 3)
    assert notices == (
        Notice(
            level="alert", name="entry.held", fields={"key": "progress:1:10", "reason": "30 stand, 0 were expected"}
        ),
    )
    assert desk.states() == {"progress:1:10": EntryState.HELD}


def test_what_waited_behind_a_skipped_entry_that_may_stand_is_told() -> None:
    desk = Desk()
    desk.postings.post(start("wo-1"), 1)
    desk.claim()
    desk.postings.postpone(Setback(keys=("start",), reason="the answer was lost", uncertain=True), 2)
    desk.outbox.claim("odoo", now_ms=5_000, limit=1)
    desk.postings.resolve(Held(key="start", reason="somebody works on it"), 5_001)
    assert said(desk.postings.post(start("wo-2"), 5_002)) == []
    notices = desk.postings.act(Acted(id="1", kind=ActKind.SKIP, keys=("start",), by="ana", reason="it stands"), 5_003)
    assert said(notices) == [("info", "act.skip"), ("alert", "entry.contradicted")]


def test_a_posting_that_stands_is_remembered_with_its_order() -> None:
    desk = Desk()
    desk.postings.post(progress(10), 1)
    desk.claim()
    receipt = Receipt(model="mrp.production", id=1, details={"qty_producing": 10.0})
    desk.postings.resolve(Applied(key="progress:1:10", receipt=receipt), 3)
    assert desk.postings.standings.of(ORDER).streams == {progress(10).stream: Decimal(10)}


def told(desk: Desk) -> list[tuple[str, str]]:
    """What planners are told, each with its lane."""
    read = [(entry.lane, decode(entry.body)) for entry in desk.outbox.entries() if entry.action == "order.state"]
    return [(lane, state.text) for lane, state in read if isinstance(state, OrderState)]


def published(desk: Desk) -> None:
    """The order's release is with the broker."""
    desk.postings.publish(desk.postings.book.records[ORDER], 3)
    key = f"order.publish:{ORDER}:1"
    desk.outbox.claim(Destination.BROKER, now_ms=3, limit=1)
    desk.postings.resolve(Applied(key=key, receipt=RECEIPT), 4)


def test_planners_are_told_once_that_an_order_is_with_the_broker() -> None:
    desk = Desk()
    published(desk)
    assert told(desk) == [(f"note:{ORDER}", "Released to the floor as version 1.")]
    assert desk.postings.book.records[ORDER].sent_ms == 4


def test_a_plant_may_want_no_notes() -> None:
    desk = Desk()
    desk.postings = replace(desk.postings, order_notes=False)
    published(desk)
    assert told(desk) == []


def test_a_note_keeps_nothing_back_and_comes_after_every_posting() -> None:
    desk = Desk()
    published(desk)
    desk.postings.post(start(), 5)
    first, last = desk.outbox.claim(Destination.ODOO, now_ms=6, limit=10)
    assert (first.action, last.action) == ("workorder.start", "order.state")
    desk.postings.resolve(Applied(key=first.key, receipt=RECEIPT), 7)
    (alert,) = desk.postings.resolve(Declined(key=last.key, code="missing", reason="no such order"), 7)
    assert (alert.level, alert.name) == ("alert", "entry.dead")
    desk.postings.post(progress(10), 8)
    assert [one.action for one in desk.outbox.claim(Destination.ODOO, now_ms=9, limit=10)] == ["production.progress"]


def correct(by: int) -> Correct:
    return Correct(
        key=IdempotencyKey(f"correct:{by}"),
        equipment=LINE,
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        quantity=Decimal(by),
        unit="pcs",
        corrects="progress:1:100",
        reason="recount",
    )


def test_what_corrects_a_count_counts_against_the_tolerance_of_its_order() -> None:
    desk = Desk()
    desk.postings.post(progress(100), 1)
    assert (said(desk.postings.post(correct(-5), 1)), said(desk.postings.post(correct(5), 1))) == ([], [])
    assert said(desk.postings.post(correct(6), 1)) == [("alert", "entry.held")]
    taken_off = Receipt(model="mrp.production", id=1, details={"corrected": -5.0, "qty_producing": 95.0})
    desk.postings.standings.applied(correct(-5), taken_off, 1)
    assert said(desk.postings.post(progress(110), 1)) == []
    assert said(desk.postings.post(progress(111), 1)) == [("alert", "entry.held")]


def completing(others: int) -> Desk:
    """A completion of the order is being posted, and one of each of so many other orders."""
    desk = Desk()
    for order in (ORDER, *(f"other-{number}" for number in range(others))):
        what, to = "production.complete", Destination.ODOO
        desk.outbox.offer(key=f"complete:{order}", lane=order, action=what, destination=to, body=b"", now_ms=1)
    desk.outbox.claim(Destination.ODOO, now_ms=2, limit=1 + others)
    return desk


def test_whether_an_order_is_being_completed_is_found_without_a_look_at_other_orders() -> None:
    few, many = completing(5), completing(500)
    assert [desk.postings.is_completing(ORDER) for desk in (few, many)] == [True, True]
    assert not many.postings.is_completing("not-one")
    steps = [steps_of(partial(desk.postings.is_completing, ORDER)) for desk in (few, many)]
    assert steps[0] == steps[1]
