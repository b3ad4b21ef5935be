"""From a transaction to the inbox's request, in a pure function: units, references and times are settled here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from odoo_adapter.errors import Refused
from odoo_adapter.odoo import Declined, Standing
from odoo_adapter.plan.material import consume_payload, lot_payload
from odoo_adapter.plan.production import completion_payload, correction_payload, progress_payload, scrap_payload
from odoo_adapter.plan.quality import (
    inspection_extras,
    inspection_payload,
    result_extras,
    result_kind,
    result_payload,
    transfer_payload,
)
from odoo_adapter.plan.record import close_payload, maintenance_extras, maintenance_payload, state_payload
from odoo_adapter.plan.text import LONGEST_NAME, PlanContext, clean, moment, named, quantity
from odoo_adapter.plan.work import (
    LOSSES,
    block_payload,
    downtime_payload,
    finish_payload,
    open_payload,
    pause_payload,
    start_payload,
    stop_extras,
    unblock_payload,
)
from ruleset.sample import Plain
from ruleset.transaction import (
    CapacityBlock,
    CapacityUnblock,
    Complete,
    Consented,
    Correct,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    LotCreate,
    MaintenanceClose,
    MaintenanceRequest,
    MaterialConsume,
    OrderState,
    Progress,
    Provenance,
    QualityHold,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderStart,
)

__all__ = ["LOSSES", "STOCK_EFFECTS", "PlanContext", "Posting", "batches", "lane", "moment", "plan", "quantity"]

STOCK_EFFECTS: Final = frozenset({"complete", "scrap", "correct", "consume", "hold", "release"})
"""Kinds that move stock: few of them go into one call, because they hold locks for long."""

_LONGEST_CAUSE: Final = 500
_encoder: Final = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transaction as the inbox takes it.

    `hash` is of what `p` says of the fact: who caused it, what stood before, how much was tolerated, who allowed
    more and what becomes of a rest do not change it.
    """

    key: str
    kind: str
    hash: str
    lane: str
    by: str
    p: Mapping[str, Plain]

    def request(self) -> dict[str, Plain]:
        """The member of `tx` in the request."""
        return {
            "key": self.key,
            "kind": self.kind,
            "hash": self.hash,
            "lane": self.lane,
            "by": self.by,
            "p": dict(self.p),
        }


def plan(transaction: Transaction, context: PlanContext, standing: Standing = Standing()) -> Posting | Declined:
    """What to send for this transaction to an order of which so much is known, or why it cannot be sent at all."""
    try:
        key = named(transaction.key, 500)
        kind, payload = _payload(transaction, context)
        extras = _extras(transaction, context)
    except Refused as error:
        return Declined(key=transaction.key, code=error.code, reason=error.reason)
    fact = {name: value for name, value in payload.items() if value is not None}
    p = {**fact, **_allowance(transaction, context), **_bases(transaction, standing, context), **extras}
    return Posting(
        key=key,
        kind=kind,
        hash=hashlib.sha256(_encoder.encode(fact)).hexdigest(),
        lane=lane(transaction),
        by=_caused_by(transaction),
        p=p,
    )


def lane(transaction: Transaction) -> str:
    """Within one lane a refusal keeps later transactions back: the order, or the equipment where there is none.

    What planners are told of an order has a lane of its own, so that it keeps nothing back.
    """
    if isinstance(transaction, OrderState):
        return clean(f"note:{transaction.order}", LONGEST_NAME)
    return clean(transaction.order or transaction.equipment, LONGEST_NAME)


def _payload(  # noqa: C901 (one line for each word of the vocabulary)
    transaction: Transaction, context: PlanContext
) -> tuple[str, dict[str, Plain]]:
    match transaction:
        case WorkOrderStart():
            return "start", start_payload(transaction)
        case WorkOrderPause():
            return "pause", pause_payload(transaction)
        case WorkOrderFinish():
            return "finish", finish_payload(transaction)
        case Progress():
            return "progress", progress_payload(transaction, context)
        case Scrap():
            return "scrap", scrap_payload(transaction, context)
        case Complete():
            return "complete", completion_payload(transaction, context)
        case QualityHold():
            return "complete", {**completion_payload(transaction, context), "hold": True}
        case Correct():
            return "correct", correction_payload(transaction, context)
        case MaterialConsume():
            return "consume", consume_payload(transaction, context)
        case LotCreate():
            return "lot", lot_payload(transaction)
        case DowntimeOpen():
            return "downtime_open", open_payload(transaction, context)
        case DowntimeClose() | DowntimeRecord():
            return "downtime", downtime_payload(transaction, context)
        case CapacityBlock():
            return "block", block_payload(transaction, context)
        case CapacityUnblock():
            return "unblock", unblock_payload(transaction)
        case OrderState():
            return "note", state_payload(transaction)
        case QualityResult():
            return result_kind(transaction), result_payload(transaction)
        case QualityRequest():
            return "inspection", inspection_payload(transaction)
        case QualityHoldStock():
            return "hold", transfer_payload(transaction, context)
        case QualityRelease():
            return "release", transfer_payload(transaction, context)
        case MaintenanceRequest():
            return "maintenance", maintenance_payload(transaction)
        case MaintenanceClose():
            return "maintenance_close", close_payload(transaction)


