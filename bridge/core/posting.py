"""From decisions to outbox entries: lanes, priorities, and what is held for a person before it may be posted.

The lane of a transaction is its order release, or its equipment where there is no order: what happens to one
order reaches Odoo in the order in which it was decided. Publications of orders have lanes of their own.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final

import msgspec

from bridge.clock import iso
from bridge.core.input import Acted, Destination, Notice, Setback
from bridge.core.note import OrderNote
from bridge.core.order import OrderBook
from bridge.core.standing import LEAVES_QUANTITY, Standings
from bridge.core.tolerance import Tolerance
from bridge.core.topic import order_topic, request_prefix
from bridge.correction.gist import content_of, gist_of
from bridge.correction.given import why_without_order
from bridge.correction.proposal import proposed
from bridge.correction.retraction import follow_up_of_retraction, is_news
from bridge.orders.record import OrderRecord
from bridge.trace.keeper import Traces
from odoo_adapter.odoo import Applied, Declined, Held, Outcome, Passed
from ruleset.output import DEFECT, Retraction, Unmet
from ruleset.trace.trace import Trace
from ruleset.transaction import (
    IdempotencyKey,
    OrderRef,
    OrderState,
    Progress,
    Provenance,
    QualityRequest,
    QualityResult,
    Transaction,
    action,
    decode,
    encode,
)
from state.entry import EntryState, FollowUp, Offer, hash_of
from state.intervention import Prediction
from state.lane import ENDS_ORDER, LaneId, start_wait_ms
from state.outbox import DEFAULT_PRIORITY, Outbox

PUBLISH_ACTION: Final = "order.publish"
REQUEST_ACTION: Final = "quality.publish"
SET_ASIDE: Final = "input"
LONGEST_REASON: Final = 500
PRIORITIES: Final = {
    "quality.hold": 10,
    "quality.result": 20,
    "maintenance.request": 40,
    "production.progress": 60,
    "order.state": 90,
}
"""What goes first among lanes where workflows.yaml does not say; within a lane nothing overtakes."""


class Publishing(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a publication entry: what to publish, retained, at QoS 1. `document` None takes it away."""

    topic: str
    document: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """Offers what was decided to the outbox.

    Facts are remembered for `keys_kept_ms`; `priorities` are those of workflows.yaml, by action; `order_notes`:
    planners read on the order what became of it. At the equipment in `started_at` a rule posts the start of work on an
    order, and progress waits for it, `start_within_ms` at most.
    """

    outbox: Outbox
    book: OrderBook
    standings: Standings
    site: str
    tolerance: Tolerance
    keys_kept_ms: int
    priorities: Mapping[str, int]
    order_notes: bool = True
    started_at: frozenset[str] = frozenset()
    start_within_ms: int = 0
    traces: Traces = field(default_factory=Traces)

    def post(
        self,
        transaction: Transaction,
        now_ms: int,
        *,
        order_ran: bool = False,
        telling: str = "",
        trace: Trace | None = None,
    ) -> tuple[Notice, ...]:
        """Accept a decided transaction: pending, or held with a reason. `order_ran` and `telling` as in
        `ruleset.output.Post`."""
        what, told = action(transaction), self.follow_up_of(transaction, now_ms, order_ran=order_ran, telling=telling)
        offer = self.outbox.take(transaction.key, told, action=what, destination=Destination.ODOO)
        if offer in (Offer.ACCEPTED, Offer.REPLACED):
            self.publish_inspection(transaction, now_ms)
        self._explain(offer, trace)
        return self._notices(offer, transaction.key, what, told)

    def follow_up_of(
        self, transaction: Transaction, now_ms: int, *, order_ran: bool = False, telling: str = ""
    ) -> FollowUp:
        """What a decided transaction tells the outbox: with the reason why it is held, if it is."""
        stream, upto = (transaction.stream, transaction.upto) if isinstance(transaction, Progress) else (None, None)
        return FollowUp(
            body=encode(transaction),
            content_hash=hash_of(content_of(transaction, order_ran=order_ran)),
            at_ms=now_ms,
            lane=transaction.order or transaction.equipment,
            priority=self._priority(action(transaction)),
            gist=gist_of(transaction, order_ran=order_ran, telling=telling),
            stream=stream,
            upto=upto,
            hold=self._too_old(transaction, now_ms)
            or why_without_order(transaction, iso(transaction.at_ms))
            or self.tolerance.why_above(transaction),
            not_before_ms=self._start_wait_ms(transaction, now_ms),
        )

    def _start_wait_ms(self, transaction: Transaction, now_ms: int) -> int:
        """Until when progress waits for the start of its order, which comes on another way; 0: it does not."""
        order = transaction.order
        if not isinstance(transaction, Progress) or order is None or transaction.equipment not in self.started_at:
            return 0
        if self.standings.is_started(order):
            return 0
        return start_wait_ms(self.outbox.waiting.lane(LaneId(Destination.ODOO, order)), now_ms + self.start_within_ms)

    def refuse(self, unmet: Unmet, now_ms: int) -> tuple[Notice, ...]:
        """Keep what a rule's `need` did not let through as a dead letter, where it is seen and can be mended."""
        return self._refuse(unmet, self.follow_up_of_refusal(unmet, now_ms))

    def retract(self, retraction: Retraction, now_ms: int) -> tuple[Notice, ...]:
        """Its source took an event back. What waits is a dead letter then; of what stands a correction is proposed."""
        refused = retraction.refused
        entry, done = self.outbox.entry(refused.key), self.outbox.accepted(refused.key)
        if not is_news(retraction, entry, done):
            return ()
        if done is not None and done.state is EntryState.SKIPPED:
            fields = {"key": refused.key, "action": refused.action}
            return (Notice(level="info", name="entry.retracted_skipped", fields=fields),)
        return self._refuse(
            refused, follow_up_of_retraction(retraction, now_ms, priority=self._priority(refused.action))
        )

    def _refuse(self, unmet: Unmet, told: FollowUp) -> tuple[Notice, ...]:
        offer = self.outbox.take(unmet.key, told, action=unmet.action, destination=Destination.ODOO)
        self._explain(offer, unmet.trace)
        dead = {"key": unmet.key, "rule": unmet.rule, "reason": unmet.reason}
        notices = self._notices(offer, unmet.key, unmet.action, told)
        if offer in (Offer.ACCEPTED, Offer.REPLACED):
            return (*notices, Notice(level="alert", name="entry.dead", fields=dead))
        return notices

    def follow_up_of_refusal(self, unmet: Unmet, now_ms: int) -> FollowUp:
        """What a refused fact tells the outbox."""
        return FollowUp(
            body=unmet.encode(),
            content_hash=hash_of(msgspec.json.encode((unmet.reason, unmet.fields), order="deterministic")),
            at_ms=now_ms,
            lane=unmet.order or unmet.equipment,
            priority=self._priority(unmet.action),
            dead=unmet.reason,
        )

    def _explain(self, offer: Offer, trace: Trace | None) -> None:
        """Keep why, with what was taken in. A fact that is told again keeps its first why; a correction has its own."""
        if trace is None:
            return
        if offer in (Offer.ACCEPTED, Offer.REPLACED):
            self.traces.keep(trace)
        elif offer is Offer.CONTRADICTED:
            self.traces.keep(trace, self.outbox.correction_key(trace.key))

    def set_aside(self, name: str, told: object, error: Exception, now_ms: int) -> tuple[Notice, ...]:
        """Keep what a defect of ours could not take as a dead letter: of one name and one kind of error the latest."""
        at = traceback.extract_tb(error.__traceback__)[-1]
        defect = f"{DEFECT}: {type(error).__name__} at {PurePath(at.filename).name}:{at.lineno}: {error}"
        reason = defect[:LONGEST_REASON]
        key = f"{SET_ASIDE}:{name}:{type(error).__name__}"
        offer = self.outbox.offer(
            key=key,
            lane=key,
            action=SET_ASIDE,
            destination=Destination.ODOO,
            body=msgspec.json.encode({"rule": "", "reason": reason, "told": told}, enc_hook=repr),
            now_ms=now_ms,
            dead=reason,
        )
        if offer is not Offer.ACCEPTED:
            return ()
        return (Notice(level="alert", name="input.set_aside", fields={"key": key, "reason": reason}),)

    def publish(self, record: OrderRecord, now_ms: int) -> None:
        """Accept an order's document for publication. Each version is an entry of its own."""
        self.outbox.offer(
            key=f"{PUBLISH_ACTION}:{record.order}:{record.version}",
            lane=f"publish:{record.order}",
            action=PUBLISH_ACTION,
            destination=Destination.BROKER,
            body=msgspec.json.encode(Publishing(topic=order_topic(self.site, record.order), document=record.document)),
            now_ms=now_ms,
            priority=self._priority(PUBLISH_ACTION),
        )

    def publish_inspection(self, one: Transaction, now_ms: int) -> None:
        """Show the floor what is to be inspected, until its result is there."""
        if not isinstance(one, QualityRequest | QualityResult) or not one.inspection:
            return
        inspected = (one.order, one.product, one.lot, one.serial_number, one.inspection)
        id = sha256(msgspec.json.encode(inspected)).hexdigest()[:16]
        document = _request_document(one, id) if isinstance(one, QualityRequest) else None
        self.outbox.offer(
            key=f"{REQUEST_ACTION}:{one.key}",
            lane=f"publish:{id}",
            action=REQUEST_ACTION,
            destination=Destination.BROKER,
            body=msgspec.json.encode(Publishing(topic=f"{request_prefix(self.site)}{id}", document=document)),
            now_ms=now_ms,
            priority=self._priority(REQUEST_ACTION),
        )

    def resolve(self, outcome: Outcome, now_ms: int) -> tuple[Notice, ...]:
        """Write down what became of one delivered entry."""
        match outcome:
            case Applied():
                self._remember(outcome, now_ms)
                self._tell(outcome.key, now_ms)
                entry = self.outbox.entry(outcome.key)
                told = self.outbox.applied(outcome.key, msgspec.json.encode(outcome.receipt), now_ms)
                delivered = Notice(level="info", name="entry.delivered", fields=_receipt_fields(outcome))
                return (delivered,) if entry is None or told is None else (delivered, self._propose(entry.fact, told))
            case Declined():
                self.outbox.declined(outcome.key, outcome.code, outcome.reason, now_ms)
                dead = {"key": outcome.key, "code": outcome.code, "reason": outcome.reason}
                return (Notice(level="alert", name="entry.dead", fields=dead),)
            case Held():
                self.outbox.held(outcome.key, outcome.reason, now_ms)
                return (_held(outcome.key, outcome.reason),)
            case Passed():
                self.outbox.passed(outcome.key, now_ms)
                return ()

    def note(self, note: OrderNote, now_ms: int) -> None:
        """Accept a line for the planner on an order. It has a lane of its own: it keeps nothing back."""
        if not self.order_notes:
            return
        state = OrderState(
            key=IdempotencyKey(note.key),
            equipment=self.site,
            at_ms=now_ms,
            provenance=Provenance(rule="orders", version="", topic=order_topic(self.site, note.order)),
            order=OrderRef(note.order),
            text=note.text,
        )
        self.outbox.offer(
            key=note.key,
            lane=f"note:{note.order}",
            action=action(state),
            destination=Destination.ODOO,
            body=encode(state),
            now_ms=now_ms,
            priority=self._priority(action(state)),
        )

    def is_completing(self, order: str) -> bool:
        """Whether a completion of this order is being posted: Odoo may show it before its outcome is here."""
        lane = self.outbox.waiting.lane(LaneId(Destination.ODOO, order))
        return any(entry.action in ENDS_ORDER and entry.state is EntryState.CLAIMED for entry in lane)

    def postpone(self, setback: Setback, now_ms: int) -> tuple[Notice, ...]:
        """Give a batch back that had no outcome, to be tried again later."""
        self.outbox.postponed(
            setback.keys,
            setback.reason,
            now_ms,
            retry_after_ms=setback.retry_after_ms,
            uncertain=setback.uncertain,
        )
        return (
            Notice(
                level="info",
                name="delivery.postponed",
                fields={
                    "entries": len(setback.keys),
                    "reason": setback.reason,
                    "uncertain": setback.uncertain,
                },
            ),
        )

    def act(self, act: Acted, now_ms: int) -> tuple[Notice, ...]:
        """Do what a person asked for with entries as they are; what can't be done is said per entry."""
        entries = [entry for key in dict.fromkeys(act.keys) if (entry := self.outbox.entry(key)) is not None]
        predictions = self.outbox.act(act.kind, act.keys, by=act.by, reason=act.reason, now_ms=now_ms)
        done = tuple(act_notice(act, one) for one in predictions)
        waiting = [(one.fact, one.follow_up) for one in entries if one.follow_up and self.outbox.entry(one.key) is None]
        return (*done, *(self._propose(fact, told) for fact, told in waiting))

    def _notices(self, offer: Offer, key: str, what: str, told: FollowUp) -> tuple[Notice, ...]:
        held = (_held(key, told.hold),) if told.hold else ()
        match offer:
            case Offer.ACCEPTED:
                return held
            case Offer.REPLACED:
                return (Notice(level="warning", name="entry.replaced", fields={"key": key, "action": what}), *held)
            case Offer.CONTRADICTED:
                return (self._propose(key, told),)
            case Offer.WITHDRAWN:
                return (Notice(level="warning", name="entry.withdrawn", fields={"fact": key, "action": what}),)
            case Offer.DUPLICATE | Offer.WAITING:
                return ()

    def _propose(self, fact: str, told: FollowUp) -> Notice:
        """Let a person decide about other content of a fact that is done."""
        key = self.outbox.correction_key(fact)
        proposal = proposed(fact, key, told, self.outbox.accepted(fact))
        self.outbox.propose(fact, proposal, destination=Destination.ODOO)
        fields = {"key": key, "fact": fact, "reason": proposal.hold or proposal.dead}
        return Notice(level="alert", name="entry.contradicted", fields=fields)

    def _too_old(self, transaction: Transaction, now_ms: int) -> str | None:
        """Why a fact is held whose key may be forgotten. A total needs none: Odoo adds only what is above its last."""
        key, is_young = transaction.key, transaction.at_ms >= now_ms - self.keys_kept_ms
        if is_young or isinstance(transaction, Progress) or self.outbox.entry(key) or self.outbox.accepted(key):
            return None
        return (
            f"it happened at {iso(transaction.at_ms)}, by the clock of its source, and facts are remembered for less "
            "(limits.keys_kept): whether it was posted then is not known; look in Odoo, then release or skip it"
        )

    def _remember(self, applied: Applied, now_ms: int) -> None:
        """What the posting left on its order. What is no transaction of a quantity is not even read."""
        entry = self.outbox.entry(applied.key)
        if entry is not None and entry.destination == Destination.ODOO and entry.action in LEAVES_QUANTITY:
            self.standings.applied(decode(entry.body), applied.receipt, now_ms)

    def _tell(self, key: str, now_ms: int) -> None:
        """Let the order book know that a publication is with the broker, or that an order is completed."""
        entry = self.outbox.entry(key)
        if entry is None:
            return
        if entry.action in ENDS_ORDER:
            self.book.completed(entry.lane)
        elif entry.action == PUBLISH_ACTION:
            _, order, version = key.split(":")
            for note in self.book.sent(order, int(version), now_ms):
                self.note(note, now_ms)

    def _priority(self, what: str) -> int:
        return self.priorities.get(what, PRIORITIES.get(what, DEFAULT_PRIORITY))


def _request_document(request: QualityRequest, id: str) -> dict[str, Any]:
    """As docs/contract/quality-request.schema.json has it."""
    known = {"order": request.order, "product": request.product, "lot": request.lot, "text": request.text}
    due = {} if request.due_ms is None else {"due": iso(request.due_ms)}
    return {
        "id": id,
        "at": iso(request.at_ms),
        "inspection": request.inspection,
        "equipment": request.equipment,
        **{name: value for name, value in known.items() if value},
        **due,
    }


def _held(key: str, reason: str) -> Notice:
    return Notice(level="alert", name="entry.held", fields={"key": key, "reason": reason})


def act_notice(act: Acted, prediction: Prediction) -> Notice:
    """What came of an act on one entry."""
    fields = {"key": prediction.key, "by": act.by, "reason": act.reason, "result": prediction.text}
    return Notice(level="info", name=f"act.{act.kind}", fields=fields)


def _receipt_fields(applied: Applied) -> dict[str, str | int | float | None]:
    receipt = applied.receipt
    return {"key": applied.key, "model": receipt.model, "id": receipt.id, "repeated": receipt.repeated}
