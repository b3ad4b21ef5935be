"""What an order really used while it runs, and the lots that the floor names."""

from __future__ import annotations

from odoo_adapter.plan.text import PlanContext, moment, named, optional, order_of, positive, unit_of
from ruleset.sample import Plain
from ruleset.transaction import LotCreate, MaterialConsume


def consume_payload(used: MaterialConsume, context: PlanContext) -> dict[str, Plain]:
    """What the inbox takes of a reported consumption."""
    return {
        "order": order_of(used),
        "product": named(used.product),
        "qty": positive(used.quantity),
        "uom": unit_of(used.unit, context),
        "lot": optional(used.lot),
        "at": moment(used.at_ms),
    }


def lot_payload(lot: LotCreate) -> dict[str, Plain]:
    """What the inbox takes of a lot that the floor named."""
    return {
        "product": named(lot.product),
        "lot": named(lot.lot),
        "expires": None if lot.expires_ms is None else moment(lot.expires_ms),
    }
