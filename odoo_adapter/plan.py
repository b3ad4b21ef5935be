"""From a transaction to the inbox's request, in a pure function: units, references and times are settled here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from odoo_adapter.errors import Refused
from odoo_adapter.odoo import Declined, Standing
from ruleset.sample import Plain
from ruleset.transaction import (
    Complete,
    Consumption,
    DowntimeRecord,
    MaintenanceRequest,
    Progress,
    Provenance,
    QualityHold,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderStart,
)

STOCK_EFFECTS: Final = frozenset({"complete", "scrap"})
"""Kinds that move stock: few of them go into one call, because they hold locks for long."""

LOSSES: Final = frozenset(
    {"material_availability", "breakdown", "setup", "reduced_speed", "defect", "productive", "unclassified"}
)
_REFERENCE: Final = re.compile(r"(mo|wo)-[0-9]{1,9}")
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 2000
_LONGEST_CAUSE: Final = 500
_encoder: Final = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What the plant's folder says about postings.

    `units` names Odoo's unit of measure for each unit of the floor (empty: measured only, never posted);
    `over` is the share above an order's quantity that may be made.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    over: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transaction as the inbox takes it.

    `hash` is of what `p` says of the fact: who caused it, what stood before, how much was tolerated and who allowed
    more do not change it.
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
        key = _name(transaction.key, 500)
        kind, payload = _payload(transaction, context)
    except Refused as error:
        return Declined(key=transaction.key, code=error.code, reason=error.reason)
    fact = {name: value for name, value in payload.items() if value is not None}
    p = {**fact, **_allowance(transaction, context), **_base(transaction, standing)}
    return Posting(
        key=key,
        kind=kind,
        hash=hashlib.sha256(_encoder.encode(fact)).hexdigest(),
        lane=lane(transaction),
        by=_caused_by(transaction),
        p=p,
    )


def lane(transaction: Transaction) -> str:
    """Within one lane a refusal keeps later transactions back: the order, or the equipment where there is none."""
    return _clean(transaction.order or transaction.equipment, _LONGEST_NAME)


def _payload(transaction: Transaction, context: PlanContext) -> tuple[str, dict[str, Plain]]:
    match transaction:
        case WorkOrderStart(work_order=wo, at_ms=at_ms):
            return "start", {"wo": _reference(wo, "wo"), "at": moment(at_ms)}
        case WorkOrderFinish(work_order=wo, at_ms=at_ms, started_ms=started_ms):
            start, end = _interval(started_ms, at_ms)
            return "finish", {"wo": _reference(wo, "wo"), "at": end, "start": start}
        case Progress():
            return "progress", {
                "order": _order(transaction),
                "stream": _name(transaction.stream, 400),
                "upto": quantity(transaction.upto),
                "uom": _unit(transaction.unit, context),
            }
        case Scrap():
            return "scrap", _scrap(transaction, context)
        case Complete():
            return "complete", _complete(transaction, context)
        case QualityHold():
            return "complete", {**_complete(transaction, context), "hold": True}
        case DowntimeRecord():
            return "downtime", _downtime(transaction)
        case QualityResult():
            return "note", {"order": _order(transaction), "text": _result_text(transaction)}
        case MaintenanceRequest():
            return "maintenance", {
                "serial": _name(transaction.serial_number),
                "name": _clean(transaction.title, _LONGEST_NAME),
                "text": _clean(transaction.text, _LONGEST_TEXT),
                "priority": min(3, max(0, transaction.priority)),
                "at": moment(transaction.at_ms),
            }


def _consent(transaction: Transaction) -> str:
    """Who allowed more than the plant's tolerance, if this is a quantity and a person did."""
    if not isinstance(transaction, Progress | Complete | QualityHold):
        return ""
    return _clean(transaction.consent or "", _LONGEST_NAME)


def _allowance(transaction: Transaction, context: PlanContext) -> dict[str, Plain]:
    """How much more than ordered is taken: the plant's tolerance, or whatever a person consented to."""
    if not isinstance(transaction, Progress | Complete | QualityHold):
        return {}
    if consent := _consent(transaction):
        return {"consent": consent}
    return {"over": quantity(context.over)} if context.over else {}


def _base(transaction: Transaction, standing: Standing) -> dict[str, Plain]:
    """The last total of the stream that stands as far as we know: the inbox may have been installed since."""
    applied = standing.streams.get(transaction.stream) if isinstance(transaction, Progress) else None
    return {} if applied is None else {"base": quantity(applied)}


