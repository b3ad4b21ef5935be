"""Work orders and the time of work centers: started, paused, finished; blocked and unblocked."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from odoo_adapter.simulator.behaviour import order as orders
from odoo_adapter.simulator.behaviour import planning, stock
from odoo_adapter.simulator.behaviour.note import message_post
from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row, related
from ruleset.sample import Plain

TIMES: Final = "mrp.workcenter.productivity"


def plan(order: Record, bom: Record) -> None:
    """One work order per operation, each waiting for the one before."""
    before: Record | None = None
    for sequence, operation in enumerate(bom.links("operation_ids")):
        before = order.database.create(
            "mrp.workorder",
            {
                "name": operation.text("name"),
                "sequence": sequence,
                "workcenter_id": operation.link("workcenter_id").id,
                "operation_id": operation.id,
                "production_id": order.id,
                "duration_expected": _expected(operation, order, order.number("product_qty")),
                "blocked_by_workorder_ids": [[6, 0, [before.id]]] if before is not None else [],
                "state": "ready" if before is None else "blocked",
            },
        )


def _expected(operation: Record, order: Record, quantity: float) -> float:
    """Minutes for this quantity: whole cycles of what the bill of materials makes at once."""
    cycles = math.ceil(quantity / order.link("bom_id").number("product_qty") - stock.EPSILON)
    efficiency = operation.link("workcenter_id").number("time_efficiency") or 100
    return round(operation.number("time_cycle_manual") * cycles * 100 / efficiency, 6)


def expect(order: Record) -> None:
    """Odoo plans open work orders anew for what is produced whenever that is not the whole order."""
    made, wanted = order.number("qty_producing"), order.number("product_qty")
    for step in order.links("workorder_ids"):
        operation = step.maybe("operation_id")
        if operation is not None and made != wanted and step.text("state") not in ("done", "cancel"):
            step.write(duration_expected=_expected(operation, order, made or wanted))


def refresh_states(order: Record) -> None:
    """A work order is ready once what it waits for has made something."""
    for step in order.links("workorder_ids"):
        if step.text("state") in ("blocked", "ready"):
            state = "ready" if step.number("qty_ready") > 0 else "blocked"
            if state != step.text("state"):
                step.write(state=state)


def start(step: Record) -> None:
    """Start the clock. As in Odoo, the order's quantity is filled in whole where none was counted yet."""
    order = step.link("production_id")
    if step.link("workcenter_id").text("working_state") == "blocked":
        raise user_error("Please unblock the work center to start the work order.")
    if step.flag("is_user_working"):
        return
    if step.text("state") in ("done", "cancel"):
        raise user_error("You cannot start a work order that is already done or cancelled")
    if order.number("qty_producing") == 0:
        order.write(qty_producing=step.number("qty_remaining"))
        orders.set_qty_producing(order)
    now = step.database.now()
    user = step.database.browse("res.users", step.database.user)
    loss = step.database.search("mrp.workcenter.productivity.loss", [["loss_type", "=", "productive"]])[0]
    log_time(step, loss, now, None, f"Time Tracking: {user.text('display_name')}")
    if order.text("state") != "progress":
        order.write(date_start=now)
    if step.text("state") != "progress":
        step.write(state="progress", date_start=now, date_finished=_later(now, step.number("duration_expected")))
    orders.refresh_state(order)


def finish(step: Record) -> None:
    """Stop every clock of the work order and pick components that nobody picked."""
    if step.text("state") in ("done", "cancel"):
        return
    order, now = step.link("production_id"), step.database.now()
    for row in step.links("time_ids"):
        if row.get("date_end") is None:
            row.write(date_end=now)
    for move in step.links("move_raw_ids"):
        if not move.flag("picked"):
            move.write(picked=True)
    made = step.number("qty_produced") or order.number("qty_producing") or order.number("product_qty")
    started = step.get("date_start") or now
    step.write(qty_produced=made, state="done", date_start=started, date_finished=now)
    refresh_states(order)
    orders.refresh_state(order)


def finish_all(order: Record) -> None:
    """What closing an order does with its open work orders: those without any time get the expected time."""
    loss = order.database.search("mrp.workcenter.productivity.loss", [["loss_type", "=", "productive"]])
    for step in order.links("workorder_ids"):
        if step.text("state") in ("done", "cancel"):
            continue
        finish(step)
        if not step.links("time_ids"):
            end = step.database.now()
            log_time(step, loss[0], _later(end, -step.number("duration_expected")), end, "Time Tracking: simulator")


def log_time(step: Record, loss: Record, start: str, end: str | None, text: str) -> Record:
    return step.database.create(
        TIMES,
        {
            "workcenter_id": step.link("workcenter_id").id,
            "workorder_id": step.id,
            "loss_id": loss.id,
            "date_start": start,
            "date_end": end,
            "description": text,
        },
    )


def minutes_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60


def _later(moment: str, minutes: float) -> str:
    return str(datetime.fromisoformat(moment) + timedelta(seconds=round(minutes * 60)))


def _row_minutes(row: Record) -> Plain:
    start, end = row.text("date_start"), row.text("date_end")
    return round(minutes_between(start, end), 2) if start and end else 0.0


def _duration(step: Record) -> Plain:
    now = step.database.now()
    total = 0.0
    for row in step.links("time_ids"):
        total += max(0.0, minutes_between(row.text("date_start"), row.text("date_end") or now))
    return round(total, 2)


