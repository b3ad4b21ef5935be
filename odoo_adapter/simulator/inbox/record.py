"""Notes on orders, and maintenance requests: one of each cause while it is open, and notes for what comes again."""

from __future__ import annotations

import html
import re
from typing import Final

from odoo_adapter.simulator.behaviour import note
from odoo_adapter.simulator.inbox.payload import Effect, Payload, Refusal, claim, one, order_of, result
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

_REQUESTS: Final = "maintenance.request"


def _note(database: Database, p: Payload, key: str, by: str) -> Payload:
    return result(note.post(order_of(database, p, ()), f"{p['text']} [{key}]"))


def equipment_of(database: Database, p: Payload) -> Record:
    return one(database, "maintenance.equipment", "serial_no", p["serial"], "maintenance equipment")


def signed(key: str, by: str) -> str:
    return f"{key}{f' ({by})' if by else ''}"


def in_html(*lines: Plain) -> str:
    """Plain text for a field of HTML: nothing in it is markup."""
    return f"<p>{'<br>'.join(html.escape(str(line), quote=False) for line in lines if line)}</p>"


def _request(database: Database, p: Payload, key: str, by: str) -> Payload:
    equipment, cause = equipment_of(database, p), str(p.get("cause") or p["name"])
    guard, known = _newest(equipment, cause, closed=False)
    if known is not None:
        said = ". ".join(str(word) for word in (p["name"], p.get("text"), f"By {signed(key, by)}") if word)
        note.post(known, f"UNS bridge: again: {said}")
        return result(known, noted=True)
    values: Payload = {
        "name": p["name"],
        "equipment_id": equipment.id,
        "maintenance_type": "corrective",
        "priority": str(p.get("priority") or 0),
        "description": in_html(p.get("text"), f"[cause {cause}]", signed(key, by)),
        "request_date": str(p["at"])[:10],
    }
    if p.get("team"):
        values["maintenance_team_id"] = one(database, "maintenance.team", "name", p["team"], "maintenance team").id
    if p.get("schedule"):
        values["schedule_date"] = p["schedule"]
    made = database.create(_REQUESTS, values)
    guard.write(x_res_model=made.model, x_res_id=made.id)
    return result(made)


def _close(database: Database, p: Payload, key: str, by: str) -> Payload:
    equipment, cause = equipment_of(database, p), str(p["cause"])
    _, known = _newest(equipment, cause, closed=False)
    if known is None:
        _, known = _newest(equipment, cause, closed=True)
        if known is None:
            raise Refusal("missing", f"there is no maintenance request of {p['serial']} for the cause {cause}")
        return result(known, already=True)
    stages = database.search("maintenance.stage", [["done", "=", True]])
    if not stages:
        raise Refusal("missing", "a stage of maintenance requests that is marked as done")
    known.write(stage_id=stages[0].id)
    known.write(close_date=str(p["at"])[:10], **({} if p.get("hours") is None else {"duration": p["hours"]}))
    said = ". ".join(str(word) for word in (p.get("text"), f"By {signed(key, by)}") if word)
    note.post(known, f"UNS bridge: done: {said}")
    return result(known)


def _newest(equipment: Record, cause: str, *, closed: bool) -> tuple[Record, Record | None]:
    """The row that keeps the last request of this cause, and that request, or one that its description names."""
    database = equipment.database
    guard = claim(database, f"@maintenance:{equipment.id}:{cause}", "@guard", None)
    mark = re.sub(r"([\\%_])", r"\\\1", html.escape(f"[cause {cause}]", quote=False))
    named: list[Plain] = ["|", ["id", "=", guard.integer("x_res_id")], ["description", "like", mark]]
    domain: list[Plain] = [["equipment_id", "=", equipment.id], *named]
    if not closed:
        domain += [["stage_id.done", "=", False], ["archive", "=", False]]
    found = database.search(_REQUESTS, domain, order="id desc")
    return guard, found[0] if found else None


KINDS: Final[dict[str, Effect]] = {"note": _note, "maintenance": _request, "maintenance_close": _close}
