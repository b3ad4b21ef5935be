"""Odoo's planning: work orders in the working hours of their work centers, behind absences and one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Final, TypeAlias

from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Call, Method, Row
from ruleset.sample import Plain

LEAVES: Final = "resource.calendar.leaves"
SEARCHED_DAYS: Final = 700
"""Behind that Odoo finds no place for a work order."""
_HOURS: Final = ((time(8), time(12)), (time(13), time(17)))
"""Of Monday to Friday in the standard calendar, in UTC."""
_OPEN: Final = ("blocked", "ready")
Span: TypeAlias = "tuple[datetime, datetime]"


def plan(order: Record) -> None:
    """Give every open work order its time, the first from the order's start on, each behind the one before."""
    start = max(_moment(order.text("date_start")), _moment(order.database.now()))
    for step in order.links("workorder_ids"):
        if step.text("state") in _OPEN:
            _place(step, start)
        start = max(start, _moment(step.text("date_finished")) if step.text("date_finished") else start)


def _place(step: Record, start: datetime) -> None:
    database, center = step.database, step.link("workcenter_id")
    old = step.maybe("leave_id")
    if old is not None:
        database.unlink(old)
    begin, end = _first_free(center, start, timedelta(minutes=max(step.number("duration_expected"), 1 / 60)))
    values: Row = {
        "name": step.text("display_name"),
        "calendar_id": center.get("resource_calendar_id"),
        "resource_id": center.get("resource_id"),
        "date_from": str(begin),
        "date_to": str(end),
        "time_type": "other",
    }
    step.write(leave_id=database.create(LEAVES, values).id, date_start=str(begin), date_finished=str(end))


def _first_free(center: Record, start: datetime, lasts: timedelta) -> Span:
    """The first time that is long enough in working hours without absence, and disjoint with other work."""
    of_it = center.database.find(LEAVES, "resource_id", center.link("resource_id").id)
    absent = [_span(leave) for leave in of_it if leave.text("time_type") == "leave"]
    busy = sorted(_span(leave) for leave in of_it if leave.text("time_type") == "other")
    while True:
        begin, end = _worked(start, lasts, absent)
        conflict = next((other for other in busy if other[0] < end and other[1] > begin), None)
        if conflict is None:
            return begin, end
        start = conflict[1]


def _worked(start: datetime, lasts: timedelta, absent: Sequence[Span]) -> Span:
    begin, left = None, lasts
    for opens, closes in _available(start, absent):
        begin = begin or opens
        if closes - opens >= left:
            return begin, opens + left
        left -= closes - opens
    raise user_error("Impossible to plan the workorder. Please check the workcenter availabilities.")


def _available(start: datetime, absent: Sequence[Span]) -> Iterator[Span]:
    """Working hours from then on, without the absences."""
    for day in range(SEARCHED_DAYS):
        date = (start + timedelta(days=day)).date()
        for opens, closes in _HOURS if date.weekday() < 5 else ():
            at, end = max(start, datetime.combine(date, opens)), datetime.combine(date, closes)
            for begin, stop in sorted(absent):
                if begin < end and stop > at:
                    if begin > at:
                        yield at, begin
                    at = max(at, stop)
            if at < end:
                yield at, end


def _span(leave: Record) -> Span:
    return _moment(leave.text("date_from")), _moment(leave.text("date_to"))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _run_plan(database: Database, records: list[Record], call: Call) -> Plain:
    for order in records:
        if not order.flag("is_planned"):
            plan(order)
    return True


def _run_unplan(database: Database, records: list[Record], call: Call) -> Plain:
    for order in records:
        steps = order.links("workorder_ids")
        if any(step.text("state") in ("progress", "done") for step in steps):
            raise user_error("Some work orders have already started, so you cannot unplan this manufacturing order.")
        for step in steps:
            if (leave := step.maybe("leave_id")) is not None:
                database.unlink(leave)
            step.write(date_start=None, date_finished=None)
    return None


def _run_replan(database: Database, records: list[Record], call: Call) -> Plain:
    for order in {step.link("production_id").id: step.link("production_id") for step in records}.values():
        plan(order)
    return True


def prepare_leave(database: Database, row: Row) -> None:
    if str(row.get("date_from")) > str(row.get("date_to")):
        raise user_error("The start date of the time off must be earlier than the end date.")


PLAN: Final = Method(run=_run_plan)
UNPLAN: Final = Method(run=_run_unplan)
REPLAN: Final = Method(run=_run_replan)
