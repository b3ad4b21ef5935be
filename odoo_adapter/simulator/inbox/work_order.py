"""Work orders begun, paused and ended, with the machine's times."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODEL
from odoo_adapter.look_first.time.clock import PAUSED
from odoo_adapter.look_first.time.stop import Part, free
from odoo_adapter.simulator.behaviour import workorder
from odoo_adapter.simulator.inbox.downtime import is_ours, reason_of, rows_of, until
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    result,
    step_of,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record


def _clocks(step: Record) -> list[Record]:
    """The bridge's own times of the work order, the earliest first."""
    rows = [row for row in step.links("time_ids") if is_ours(row)]
    return sorted(rows, key=lambda row: (row.text("date_start"), row.id))


def _is_pause(row: Record) -> bool:
    return row.text("description").startswith(PAUSED)


def _press_start(step: Record, at: str) -> None:
    """What was counted on the order stays, and the bridge's own stops that last are no reason not to start."""
    order, stops = step.link("production_id"), []
    for row in step.link("workcenter_id").links("time_ids"):
        if is_ours(row) and row.maybe("workorder_id") is None and row.get("date_end") is None:
            row.write(date_end=row.get("date_start"))
            stops.append(row)
    counted = order.number("qty_producing")
    workorder.start(step)
    order.write(qty_producing=counted)
    for row in stops:
        row.write(date_end=None)
    for row in _clocks(step):
        if row.get("date_end") is None:
            row.write(date_start=at)


def _begin(step: Record, at: str) -> None:
    """Put the work order in progress, begun at the machine's time."""
    if step.text("state") != "progress":
        _press_start(step, at)
        step.write(date_start=at)


def _start(database: Database, p: Payload, key: str, by: str) -> Payload:
    step, at = step_of(database, p), str(p["at"])
    already = step.text("state") in ("progress", "done")
    clocks = _clocks(step)
    if step.text("state") == "progress" and clocks and clocks[-1].get("date_end") and _is_pause(clocks[-1]):
        already = False
        _press_start(step, max(at, clocks[-1].text("date_end")))
    elif not already:
        _begin(step, at)
    return result(step, state=step.text("state"), already=already)


def _pause(database: Database, p: Payload, key: str, by: str) -> Payload:
    step, at, already = step_of(database, p), str(p["at"]), True
    if step.text("state") not in ("progress", "done"):
        raise Refusal("wo_state", f"{step.text('display_name')} is {step.text('state')}: it was not started")
    for row in _clocks(step):
        if step.text("state") == "progress" and row.get("date_end") is None:
            already = False
            if at < row.text("date_start"):
                raise Refusal("bad_interval", f"paused at {at}, before it started at {row.text('date_start')}")
            row.write(date_end=at, description=f"{PAUSED}{key}")
    return result(step, state=step.text("state"), already=already)


def _finish(database: Database, p: Payload, key: str, by: str) -> Payload:
    """Done, with productive time between start and end wherever the work center did not stand still."""
    step = step_of(database, p)
    already = step.text("state") == "done"
    if already:
        if p.get("start") and _is_all_ours(step):
            _run_time(step, _ran(step, str(p["start"]), str(p["at"])), key)
    else:
        order = step.link("production_id")
        _begin(step, str(p.get("start") or p["at"]))
        start, end = str(p.get("start") or step.text("date_start")), str(p["at"])
        parts, counted = _ran(step, start, end), order.number("qty_producing")
        workorder.finish(step)
        order.write(qty_producing=counted)
        _run_time(step, parts, key)
        step.write(date_start=start, date_finished=end)
    return result(step, state=step.text("state"), already=already, minutes=round(step.number("duration"), 2))


def _is_all_ours(step: Record) -> bool:
    """Whether no person's time is on the work order, and no machine's by an earlier transaction."""
    if step.database.search(MODEL, [["x_kind", "=", "finish"], ["x_state", "=", "done"], ["x_res_id", "=", step.id]]):
        return False
    return all(row.get("user_id") == step.database.user for row in step.links("time_ids"))


def _ran(step: Record, start: str, end: str) -> list[Part]:
    """From start to end, less the pauses between the bridge's own times."""
    parts: list[Part] = []
    at, paused = start, False
    for row in _clocks(step):
        if _is_pause(row):
            begin = max(at, row.text("date_start")) if parts or paused else at
            stop, paused = min(row.text("date_end"), end), True
            if begin < stop:
                parts.append((begin, stop, ""))
            at = max(begin, row.text("date_end"))
        elif paused:
            at, paused = max(at, row.text("date_start")), False
            if at < end:
                parts.append((at, end, ""))
                at = end
    return parts if parts or paused else [(start, end, "")]


def _run_time(step: Record, parts: list[Part], key: str) -> None:
    """Productive time of the bridge's own, less the stops in between and what people recorded on the work order."""
    for row in _clocks(step):
        step.database.unlink(row)
    if any(begin > end for begin, end, _ in parts):
        raise Refusal("bad_interval", f"{parts[0][0]} to {parts[0][1]}")
    taken: list[tuple[str, str]] = []
    for row in rows_of(step.link("workcenter_id"), parts[0][0], parts[-1][1]) if parts else []:
        if row.maybe("workorder_id") is None or (row.get("workorder_id") == step.id and row.get("date_end")):
            taken.append((row.text("date_start"), until(row)))
    productive = reason_of(step.database, {"loss": "productive"})
    for begin, end, _ in free(parts, taken):
        workorder.log_time(step, productive, begin, end, key)


KINDS: Final[dict[str, Effect]] = {"start": _start, "pause": _pause, "finish": _finish}
