"""What people read: results of the quality system as notes, maintenance requests."""

from __future__ import annotations

from odoo_adapter.plan.text import LONGEST_NAME, LONGEST_TEXT, clean, moment, named, order_of
from ruleset.sample import Plain
from ruleset.transaction import MaintenanceRequest, OrderState, QualityResult


def result_payload(result: QualityResult) -> dict[str, Plain]:
    """A result of the quality system, as a note on the order."""
    lot = f", lot {result.lot}" if result.lot else ""
    said = clean(f"Quality: {result.status}{lot}. {result.text}".strip(), LONGEST_TEXT)
    return {"order": order_of(result), "text": said}


def state_payload(state: OrderState) -> dict[str, Plain]:
    """What became of the order's release, as a note on the order."""
    return {"order": order_of(state), "text": clean(state.text, LONGEST_TEXT)}


def maintenance_payload(request: MaintenanceRequest) -> dict[str, Plain]:
    """A request for the equipment of this serial number."""
    return {
        "serial": named(request.serial_number),
        "name": clean(request.title, LONGEST_NAME),
        "text": clean(request.text, LONGEST_TEXT),
        "priority": min(3, max(0, request.priority)),
        "at": moment(request.at_ms),
    }
