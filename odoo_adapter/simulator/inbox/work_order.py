"""Work orders begun and ended, with the machine's times."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.behaviour import workorder
from odoo_adapter.simulator.inbox.downtime import loss_row
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    result,
    step_of,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record


def _begin(step: Record, at: str) -> None:
    """Put the work order in progress, begun at the machine's time. What was counted on the order stays."""
    if step.text("state") == "progress":
        return
    order = step.link("production_id")
    counted = order.number("qty_producing")
    workorder.start(step)
    order.write(qty_producing=counted)
    for row in step.links("time_ids"):
        if row.get("user_id") == step.database.user and row.get("date_end") is None:
            row.write(date_start=at)
    step.write(date_start=at)


def _start(database: Database, p: Payload, key: str, by: str) -> Payload:
    step = step_of(database, p)
    already = step.text("state") in ("progress", "done")
    if not already:
        _begin(step, str(p["at"]))
    return result(step, state=step.text("state"), already=already)


def _finish(database: Database, p: Payload, key: str, by: str) -> Payload:
    """Done, with productive time between start and end wherever the work center did not stand still."""
    step = step_of(database, p)
    already = step.text("state") == "done"
    if already:
        if p.get("start") and _is_all_ours(step):
            _run_time(step, str(p["start"]), str(p["at"]), key)
    else:
        order = step.link("production_id")
        _begin(step, str(p.get("start") or p["at"]))
        start, end = str(p.get("start") or step.text("date_start")), str(p["at"])
        counted = order.number("qty_producing")
        workorder.finish(step)
        order.write(qty_producing=counted)
        _run_time(step, start, end, key)
        step.write(date_start=start, date_finished=end)
    return result(step, state=step.text("state"), already=already, minutes=round(step.number("duration"), 2))


def _is_all_ours(step: Record) -> bool:
    """Whether no person's time is on the work order, and no machine's by an earlier transaction."""
    if step.database.search(MODEL, [["x_kind", "=", "finish"], ["x_state", "=", "done"], ["x_res_id", "=", step.id]]):
        return False
    return all(row.get("user_id") == step.database.user for row in step.links("time_ids"))


def _run_time(step: Record, begin: str, end: str, key: str) -> None:
    for row in step.links("time_ids"):
        if row.get("user_id") == step.database.user:
            step.database.unlink(row)
    for start, stop in _running(step, begin, end):
        values = loss_row(step.database, step.link("workcenter_id"), "productive", start, stop, key)
        step.database.create(workorder.TIMES, {**values, "workorder_id": step.id})


def _running(step: Record, begin: str, end: str) -> list[tuple[str, str]]:
    """The parts of the interval in which no stop of the work center is recorded."""
    stops = [
        (row.text("date_start"), row.text("date_end"))
        for row in step.link("workcenter_id").links("time_ids")
        if row.text("loss_type") != "productive" and row.maybe("workorder_id") is None
    ]
    parts: list[tuple[str, str]] = []
    at = begin
    for start, stop in sorted(stops):
        if start < end and stop > begin:
            if start > at:
                parts.append((at, start))
            at = max(at, stop)
    if at < end or begin > end:
        parts.append((at, end))
    return parts


KINDS: Final[dict[str, Effect]] = {"start": _start, "finish": _finish}
