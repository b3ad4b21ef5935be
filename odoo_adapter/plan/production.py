"""Quantities of an order: progress, scrap, completion and what it consumed."""

from __future__ import annotations

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import PlanContext, moment, named, optional, order_of, positive, quantity, unit_of
from ruleset.sample import Plain
from ruleset.transaction import Complete, Consumption, Progress, QualityHold, Scrap


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
    return {
        "order": order_of(complete),
        "qty": positive(complete.quantity),
        "uom": unit_of(complete.unit, context),
        "lot": optional(complete.lot),
        "consume": [_consumption(one, context) for one in complete.consumed],
        "at": moment(complete.at_ms),
    }


def _consumption(used: Consumption, context: PlanContext) -> dict[str, Plain]:
    line: dict[str, Plain] = {
        "product": named(used.product),
        "qty": positive(used.quantity),
        "uom": unit_of(used.unit, context),
    }
    if used.lot:
        line["lot"] = named(used.lot)
    return line
