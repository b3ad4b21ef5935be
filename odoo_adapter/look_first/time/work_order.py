"""Start and finish of work orders, with the machine's times. What a person did is left as it is.

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
from odoo_adapter.look_first.time.loss import TIMES, loss_reason, time_row
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
    user: int

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def state(self) -> str:
        return str(self.row["state"])


async def apply_start(one: Attempt) -> Outcome:
    step = await _read(one)
    _check_open(step)
    ours = one.job.uncertain and await _is_begun_by_us(one, step)
    already = step.state in ("progress", "done") and not ours
    if not already and step.state != "done":
        await _begin(one.steps, step, one.text("at"))
        step = await _read(one)
        if step.state not in ("progress", "done"):
            raise Refused("verify_wo", f"{step.row['name']} is {step.state} after it was started")
    return one.applied(_started(step, already=already, repeated=ours))


async def find_start(one: Attempt) -> Receipt | None:
    step = await _read(one)
    ours = step.state in ("progress", "done") and step.row["date_start"] == one.text("at")
    return _started(step, already=False, repeated=True) if ours else None


async def apply_finish(one: Attempt) -> Outcome:
    step = await _read(one)
    _check_open(step)
    rows = await _times(one.steps, step)
    recorded = any(row["description"] == one.key for row in rows)
    if step.state == "done" and not recorded and not (one.job.uncertain and await _is_half_done(one, step, rows)):
        return await _finish_late(one, step, rows)
    if step.state not in ("progress", "done"):
        await _begin(one.steps, step, one.text("start") or one.text("at"))
        step = replace(await _read(one), counted=step.counted)
    if step.state != "done":
        await one.steps.act(MODEL, "button_finish", [step.id])
    await _count_as_before(one.steps, step)
    done = await _read(one)
    if done.state != "done":
        raise Refused("verify_wo", f"{done.row['name']} is {done.state} after it was finished")
    start = one.text("start") or step.row["date_start"]
    await _record_times(one, done, start)
    if done.order.state != "done":
        await _write_dates(one, done, start)
    return one.applied(_finished(await _read(one), already=False, repeated=recorded))


async def find_finish(one: Attempt) -> Receipt | None:
    step = await _read(one)
    recorded = any(row["description"] == one.key for row in await _times(one.steps, step))
    return _finished(step, already=False, repeated=True) if recorded and step.state == "done" else None


async def _finish_late(one: Attempt, step: _Step, rows: Sequence[Row]) -> Outcome:
    """It was done before. Where nobody recorded a time but Odoo, the machine's takes the place of the expected one."""
    if one.p.get("start") and not await _is_recorded(one.steps, step, rows):
        await _record_times(one, step, one.text("start"))
    return one.applied(_finished(await _read(one), already=True))


async def _is_recorded(steps: Steps, step: _Step, rows: Sequence[Row]) -> bool:
    """Whether a person's time is on the work order, or a machine's by an earlier transaction."""
    if not all(_is_ours(row, step) for row in rows):
        return True
    named = await steps.external_ids(TIMES, [row["id"] for row in rows])
    return any(name.startswith(f"{EXTERNAL}.") for name in named.values())


async def _is_half_done(one: Attempt, step: _Step, rows: Sequence[Row]) -> bool:
    """Whether an attempt of ours finished it and got no further: only our own clock ran, and the order goes on."""
    return step.order.state != "done" and bool(rows) and not await _is_recorded(one.steps, step, rows)


async def _is_begun_by_us(one: Attempt, step: _Step) -> bool:
    """Whether an attempt of ours started it, perhaps without coming to the machine's time."""
    if step.state not in ("progress", "done"):
        return False
    if step.row["date_start"] == one.text("at"):
        return True
    rows = await _times(one.steps, step)
    return any(_is_ours(row, step) and not row["date_end"] for row in rows)


async def _begin(steps: Steps, step: _Step, at: str) -> None:
    """Start, count as before, and let the clock begin at the machine's time. Repeatable."""
    if step.state != "progress":
        await steps.act(MODEL, "button_start", [step.id])
    await _count_as_before(steps, step)
    running = [row["id"] for row in await _times(steps, step) if _is_ours(row, step) and not row["date_end"]]
    if running:
        await steps.write(TIMES, running, {"date_start": at})
    await steps.write(MODEL, [step.id], {"date_start": at}, _AS_GIVEN)


async def _count_as_before(steps: Steps, step: _Step) -> None:
    if step.order.state not in ("done", "cancel"):
        await write_counted(steps, step.order.id, step.counted)


async def _record_times(one: Attempt, step: _Step, start: str) -> None:
    """Productive time of the bridge's own: from start to end, less the stops recorded in between."""
    steps, end = one.steps, one.text("at")
    rows = await _times(steps, step)
    if not any(row["description"] == one.key for row in rows):
        center, productive = step.row["workcenter_id"][0], await loss_reason(steps, "productive")
        parts = await _running(steps, center, start, end)
        made = [time_row(center, productive, *part, one.key) | {"workorder_id/.id": str(step.id)} for part in parts]
        if made:
            await steps.load(TIMES, one.key, made)
    if old := [row["id"] for row in rows if _is_ours(row, step) and row["description"] != one.key]:
        await steps.act(TIMES, "unlink", old)


def _is_ours(row: Row, step: _Step) -> bool:
    return bool(row["user_id"]) and row["user_id"][0] == step.user


async def _running(steps: Steps, center: int, begin: str, end: str) -> list[tuple[str, str]]:
    """The parts of the interval in which no stop of the work center is recorded."""
    stops = await steps.search(
        TIMES,
        [
            ["workcenter_id", "=", center],
            ["loss_type", "!=", "productive"],
            ["workorder_id", "=", False],
            ["date_start", "<", end],
            ["date_end", ">", begin],
        ],
        ["date_start", "date_end"],
        order="date_start",
    )
    parts: list[tuple[str, str]] = []
    at = begin
    for stop in stops:
        if stop["date_start"] > at:
            parts.append((at, stop["date_start"]))
        at = max(at, stop["date_end"])
    if at < end or begin > end:
        parts.append((at, end))
    return parts


async def _write_dates(one: Attempt, step: _Step, start: str) -> None:
    """In two writes: one that holds both computes the end anew (17 to 19)."""
    for name, at in (("date_start", start), ("date_finished", one.text("at"))):
        await one.steps.write(MODEL, [step.id], {name: at}, _AS_GIVEN)


async def _times(steps: Steps, step: _Step) -> list[Row]:
    fields = ["user_id", "description", "date_start", "date_end"]
    return await steps.search(TIMES, [["workorder_id", "=", step.id]], fields)


async def _read(one: Attempt) -> _Step:
    reference = one.text("wo")
    row = await one.steps.one(MODEL, int(reference[3:]), _FIELDS)
    if row is None:
        raise Refused("missing", f"work order {reference}")
    order = await read_order(one.steps, f"mo-{row['production_id'][0]}")
    return _Step(row=row, order=order, counted=_counted(one, order), user=one.steps.user)


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
