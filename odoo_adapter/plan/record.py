"""Lines for planners on an order, and maintenance requests: asked for, and done."""

from __future__ import annotations

from odoo_adapter.errors import Refused
from odoo_adapter.plan.text import LONGEST_NAME, LONGEST_TEXT, clean, moment, named, optional, order_of
from ruleset.sample import Plain
from ruleset.transaction import MaintenanceClose, MaintenanceRequest, OrderState

_HOUR_MS = 3_600_000


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
        "team": optional(request.team),
        "schedule": None if request.schedule_ms is None else moment(request.schedule_ms),
    }


def maintenance_extras(request: MaintenanceRequest) -> dict[str, Plain]:
    """What is no part of the fact: why it is asked, in one line. The rule's name, where the rule says nothing."""
    return {"cause": _cause(request.cause or request.provenance.rule)}


def close_payload(close: MaintenanceClose) -> dict[str, Plain]:
    """The end of the request of this cause, with the hours that the work took where its start is known."""
    if close.started_ms is not None and close.started_ms > close.at_ms:
        raise Refused("bad_interval", f"ends at {moment(close.at_ms)}, before it starts at {moment(close.started_ms)}")
    hours = None if close.started_ms is None else round((close.at_ms - close.started_ms) / _HOUR_MS, 2)
    return {
        "serial": named(close.serial_number),
        "cause": _cause(close.cause),
        "at": moment(close.at_ms),
        "hours": hours,
        "text": clean(close.text, LONGEST_TEXT),
    }


def _cause(text: str) -> str:
    return " ".join(named(text).split())
