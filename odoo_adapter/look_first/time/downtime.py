"""Stops of work centers: closed time rows, made once by their external id."""

from __future__ import annotations

from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.record import described
from odoo_adapter.look_first.time.loss import TIMES, loss_reason, time_row
from odoo_adapter.odoo import Outcome, Receipt


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
    rows = await described(one.steps, TIMES, one.key)
    return next((receipt(TIMES, id, repeated=True) for id, text in rows if text.endswith(f"[{one.key}]")), None)
