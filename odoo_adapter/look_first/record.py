"""Stops and maintenance requests: single records, made once by their external id."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.odoo import Outcome, Receipt

TIMES: Final = "mrp.workcenter.productivity"
LOSSES: Final = "mrp.workcenter.productivity.loss"
REQUESTS: Final = "maintenance.request"

_LOSS: Final[Mapping[str, str]] = {
    "material_availability": "mrp.block_reason0",
    "breakdown": "mrp.block_reason1",
    "setup": "mrp.block_reason2",
    "reduced_speed": "mrp.block_reason4",
    "defect": "mrp.block_reason5",
    "productive": "mrp.block_reason7",
    "unclassified": "uns_bridge.loss_unclassified",
}
"""Odoo's loss reasons by external id: their names are translated."""

_QUIET: Final = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
}
_TAG: Final = re.compile(r"<[^>]*>")


async def apply_downtime(one: Attempt) -> Outcome:
    if found := await find_downtime(one):
        return one.applied(found)
    code = one.text("wc")
    center = await one.steps.only("mrp.workcenter", [["code", "=", code]], ["id"], f"work center {code}")
    text = f"{one.text('text')} [{one.key}]".strip()
    loss = await loss_reason(one.steps, one.text("loss"))
    row = time_row(center["id"], loss, one.text("start"), one.text("end"), text)
    (id,) = await one.steps.load(TIMES, one.key, [row])
    return one.applied(receipt(TIMES, id))


async def find_downtime(one: Attempt) -> Receipt | None:
    rows = await _described(one.steps, TIMES, one.key)
    return next((receipt(TIMES, id, repeated=True) for id, text in rows if text.endswith(f"[{one.key}]")), None)


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
    rows = await _described(one.steps, REQUESTS, one.key)
    return next((receipt(REQUESTS, id, repeated=True) for id, text in rows if named.search(text)), None)


async def loss_reasons(steps: Steps) -> dict[str, int]:
    """The ids of the reasons of those loss categories that have one."""
    rows = await steps.search(LOSSES, [], ["name"])
    named = await steps.external_ids(LOSSES, [row["id"] for row in rows])
    found: dict[str, int] = {}
    for row in rows:
        for loss, external in _LOSS.items():
            if named[row["id"]] == external or (loss == "unclassified" and row["name"] == "Unclassified"):
                found.setdefault(loss, int(row["id"]))
    return found


async def loss_reason(steps: Steps, loss: str) -> int:
    """The id of a loss category's reason. Raises `Refused` where it is not there."""
    found = await loss_reasons(steps)
    if loss not in found:
        raise Refused("missing", no_loss_reason(loss))
    return found[loss]


def no_loss_reason(loss: str) -> str:
    """What is to be said of a loss category without a reason in Odoo."""
    mend = ': create one named "Unclassified" in Odoo' if loss == "unclassified" else " of Odoo is not there"
    return f"loss reason {loss}{mend}"


def time_row(center: int, loss: int, start: str, end: str, text: str) -> dict[str, str]:
    """A closed time row as `load` takes it. Raises `Refused` where it ends before it starts."""
    if not start < end:
        raise Refused("bad_interval", f"{start} to {end}")
    return {
        "workcenter_id/.id": str(center),
        "loss_id/.id": str(loss),
        "date_start": start,
        "date_end": end,
        "description": text,
    }


async def _described(steps: Steps, model: str, key: str) -> list[tuple[int, str]]:
    """The records whose description may name the key, as plain text."""
    wanted = html.escape(key, quote=False) if model == REQUESTS else key
    rows: list[Row] = await steps.search(
        model, [["description", "like", wanted.replace("\\", "\\\\")]], ["description"]
    )
    if model == TIMES:
        return [(row["id"], row["description"]) for row in rows]
    return [(row["id"], html.unescape(_TAG.sub(" ", row["description"]))) for row in rows]
