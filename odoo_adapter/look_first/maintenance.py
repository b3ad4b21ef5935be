"""Maintenance requests: one of each cause while it is open, notes for what comes again, and the end of it."""

from __future__ import annotations

import html
import re
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.note import flat_body, leave_note
from odoo_adapter.look_first.record import described_in_html
from odoo_adapter.look_first.steps import Row
from odoo_adapter.odoo import Outcome, Receipt

EQUIPMENT: Final = "maintenance.equipment"
REQUESTS: Final = "maintenance.request"

_QUIET: Final = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
}
_OPEN: Final = [["stage_id.done", "=", False], ["archive", "=", False]]
_AGAIN: Final = "UNS bridge: again: "
_DONE: Final = "UNS bridge: done: "


async def apply_maintenance(one: Attempt) -> Outcome:
    if found := await find_maintenance(one):
        return one.applied(found)
    equipment = await equipment_of(one)
    cause = one.text("cause") or one.text("name")
    known = await _newest(one, equipment, cause, _OPEN)
    if known is not None:
        await leave_note(one.steps, known["id"], _said(one, _AGAIN, one.text("name")), REQUESTS)
        return one.applied(receipt(REQUESTS, known["id"], noted=True))
    row = {
        "name": one.text("name"),
        "equipment_id/.id": str(equipment),
        "maintenance_type": "corrective",
        "priority": one.text("priority") or "0",
        "description": in_html(one.text("text"), f"[cause {cause}]", f"{one.key}{one.cause}"),
        "request_date": one.text("at")[:10],
    }
    if team := one.text("team"):
        its = await one.steps.only("maintenance.team", [["name", "=", team]], ["id"], f"maintenance team {team}")
        row["maintenance_team_id/.id"] = str(its["id"])
    if schedule := one.text("schedule"):
        row["schedule_date"] = schedule
    (id,) = await one.steps.load(REQUESTS, one.key, [row], _QUIET)
    return one.applied(receipt(REQUESTS, id))


async def find_maintenance(one: Attempt) -> Receipt | None:
    named = re.compile(rf"(^|\s){re.escape(one.key)}( \(|\s*$)")
    rows = await described_in_html(one.steps, REQUESTS, one.key)
    if made := next((id for id, text in rows if named.search(text)), None):
        return receipt(REQUESTS, made, repeated=True)
    noted = await _noted(one, _AGAIN)
    return receipt(REQUESTS, noted, repeated=True, noted=True) if noted else None


async def apply_close(one: Attempt) -> Outcome:
    """The note comes first, for it tells after a lost answer which request was meant; the dates are written last,
    since Odoo writes its own with the stage."""
    steps = one.steps
    if (found := await find_close(one)) or (found := await _noted_before(one)):
        return one.applied(found)
    id = await _noted(one, _DONE)
    if not id:
        equipment, cause = await equipment_of(one), one.text("cause")
        known = await _newest(one, equipment, cause, _OPEN)
        if known is None:
            return one.applied(await _closed_already(one, equipment, cause))
        id = known["id"]
    stage = await _done_stage(one)
    if not await _noted(one, _DONE):
        await leave_note(steps, id, _said(one, _DONE), REQUESTS)
    await steps.write(REQUESTS, [id], {"stage_id": stage})
    await steps.write(REQUESTS, [id], _times(one))
    return one.applied(receipt(REQUESTS, id))


async def find_close(one: Attempt) -> Receipt | None:
    id = await _noted(one, _DONE)
    row = await one.steps.one(REQUESTS, id, ["done", *_times(one)]) if id else None
    if row is None or not row["done"] or any(row[name] != value for name, value in _times(one).items()):
        return None
    return receipt(REQUESTS, row["id"], repeated=True)


async def equipment_of(one: Attempt) -> int:
    """The equipment with the posting's serial number."""
    serial = one.text("serial")
    row = await one.steps.only(EQUIPMENT, [["serial_no", "=", serial]], ["id"], f"maintenance equipment {serial}")
    return int(row["id"])


def in_html(*lines: str) -> str:
    """Plain text for a field of HTML: nothing in it is markup."""
    return f"<p>{'<br>'.join(html.escape(line, quote=False) for line in lines if line)}</p>".replace("\n", "<br>")


async def _noted_before(one: Attempt) -> Receipt | None:
    """A repetition that is not uncertain: all was written then, and what people changed since is theirs."""
    id = 0 if one.job.uncertain else await _noted(one, _DONE)
    return receipt(REQUESTS, id, repeated=True) if id else None


async def _closed_already(one: Attempt, equipment: int, cause: str) -> Receipt:
    known = await _newest(one, equipment, cause, [])
    if known is None:
        raise Refused(
            "missing", f"there is no maintenance request of {one.text('serial')} for the cause {one.text('cause')}"
        )
    return receipt(REQUESTS, known["id"], already=True)


async def _newest(one: Attempt, equipment: int, cause: str, more: list[list[object]]) -> Row | None:
    """The last request of this cause, by the mark that its description has."""
    mark = re.sub(r"([\\%_])", r"\\\1", html.escape(f"[cause {cause}]", quote=False))
    domain = [["equipment_id", "=", equipment], ["description", "like", mark], *more]
    rows = await one.steps.search(REQUESTS, domain, ["id"], order="id desc")
    return rows[0] if rows else None


async def _done_stage(one: Attempt) -> int:
    stages = await one.steps.search("maintenance.stage", [["done", "=", True]], ["id"], order="sequence, id")
    if not stages:
        raise Refused("missing", "a stage of maintenance requests that is marked as done")
    return int(stages[0]["id"])


def _times(one: Attempt) -> dict[str, object]:
    hours = one.p.get("hours")
    return {"close_date": one.text("at")[:10]} | ({} if hours is None else {"duration": hours})


def _said(one: Attempt, begin: str, *words: str) -> str:
    told = [*words, one.text("text"), f"By {one.key}{one.cause}"]
    return begin + ". ".join(word for word in told if word)


async def _noted(one: Attempt, begin: str) -> int:
    """The request on which a note of this key begins so; 0: there is none."""
    wanted = html.escape(one.key, quote=False).replace("\\", "\\\\")
    domain = [["model", "=", REQUESTS], ["body", "ilike", wanted]]
    named = re.compile(rf"{re.escape(begin)}.*By {re.escape(' '.join(one.key.split()))}( \(|$)")
    rows = await one.steps.search("mail.message", domain, ["res_id", "body"])
    return next((int(row["res_id"]) for row in rows if named.match(flat_body(row["body"]))), 0)
