"""Start, pause and finish of work orders, with the machine's times. What a person did is left as it is.

Odoo's own button fills in the order's whole quantity where none was counted yet; the quantity is written back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.order import Order, read_order, write_counted
from odoo_adapter.look_first.steps import EXTERNAL, Row, Steps
from odoo_adapter.look_first.time.clock import (
    PAUSED,
    is_pause,
    less_stops,
    let_stops_last,
    own,
    ran,
    rested_since,
    running,
    set_stops_aside,
    times_of,
)
from odoo_adapter.look_first.time.loss import TIMES, loss_reason
from odoo_adapter.look_first.time.stop import Part, is_ours
from odoo_adapter.odoo import Outcome, Receipt

MODEL: Final = "mrp.workorder"
_FIELDS: Final = ["name", "state", "production_id", "workcenter_id", "date_start", "date_finished", "duration"]
_AS_GIVEN: Final = {"bypass_duration_calculation": True}
"""Without it Odoo computes the end anew when the start is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A work order with its order. `counted` is the order's quantity as it must be when we are through."""

    row: Row
    order: Order
    counted: Decimal

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def state(self) -> str:
        return str(self.row["state"])


async def apply_start(one: Attempt) -> Outcome:
    step = await _read(one)
    _check_open(step)
    rows = await times_of(one, step.id)
    if step.state == "progress" and (rested := rested_since(one, rows)):
        return one.applied(await _resume(one, step, rows, max(one.text("at"), rested)))
    ours = one.job.uncertain and _is_begun_by_us(one, step, rows)
    already = step.state in ("progress", "done") and not ours
    if not already and step.state != "done":
        await _begin(one, step, one.text("at"))
        step = await _read(one)
        if step.state not in ("progress", "done"):
            raise Refused("verify_wo", f"{step.row['name']} is {step.state} after it was started")
    return one.applied(_started(step, already=already, repeated=ours))


async def _resume(one: Attempt, step: _Step, rows: Sequence[Row], at: str) -> Receipt:
    """Go on after a pause: a time of its own, from the machine's moment on."""
    clock = running(one, rows)
    repeated = any(row["date_start"] == at for row in own(one, rows) if not is_pause(row))
    if clock and not one.job.uncertain:
        return _started(step, already=not repeated, repeated=repeated)
    await _press_start(one, step, at, pressed=bool(clock))
    return _started(step, already=False, repeated=repeated)


async def find_start(one: Attempt) -> Receipt | None:
    step = await _read(one)
    begun = step.row["date_start"] == one.text("at")
    if not begun and step.state == "progress":
        rows = await times_of(one, step.id)
        at = max(one.text("at"), rested_since(one, rows))
        begun = any(row["date_start"] == at for row in own(one, rows) if not is_pause(row))
    ours = step.state in ("progress", "done") and begun
    return _started(step, already=False, repeated=True) if ours else None


async def apply_pause(one: Attempt) -> Outcome:
    if found := await find_pause(one):
        return one.applied(found)
    step, at = await _read(one), one.text("at")
    _check_open(step)
    if step.state not in ("progress", "done"):
        raise Refused("wo_state", f"{step.row['name']} is {step.state}: it was not started")
    rows = await times_of(one, step.id)
    clock = running(one, rows) if step.state == "progress" else []
    if late := [row["date_start"] for row in rows if row["id"] in clock and row["date_start"] > at]:
        raise Refused("bad_interval", f"paused at {at}, before it started at {late[0]}")
    if clock:
        await one.steps.write(TIMES, clock, {"date_end": at, "description": f"{PAUSED}{one.key}"})
    return one.applied(_started(step, already=not clock, repeated=False))


async def find_pause(one: Attempt) -> Receipt | None:
    step = await _read(one)
    rows = own(one, await times_of(one, step.id))
    ended = any(row["description"] == f"{PAUSED}{one.key}" for row in rows)
    return _started(step, already=False, repeated=True) if ended else None


async def apply_finish(one: Attempt) -> Outcome:
    step = await _read(one)
    _check_open(step)
    rows = await times_of(one, step.id)
    recorded = any(row["description"] == one.key for row in rows)
    if step.state == "done" and not recorded and not (one.job.uncertain and await _is_half_done(one, step, rows)):
        return await _finish_late(one, step, rows)
    if step.state not in ("progress", "done"):
        await _begin(one, step, one.text("start") or one.text("at"))
        rows = await times_of(one, step.id)
        step = replace(await _read(one), counted=step.counted)
    if step.state != "done":
        await one.steps.act(MODEL, "button_finish", [step.id])
    await _count_as_before(one.steps, step)
    done = await _read(one)
    if done.state != "done":
        raise Refused("verify_wo", f"{done.row['name']} is {done.state} after it was finished")
    start = one.text("start") or step.row["date_start"]
    await _record_times(one, done, ran(one, rows, start, one.text("at")))
    if done.order.state != "done":
        await _write_dates(one, done, start)
    return one.applied(_finished(await _read(one), already=False, repeated=recorded))


async def find_finish(one: Attempt) -> Receipt | None:
    step = await _read(one)
    recorded = any(row["description"] == one.key for row in await times_of(one, step.id))
    return _finished(step, already=False, repeated=True) if recorded and step.state == "done" else None