def _extras(transaction: Transaction, context: PlanContext) -> dict[str, Plain]:
    """What else is said that is no part of the fact."""
    match transaction:
        case MaintenanceRequest():
            return maintenance_extras(transaction)
        case QualityRequest():
            return inspection_extras(transaction, context)
        case QualityResult():
            return result_extras(transaction)
        case _:
            return stop_extras(transaction, context)


def _consent(transaction: Transaction) -> str:
    """Who allowed more than the plant's tolerance, if this is a quantity and a person did."""
    if not isinstance(transaction, Consented):
        return ""
    return clean(transaction.consent or "", LONGEST_NAME)


def _allowance(transaction: Transaction, context: PlanContext) -> dict[str, Plain]:
    """How much more than ordered is taken: the plant's tolerance, or whatever a person consented to; and how less."""
    if not isinstance(transaction, Consented):
        return {}
    allowed: dict[str, Plain] = {}
    if isinstance(transaction, Complete | QualityHold) and (transaction.short or context.short) == "backorder":
        allowed["short"] = "backorder"
    if consent := _consent(transaction):
        allowed["consent"] = consent
    elif context.over and not isinstance(transaction, MaterialConsume):
        allowed["over"] = quantity(context.over)
    return allowed


def _bases(transaction: Transaction, standing: Standing, context: PlanContext) -> dict[str, Plain]:
    """The last totals of the order's streams, and its corrections, that stand as far as we know: the inbox may have
    been installed since. Of a stream whose unit we never knew, only where it is the transaction's own. And of which
    components its consumption was recorded."""
    if isinstance(transaction, Complete | QualityHold) and standing.consumed:
        return {"recorded": [*sorted(standing.consumed)]}
    if not isinstance(transaction, Progress | Correct):
        return {}
    own = transaction.stream if isinstance(transaction, Progress) else None
    bases: dict[str, Plain] = {}
    for stream, total in sorted(standing.streams.items()):
        unit = transaction.unit if stream == own else standing.units.get(stream)
        if unit is not None and (name := context.units.get(unit)):
            bases[stream] = [quantity(total), name]
    known: dict[str, Plain] = {"bases": bases} if bases else {}
    if standing.corrected:
        known["corrected"] = quantity(standing.corrected)
    return known


def _caused_by(transaction: Transaction) -> str:
    """The rule, who approved it, the message, and who corrected or released it; it stands in the list of postings and
    in the order's notes."""
    provenance: Provenance = transaction.provenance
    seq = "" if provenance.seq is None else f" seq {provenance.seq}"
    consent = _consent(transaction)
    released = f"; corrected by {provenance.corrected_by}" if provenance.corrected_by else ""
    released += f"; released by {consent}" if consent else ""
    approved = f" of {provenance.release}, approved by {provenance.approved_by}" if provenance.release else ""
    rule = f"rule {provenance.rule} {provenance.version}{approved}, {provenance.topic}{seq}"
    return clean(rule, _LONGEST_CAUSE - len(released)) + released


def batches(postings: Sequence[Posting], *, most: int, most_with_stock: int) -> tuple[tuple[Posting, ...], ...]:
    """Cut into calls, in order: at most `most` each, and at most `most_with_stock` where stock is moved."""
    cut: list[tuple[Posting, ...]] = []
    begun: list[Posting] = []
    for posting in postings:
        longer = [*begun, posting]
        limit = most_with_stock if any(one.kind in STOCK_EFFECTS for one in longer) else most
        if len(longer) > limit:
            cut.append(tuple(begun))
            longer = [posting]
        begun = longer
    if begun:
        cut.append(tuple(begun))
    return tuple(cut)
