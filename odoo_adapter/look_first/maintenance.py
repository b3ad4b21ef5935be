"""Maintenance requests, made once by their external id."""

from __future__ import annotations

import re
from typing import Final

from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.record import described_in_html
from odoo_adapter.odoo import Outcome, Receipt

REQUESTS: Final = "maintenance.request"

_QUIET: Final = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
}


async def apply_maintenance(one: Attempt) -> Outcome:
    if found := await find_maintenance(one):
        return one.applied(found)
    serial = one.text("serial")
    what = f"maintenance equipment {serial}"
    equipment = await one.steps.only("maintenance.equipment", [["serial_no", "=", serial]], ["id"], what)
    row = {
        "name": one.text("name"),
        "equipment_id/.id": str(equipment["id"]),
        "maintenance_type": "corrective",
        "priority": one.text("priority") or "0",
        "description": f"{one.text('text')}\n{one.key}{one.cause}".strip(),
        "request_date": one.text("at")[:10],
    }
    (id,) = await one.steps.load(REQUESTS, one.key, [row], _QUIET)
    return one.applied(receipt(REQUESTS, id))


async def find_maintenance(one: Attempt) -> Receipt | None:
    named = re.compile(rf"(^|\s){re.escape(one.key)}( \(|\s*$)")
    rows = await described_in_html(one.steps, REQUESTS, one.key)
    return next((receipt(REQUESTS, id, repeated=True) for id, text in rows if named.search(text)), None)
