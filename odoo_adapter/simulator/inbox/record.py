"""Notes and maintenance requests."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import note
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    one,
    order_of,
    result,
)
from odoo_adapter.simulator.records.database import Database


def _note(database: Database, p: Payload, key: str, by: str) -> Payload:
    return result(note.post(order_of(database, p, ()), f"{p['text']} [{key}]"))


def _maintenance(database: Database, p: Payload, key: str, by: str) -> Payload:
    equipment = one(database, "maintenance.equipment", "serial_no", p["serial"], "maintenance equipment")
    text = f"{p.get('text') or ''}\n{key}{f' ({by})' if by else ''}".strip()
    request = database.create(
        "maintenance.request",
        {
            "name": p["name"],
            "equipment_id": equipment.id,
            "maintenance_type": "corrective",
            "priority": str(p.get("priority") or 0),
            "description": note.as_html(text),
            "request_date": str(p["at"])[:10],
        },
    )
    return result(request)


KINDS: Final[dict[str, Effect]] = {"note": _note, "maintenance": _maintenance}
