"""Inspections as activities in somebody's list, on what is to be inspected."""

from __future__ import annotations

from typing import Final

from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.maintenance import EQUIPMENT, in_html
from odoo_adapter.look_first.note import flat_body
from odoo_adapter.look_first.order import MODEL as ORDERS
from odoo_adapter.look_first.quality.document import Document, asked, inspector
from odoo_adapter.look_first.steps import Row

MODEL: Final = "mail.activity"
_NAMES: Final = {
    ORDERS: "mrp.model_mrp_production",
    lots.MODEL: "stock.model_stock_lot",
    EQUIPMENT: "maintenance.model_maintenance_equipment",
}
"""The external ids by which the documents' models are known to a user who may not read models."""
_SILENT: Final = {"mail_activity_quick_update": True}


async def ask(one: Attempt, document: Document) -> None:
    if await made(one, document):
        return
    row = {
        "res_model_id/id": _NAMES[document.model],
        "res_id": str(document.id),
        "activity_type_id/id": "mail.mail_activity_data_todo",
        "summary": asked(one),
        "note": in_html(one.text("text"), f"{one.key}{one.cause}"),
        "date_deadline": one.text("due"),
        "user_id/.id": str(await inspector(one)),
    }
    await one.steps.load(MODEL, one.key, [row], _SILENT)


async def made(one: Attempt, document: Document) -> int:
    """The activity of this key, where it is still to be done; else 0."""
    signed = " ".join(f"{one.key}{one.cause}".split())
    rows = await _open(one, document)
    return next((row["id"] for row in rows if flat_body(row["note"] or "").endswith(signed)), 0)


async def end(one: Attempt, document: Document) -> int:
    """Do those that ask for this inspection; how many they were."""
    ids = [row["id"] for row in await _open(one, document)]
    if ids:
        await one.steps.act(MODEL, "action_feedback", ids, feedback=one.text("text"))
    return len(ids)


async def _open(one: Attempt, document: Document) -> list[Row]:
    """The bridge's own activities on the document by this name, not done yet."""
    on_it = [["res_model", "=", document.model], ["res_id", "=", document.id]]
    ours = [["summary", "=", asked(one)], ["create_uid", "=", one.steps.user]]
    return await one.steps.search(MODEL, [*on_it, *ours], ["note"])
