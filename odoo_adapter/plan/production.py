"""Quantities of an order: progress, scrap, completion with what it consumed and brought, and corrections."""

from __future__ import annotations

from decimal import Decimal

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import (
    LONGEST_TEXT,
    PlanContext,
    clean,
    moment,
    named,
    optional,
    order_of,
    positive,
    quantity,
    unit_of,
)
from ruleset.sample import Plain
from ruleset.transaction import Byproduct, Complete, Consumption, Correct, Progress, QualityHold, Scrap


def progress_payload(progress: Progress, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a total."""
    return {
        "order": order_of(progress),
        "stream": named(progress.stream, 400),
        "upto": quantity(progress.upto),
        "uom": unit_of(progress.unit, context),
    }


def scrap_payload(scrap: Scrap, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of pieces thrown away."""
    if scrap.order is None and scrap.product is None:
        raise Refused("reference", "scrap needs an order or a product")
    return {
        "order": None if scrap.order is None else order_of(scrap),
        "product": optional(scrap.product),
        "qty": positive(scrap.quantity),
        "uom": unit_of(scrap.unit, context),
        "lot": optional(scrap.lot),
        "reason": named(scrap.reason),
    }


def completion_payload(complete: Complete | QualityHold, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a finished order."""
    for twice in (name for name in complete.serials if complete.serials.count(name) > 1):
        raise Refused("serials", f'serial number "{clean(twice, 50)}" is named twice')
    byproducts: list[Plain] = [_amount(one, not_negative(one.quantity), context) for one in complete.byproducts]
    serials: list[Plain] = [named(name) for name in complete.serials]
    return {
        "order": order_of(complete),
        "qty": positive(complete.quantity),
        "uom": unit_of(complete.unit, context),
        "lot": optional(complete.lot),
        "serials": serials or None,
        "consume": [_amount(one, positive(one.quantity), context) for one in complete.consumed],
        "byproducts": byproducts or None,
        "at": moment(complete.at_ms),
    }


def correction_payload(correct: Correct, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a correction: how much, with its sign."""
    if not correct.quantity.is_finite() or not correct.quantity:
        raise Refused("quantity", f"{correct.quantity} corrects nothing")
    return {
        "order": order_of(correct),
        "corrects": named(correct.corrects, 500),
        "qty": positive(abs(correct.quantity)),
        "less": correct.quantity < 0,
        "uom": unit_of(correct.unit, context),
        "lot": optional(correct.lot),
        "reason": clean(correct.reason, LONGEST_TEXT),
    }


def not_negative(number: Decimal) -> str:
    """A quantity that may be none at all, as text."""
    return positive(number) if number else quantity(Decimal(0))


def _amount(one: Consumption | Byproduct, amount: str, context: PlanContext) -> dict[str, Plain]:
    line: dict[str, Plain] = {"product": named(one.product), "qty": amount, "uom": unit_of(one.unit, context)}
    if one.lot:
        line["lot"] = named(one.lot)
    return line