async def _finish_late(one: Attempt, step: _Step, rows: Sequence[Row]) -> Outcome:
    """It was done before. Where nobody recorded a time but Odoo, the machine's takes the place of the expected one."""
    if one.p.get("start") and not await _is_recorded(one, rows):
        await _record_times(one, step, ran(one, rows, one.text("start"), one.text("at")))
    return one.applied(_finished(await _read(one), already=True))


async def _is_recorded(one: Attempt, rows: Sequence[Row]) -> bool:
    """Whether a person's time is on the work order, or a machine's by an earlier transaction.

    A stop that cut our own clock in two made the second part of it, which says what the first does.
    """
    if not all(is_ours(one, row) for row in rows):
        return True
    named = await one.steps.external_ids(TIMES, [row["id"] for row in rows])
    made = {id for id, name in named.items() if name.startswith(f"{EXTERNAL}.")}
    clock = {row["description"] for row in rows if row["id"] not in made}
    return any(row["id"] in made and row["description"] not in clock for row in rows)


async def _is_half_done(one: Attempt, step: _Step, rows: Sequence[Row]) -> bool:
    """Whether an attempt of ours finished it and got no further: only our own clock ran, and the order goes on."""
    return step.order.state != "done" and bool(rows) and not await _is_recorded(one, rows)


def _is_begun_by_us(one: Attempt, step: _Step, rows: Sequence[Row]) -> bool:
    """Whether an attempt of ours started it, perhaps without coming to the machine's time."""
    if step.state not in ("progress", "done"):
        return False
    return bool(step.row["date_start"] == one.text("at") or running(one, rows))


async def _begin(one: Attempt, step: _Step, at: str) -> None:
    """Start, count as before, and let the clock begin at the machine's time. Repeatable."""
    await _press_start(one, step, at, pressed=step.state == "progress")
    await one.steps.write(MODEL, [step.id], {"date_start": at}, _AS_GIVEN)


async def _press_start(one: Attempt, step: _Step, at: str, *, pressed: bool) -> None:
    if not pressed or one.job.uncertain:
        stops = await set_stops_aside(one, step.row["workcenter_id"][0])
        if not pressed:
            await one.steps.act(MODEL, "button_start", [step.id])
        await let_stops_last(one, stops)
    await _count_as_before(one.steps, step)
    if clock := running(one, await times_of(one, step.id)):
        await one.steps.write(TIMES, clock, {"date_start": at})


async def _count_as_before(steps: Steps, step: _Step) -> None:
    if step.order.state not in ("done", "cancel"):
        await write_counted(steps, step.order.id, step.counted)


async def _record_times(one: Attempt, step: _Step, parts: Sequence[Part]) -> None:
    """Productive time of the bridge's own: these parts, less the stops recorded in between."""
    if any(begin > end for begin, end, _ in parts):
        raise Refused("bad_interval", f"{parts[0][0]} to {parts[0][1]}")
    steps, rows = one.steps, await times_of(one, step.id)
    if not any(row["description"] == one.key for row in rows):
        center, productive = step.row["workcenter_id"][0], await loss_reason(steps, "productive")
        links = {"workcenter_id/.id": str(center), "workorder_id/.id": str(step.id), "loss_id/.id": str(productive)}
        left = await less_stops(one, parts, center, step.id)
        if made := [{**links, "date_start": begin, "date_end": end, "description": one.key} for begin, end, _ in left]:
            await steps.load(TIMES, one.key, made)
    now = await times_of(one, step.id)  # with what a stop made of our clock meanwhile
    if old := [row["id"] for row in own(one, now) if row["description"] != one.key]:
        await steps.act(TIMES, "unlink", old)


async def _write_dates(one: Attempt, step: _Step, start: str) -> None:
    """In two writes: one that holds both computes the end anew (17 to 19)."""
    for name, at in (("date_start", start), ("date_finished", one.text("at"))):
        await one.steps.write(MODEL, [step.id], {name: at}, _AS_GIVEN)


async def _read(one: Attempt) -> _Step:
    reference = one.text("wo")
    row = await one.steps.one(MODEL, int(reference[3:]), _FIELDS)
    if row is None:
        raise Refused("missing", f"work order {reference}")
    order = await read_order(one.steps, f"mo-{row['production_id'][0]}")
    return _Step(row=row, order=order, counted=_counted(one, order))


def _counted(one: Attempt, order: Order) -> Decimal:
    """The quantity before Odoo filled in the whole one, which it does where nothing was counted. After an uncertain
    attempt only the bridge remembers that."""
    if one.job.uncertain and order.counted == order.wanted and not one.job.standing.quantity:
        return Decimal(0)
    return order.counted


def _check_open(step: _Step) -> None:
    if step.state != "done":
        step.order.check_open()
    if step.state == "cancel":
        raise Refused("wo_state", f"{step.row['name']} is cancel")


def _started(step: _Step, *, already: bool, repeated: bool) -> Receipt:
    return receipt(MODEL, step.id, repeated=repeated, state=step.state, already=already)


def _finished(step: _Step, *, already: bool, repeated: bool = False) -> Receipt:
    minutes = round(float(step.row["duration"]), 2)
    return receipt(MODEL, step.id, repeated=repeated, state=step.state, already=already, minutes=minutes)
