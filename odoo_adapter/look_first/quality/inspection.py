"""Inspections that are asked for, as activities in somebody's list, and the results that end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.maintenance import EQUIPMENT, equipment_of, in_html
from odoo_adapter.look_first.note import flat_body, leave_note, said, say, stands
from odoo_adapter.look_first.order import MODEL, read_order
from odoo_adapter.look_first.quality.transfer import read_goods
from odoo_adapter.look_first.steps import Row
from odoo_adapter.odoo import Outcome, Receipt

ACTIVITIES: Final = "mail.activity"
_NAMES: Final = {
    MODEL: "mrp.model_mrp_production",
    lots.MODEL: "stock.model_stock_lot",
    EQUIPMENT: "maintenance.model_maintenance_equipment",
}
"""The external ids by which the documents' models are known to a user who may not read models."""
_SILENT: Final = {"mail_activity_quick_update": True}


@dataclass(frozen=True, slots=True)
class _Document:
    """What is inspected."""

    model: str
    id: int


async def apply_inspection(one: Attempt) -> Outcome:
    """The activity, then the note by which it is known when somebody has done it."""
    document = await _document(one)
    begin = f"UNS bridge: asked for {_asked(one)}"
    if await said(one.steps, document.id, one.key, begin, document.model):
        return one.applied(await _receipt(one, document, repeated=True))
    listed = await _listed(one, document)
    if listed is None:
        await _list(one, document)
    await say(one, document.id, begin, "", document.model)
    return one.applied(await _receipt(one, document, repeated=listed is not None))


async def find_inspection(one: Attempt) -> Receipt | None:
    document = await _document(one)
    begin = f"UNS bridge: asked for {_asked(one)}"
    if not await said(one.steps, document.id, one.key, begin, document.model):
        return None
    return await _receipt(one, document, repeated=True)


async def apply_result(one: Attempt) -> Outcome:
    """The activities of the request end first: without them the note is the last thing that can be lacking."""
    document = await _document(one)
    if found := await stands(one, document.id, document.model):
        return one.applied(found)
    open_ones = await _requests(one, document) if one.text("name") else []
    if open_ones:
        ids = [row["id"] for row in open_ones]
        await one.steps.act(ACTIVITIES, "action_feedback", ids, feedback=one.text("text"))
    id = await leave_note(one.steps, document.id, f"{one.text('text')} [{one.key}]", document.model)
    return one.applied(receipt("mail.message", id, closed=len(open_ones)))


async def find_result(one: Attempt) -> Receipt | None:
    document = await _document(one)
    return await stands(one, document.id, document.model)


async def _document(one: Attempt) -> _Document:
    if one.text("order"):
        return _Document(MODEL, (await read_order(one.steps, one.text("order"))).id)
    if one.text("serial"):
        return _Document(EQUIPMENT, await equipment_of(one))
    return _Document(lots.MODEL, (await read_goods(one)).tracked_lot)


def _asked(one: Attempt) -> str:
    lot = one.text("lot")
    return f"Inspection: {one.text('name')}{f', lot {lot}' if lot else ''}"


async def _list(one: Attempt, document: _Document) -> None:
    row = {
        "res_model_id/id": _NAMES[document.model],
        "res_id": str(document.id),
        "activity_type_id/id": "mail.mail_activity_data_todo",
        "summary": _asked(one),
        "note": in_html(one.text("text"), f"{one.key}{one.cause}"),
        "date_deadline": one.text("due"),
        "user_id/.id": str(await _inspector(one)),
    }
    await one.steps.load(ACTIVITIES, one.key, [row], _SILENT)


async def _inspector(one: Attempt) -> int:
    login = one.text("user")
    if not login:
        return one.steps.user
    rows = await one.steps.search("res.users", [["login", "=", login]], ["id"])
    if not rows:
        raise Refused("missing", f"the user {login} who is to inspect")
    return int(rows[0]["id"])


async def _listed(one: Attempt, document: _Document) -> Row | None:
    """The activity of this key, where it is still to be done."""
    signed = " ".join(f"{one.key}{one.cause}".split())
    rows = [row for row in await _requests(one, document) if flat_body(row["note"] or "").endswith(signed)]
    return rows[0] if rows else None


async def _requests(one: Attempt, document: _Document) -> list[Row]:
    """The bridge's own activities on the document by this name, not done yet."""
    on_it = [["res_model", "=", document.model], ["res_id", "=", document.id]]
    ours = [["summary", "=", _asked(one)], ["create_uid", "=", one.steps.user]]
    return await one.steps.search(ACTIVITIES, [*on_it, *ours], ["note"])


async def _receipt(one: Attempt, document: _Document, *, repeated: bool) -> Receipt:
    on = f"{document.model},{document.id}"
    listed = await _listed(one, document)
    model, id = (ACTIVITIES, listed["id"]) if listed else (document.model, document.id)
    return receipt(model, id, repeated=repeated, on=on)
