"""Quality: goods that go on hold and come back, inspections that are asked for, and their results."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import (
    LONGEST_NAME,
    LONGEST_TEXT,
    PlanContext,
    clean,
    moment,
    named,
    optional,
    order_of,
    positive,
    unit_of,
)
from ruleset.sample import Plain
from ruleset.transaction import QualityHoldStock, QualityRelease, QualityRequest, QualityResult

_OUTCOMES: Final = {"pass": "pass", "accept": "pass", "fail": "fail", "reject": "fail"}
_DAY_MS: Final = int(timedelta(days=1).total_seconds() * 1000)


def transfer_payload(transfer: QualityHoldStock | QualityRelease, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of goods that go on hold or come back: a quantity, or all that there is."""
    some: Decimal | None = transfer.quantity
    return {
        "product": named(transfer.product),
        "lot": optional(transfer.lot),
        "qty": None if some is None else positive(some),
        "uom": None if some is None else unit_of(transfer.unit, context),
        "text": clean(transfer.reason, LONGEST_TEXT) or None,
    }


def inspection_payload(request: QualityRequest) -> dict[str, Plain]:
    """What the inbox takes of an inspection that is asked for; due a day later where nobody says when."""
    due = moment(request.at_ms + _DAY_MS if request.due_ms is None else request.due_ms)
    return {
        **_inspected(request),
        "name": _inspection(request.inspection),
        "text": clean(request.text, LONGEST_TEXT),
        "due": str(due)[:10],
    }


def inspection_extras(request: QualityRequest, context: PlanContext) -> dict[str, Plain]:
    """What is no part of the fact: in whose list it appears."""
    return {"user": named(context.inspector)} if context.inspector else {}


def result_kind(result: QualityResult) -> str:
    """A result that answers no request is a note on its order."""
    return "result" if result.inspection or result.order is None else "note"


def result_payload(result: QualityResult) -> dict[str, Plain]:
    """A result of the quality system: a note, and the end of the request that it answers."""
    lot = f", lot {result.lot}" if result.lot else ""
    measured = ", ".join(f"{one.question}: {one.value}" for one in result.values)
    words = " ".join(
        word for word in (f"Quality: {result.status}{lot}.", measured and f"{measured}.", result.text) if word
    )
    said = clean(words, LONGEST_TEXT)
    if result_kind(result) == "note":
        return {"order": order_of(result), "text": said}
    name = _inspection(result.inspection) if result.inspection else None
    values: dict[str, Plain] = {
        clean(one.question, LONGEST_NAME): clean(one.value, LONGEST_NAME) for one in result.values
    }
    return {**_inspected(result), "name": name, "text": said, "values": values or None}


def result_extras(result: QualityResult) -> dict[str, Plain]:
    """What the text of the fact says already: how the inspection ends. Other words than these end none."""
    outcome = _OUTCOMES.get(result.status.casefold())
    return {"outcome": outcome} if outcome and result.inspection else {}


def _inspection(name: str) -> str:
    """Shown as one line, and the result must find it by that line."""
    return " ".join(named(name, LONGEST_NAME // 2).split())


def _inspected(one: QualityRequest | QualityResult) -> dict[str, Plain]:
    """The document in Odoo: the order, else the lot of the product, else the equipment. A lot of an order is named."""
    lot = optional(one.lot)
    if one.order is not None:
        return {"order": order_of(one), "lot": lot}
    if one.product and lot:
        return {"product": named(one.product), "lot": lot}
    if one.serial_number:
        return {"serial": named(one.serial_number), "lot": lot}
    lacks = "an inspection needs an order, or a product and its lot, or equipment with a serial_number in assets.yaml"
    raise Refused("reference", lacks)