def _scrap(scrap: Scrap, context: PlanContext) -> dict[str, Plain]:
    if scrap.order is None and scrap.product is None:
        raise Refused("reference", "scrap needs an order or a product")
    return {
        "order": None if scrap.order is None else _order(scrap),
        "product": _optional(scrap.product),
        "qty": _positive(scrap.quantity),
        "uom": _unit(scrap.unit, context),
        "lot": _optional(scrap.lot),
        "reason": _name(scrap.reason),
    }


def _complete(complete: Complete | QualityHold, context: PlanContext) -> dict[str, Plain]:
    return {
        "order": _order(complete),
        "qty": _positive(complete.quantity),
        "uom": _unit(complete.unit, context),
        "lot": _optional(complete.lot),
        "consume": [_consumption(one, context) for one in complete.consumed],
        "at": moment(complete.at_ms),
    }


def _consumption(used: Consumption, context: PlanContext) -> dict[str, Plain]:
    line: dict[str, Plain] = {
        "product": _name(used.product),
        "qty": _positive(used.quantity),
        "uom": _unit(used.unit, context),
    }
    if used.lot:
        line["lot"] = _name(used.lot)
    return line


def _downtime(stop: DowntimeRecord) -> dict[str, Plain]:
    if stop.loss not in LOSSES:
        raise Refused("loss", f'unknown loss category "{stop.loss}"; known: {", ".join(sorted(LOSSES))}')
    start, end = _interval(stop.started_ms, stop.ended_ms)
    return {
        "wc": _name(stop.work_center),
        "order": None if stop.order is None else _order(stop),
        "start": start,
        "end": end,
        "loss": stop.loss,
        "text": _clean(stop.text, _LONGEST_TEXT),
    }


def _result_text(result: QualityResult) -> str:
    lot = f", lot {result.lot}" if result.lot else ""
    return _clean(f"Quality: {result.status}{lot}. {result.text}".strip(), _LONGEST_TEXT)


def moment(at_ms: int) -> str:
    """A moment as Odoo wants it: naive UTC in whole seconds. Parts of a second are dropped."""
    try:
        at = datetime.fromtimestamp(at_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        reason = f"{at_ms} ms is no moment between the years 1 and 9999: is the clock of what sent it right?"
        raise Refused("bad_time", reason) from error
    return at.replace(tzinfo=None).isoformat(" ")


def quantity(number: Decimal) -> str:
    """A plain decimal string without exponent and without needless zeros."""
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def _interval(started_ms: int | None, ended_ms: int) -> tuple[str | None, str]:
    """Start and end in whole seconds. What is shorter than a second lasts one: Odoo drops the rest."""
    if started_ms is None:
        return None, moment(ended_ms)
    if ended_ms < started_ms:
        raise Refused("bad_interval", f"ends at {moment(ended_ms)}, before it starts at {moment(started_ms)}")
    return moment(started_ms), moment(max(ended_ms, started_ms // 1000 * 1000 + 1000))


def _order(transaction: Transaction) -> str:
    return _reference(transaction.order or "", "mo")


def _reference(text: str, kind: str) -> str:
    if not _REFERENCE.fullmatch(text) or not text.startswith(kind):
        noun = "an order release" if kind == "mo" else "a work order"
        raise Refused("reference", f'"{_clean(text, 50)}" is not the reference of {noun}, such as {kind}-42')
    return text


def _unit(unit: str, context: PlanContext) -> str:
    name = context.units.get(unit)
    if not name:
        raise Refused("unit", f'unit "{unit}" has no unit of Odoo in codes.yaml')
    return name


def _positive(number: Decimal) -> str:
    if not number.is_finite() or number <= 0:
        raise Refused("quantity", f"{number} is not a quantity above 0")
    return quantity(number)


def _optional(text: str | None) -> str | None:
    return _name(text) if text else None


def _name(text: str, longest: int = _LONGEST_NAME) -> str:
    """Text that names something: never shortened or mended, for it could then name something else."""
    if not text or _clean(text, longest) != text:
        raise Refused("name", f'"{_clean(text, 50)}" is empty, too long or has characters that Odoo cannot store')
    return text


def _clean(text: str, longest: int) -> str:
    """Text that PostgreSQL can store: without NUL and lone surrogates, and not longer than this."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:longest]


def _caused_by(transaction: Transaction) -> str:
    """The rule and the message, and who released it; it stands in the list of postings and in the order's notes."""
    provenance: Provenance = transaction.provenance
    seq = "" if provenance.seq is None else f" seq {provenance.seq}"
    consent = _consent(transaction)
    released = f"; released by {consent}" if consent else ""
    rule = _clean(
        f"rule {provenance.rule} {provenance.version}, {provenance.topic}{seq}", _LONGEST_CAUSE - len(released)
    )
    return rule + released


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
