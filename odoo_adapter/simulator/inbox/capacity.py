"""Work centers that cannot run: kept out of planning, planned work moved behind it, and back when it ends."""

from __future__ import annotations

import re
from typing import Final

from odoo_adapter.simulator.behaviour import note, planning
from odoo_adapter.simulator.errors import Fault
from odoo_adapter.simulator.inbox.downtime import center_of, close_stop, lasting, open_stop
from odoo_adapter.simulator.inbox.payload import Effect, Payload, Refusal, result
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record

MOST_PLANNED: Final = 50
_OPEN: Final = ("confirmed", "progress")
_MOVED: Final = re.compile(r"planned from (\S+ \S+) instead of (\S+ \S+),")


def _block(database: Database, p: Payload, key: str, by: str) -> Payload:
    center, start, until = center_of(database, p), str(p["start"]), str(p["until"])
    if not start < until:
        raise Refusal("bad_interval", f"{start} to {until}")
    open_stop(center, p, key)
    name, leave = f"{p.get('text') or ''} {p['mark']} [{key}]".strip(), _leave(center, p)
    if leave is not None:
        leave.write(name=name, date_to=max(until, leave.text("date_to")))
    else:
        links: Payload = {"resource_id": center.get("resource_id"), "calendar_id": center.get("resource_calendar_id")}
        absent: Payload = {"name": name, "date_from": start, "date_to": until, "time_type": "leave"}
        leave = database.create(planning.LEAVES, links | absent)
    orders = _in_the_way(center, leave)
    moved = sum(_plan_again(order, None, p, key) for order in orders[:MOST_PLANNED])
    return result(leave, moved=moved, left=len(orders) - moved)


def _unblock(database: Database, p: Payload, key: str, by: str) -> Payload:
    center, end = center_of(database, p), str(p["end"])
    leave = _leave(center, p)
    if lasting(center, p)[0] is not None:
        close_stop(center, p, key, None)
    if leave is None:
        return result(center, already=True)
    leave.write(name=f"{leave.text('name')}, ended [{key}]")
    if end < leave.text("date_to"):
        leave.write(date_to=max(end, leave.text("date_from")))
    return result(leave, moved=_bring_back(database, p, key))


def _leave(center: Record, p: Payload) -> Record | None:
    leaves = center.database.find(planning.LEAVES, "resource_id", center.link("resource_id").id)
    return next((leave for leave in leaves if f"{p['mark']} [" in leave.text("name")), None)


def _in_the_way(center: Record, leave: Record) -> list[Record]:
    """Orders with a step that is planned on the work center in its absence, the earliest first."""
    steps = [
        step
        for step in center.links("order_ids")
        if step.maybe("leave_id") is not None
        and step.text("state") in ("blocked", "ready")
        and step.text("date_start") < leave.text("date_to")
        and step.text("date_finished") > leave.text("date_from")
        and step.link("production_id").text("state") in _OPEN
    ]
    ordered = sorted(steps, key=lambda step: (step.text("date_start"), step.id))
    return list({step.link("production_id").id: step.link("production_id") for step in ordered}.values())


def _plan_again(order: Record, start: str | None, p: Payload, key: str) -> bool:
    """Plan it through Odoo's own planning; what that cannot plan stays as it is."""
    was = order.text("date_start")
    try:
        with order.database.savepoint():
            if start is not None:
                order.write(date_start=start)
            planning.plan(order)
    except Fault:
        return False
    now = order.text("date_start")
    if now != was:
        note.post(order, f"UNS bridge: planned from {now} instead of {was}, {p['mark']} [{key}]")
    return True


def _bring_back(database: Database, p: Payload, key: str) -> int:
    """What was moved for this stop and stands where it was moved to."""
    was: dict[int, str] = {}
    at: dict[int, str] = {}
    for message in database.all("mail.message"):
        body = message.text("body")
        if message.text("model") == "mrp.production" and f"{p['mark']} [" in body and (moved := _MOVED.search(body)):
            was.setdefault(message.integer("res_id"), moved[2])
            at[message.integer("res_id")] = moved[1]
    back = 0
    for id in sorted(was):
        order = database.browse("mrp.production", id) if database.exists("mrp.production", id) else None
        if order is not None and order.text("state") in _OPEN and order.text("date_start") == at[id]:
            back += back < MOST_PLANNED and _plan_again(order, was[id], p, key)
    return back


KINDS: Final[dict[str, Effect]] = {"block": _block, "unblock": _unblock}