def _qty_remaining(step: Record) -> Plain:
    return max(0.0, round(step.number("qty_production") - step.number("qty_produced"), 6))


def _qty_ready(step: Record) -> Plain:
    if step.text("state") in ("done", "cancel"):
        return 0.0
    before = [other for other in step.links("blocked_by_workorder_ids") if other.text("state") != "cancel"]
    if not before:
        return _qty_remaining(step)
    return min(other.number("qty_produced") for other in before)


def _open_rows(record: Record) -> list[Record]:
    return [row for row in record.links("time_ids") if row.get("date_end") is None]


def _is_user_working(step: Record) -> Plain:
    return any(row.get("user_id") == step.database.user for row in _open_rows(step))


def _working_users(step: Record) -> Plain:
    return [row.link("user_id").id for row in _open_rows(step) if row.maybe("user_id") is not None]


def _working_state(center: Record) -> Plain:
    rows = _open_rows(center)
    if not rows:
        return "normal"
    return "done" if rows[0].text("loss_type") in ("productive", "performance") else "blocked"


def _open_steps(center: Record) -> Plain:
    return sum(step.text("state") not in ("done", "cancel") for step in center.links("order_ids"))


def _step_name(step: Record) -> Plain:
    return f"{step.link('production_id').text('name')} - {step.text('name')}"


def _kind_name(kind: Record) -> Plain:
    return kind.text("loss_type").capitalize()


def _step_written(step: Record, names: frozenset[str]) -> None:
    if "qty_producing" in names:
        step.link("production_id").write(qty_producing=step.database.stored(step, "qty_producing"))
    if "state" in names:
        orders.refresh_state(step.link("production_id"))
    steps = step.link("production_id").links("workorder_ids")
    if "date_start" in names and step == steps[0] and step.get("date_start") is not None:
        step.link("production_id").write(date_start=step.get("date_start"))
    if "date_finished" in names and step == steps[-1] and step.get("date_finished") is not None:
        step.link("production_id").write(date_finished=step.get("date_finished"))


def _prepare_time(database: Database, row: Row) -> None:
    row.setdefault("user_id", database.user)
    row.setdefault("date_start", database.now())


def _prepare_center(database: Database, row: Row) -> None:
    row.setdefault("company_id", database.company)
    row.setdefault("resource_calendar_id", database.all("resource.calendar")[0].id)
    if "resource_id" not in row:
        resource = {"name": row.get("name"), "calendar_id": row["resource_calendar_id"]}
        row["resource_id"] = database.create("resource.resource", resource).id


def _run_start(database: Database, records: list[Record], call: Call) -> Plain:
    for step in records:
        start(step)
    return None


def _run_pending(database: Database, records: list[Record], call: Call) -> Plain:
    for step in records:
        for row in _open_rows(step):
            if row.get("user_id") == database.user:
                row.write(date_end=database.now())
    return None


def _run_finish(database: Database, records: list[Record], call: Call) -> Plain:
    for step in records:
        finish(step)
    return True


def _run_unblock(database: Database, records: list[Record], call: Call) -> Plain:
    for center in records:
        if center.text("working_state") != "blocked":
            raise user_error("It has already been unblocked.")
        for row in _open_rows(center):
            row.write(date_end=database.now())
    return True


def _run_block(database: Database, records: list[Record], call: Call) -> Plain:
    for row in records:
        for other in _open_rows(row.link("workcenter_id")):
            if other.text("loss_type") == "productive":
                other.write(date_end=database.now())
    return None


BEHAVIOURS: Final = {
    "mrp.workcenter.productivity.loss": Behaviour(computed={"loss_type": related("loss_id.loss_type")}),
    "mrp.workcenter.productivity.loss.type": Behaviour(computed={"display_name": _kind_name}),
    "mrp.workorder": Behaviour(
        computed={
            "display_name": _step_name,
            "product_id": related("production_id.product_id"),
            "product_uom_id": related("production_id.product_uom_id"),
            "production_state": related("production_id.state"),
            "company_id": related("production_id.company_id"),
            "qty_production": related("production_id.product_qty"),
            "qty_producing": related("production_id.qty_producing"),
            "qty_remaining": _qty_remaining,
            "qty_ready": _qty_ready,
            "duration": _duration,
            "is_user_working": _is_user_working,
            "working_user_ids": _working_users,
            "working_state": related("workcenter_id.working_state"),
        },
        written=_step_written,
        methods={
            "button_start": Method(run=_run_start),
            "button_pending": Method(run=_run_pending),
            "button_finish": Method(run=_run_finish),
            "action_replan": planning.REPLAN,
            "message_post": message_post,
        },
    ),
    "mrp.workcenter": Behaviour(
        computed={"working_state": _working_state, "workorder_count": _open_steps},
        prepare=_prepare_center,
        methods={"unblock": Method(run=_run_unblock)},
    ),
    planning.LEAVES: Behaviour(prepare=planning.prepare_leave),
    TIMES: Behaviour(
        computed={
            "display_name": related("workcenter_id.display_name"),
            "duration": _row_minutes,
            "loss_type": related("loss_id.loss_type"),
            "production_id": related("workorder_id.production_id"),
        },
        prepare=_prepare_time,
        methods={"button_block": Method(run=_run_block)},
    ),
}
