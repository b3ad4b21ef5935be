"""The bridge's own times of one work order: when it ran, and when it rested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.look_first.time.stop import EVER, MARK, Part, free, is_ours, until

PAUSED: Final = "paused by "
"""So begins the description of a time that a pause ended at the machine's moment; Odoo's own end others now."""


async def times_of(one: Attempt, step: int) -> list[Row]:
    """All times of the work order, people's too, the earliest first."""
    fields = ["user_id", "description", "date_start", "date_end"]
    return await one.steps.search(TIMES, [["workorder_id", "=", step]], fields, order="date_start, id")


def own(one: Attempt, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if is_ours(one, row)]


def is_pause(row: Row) -> bool:
    return str(row["description"] or "").startswith(PAUSED)


def running(one: Attempt, rows: Sequence[Row]) -> list[int]:
    """The bridge's clock, where it runs."""
    return [row["id"] for row in own(one, rows) if not row["date_end"]]


def rested_since(one: Attempt, rows: Sequence[Row]) -> str:
    """The end of the bridge's last time where a pause ended it, whatever began since; "" where none did."""
    return max((row["date_end"] for row in own(one, rows) if is_pause(row)), default="")


def ran(one: Attempt, rows: Sequence[Row], start: str, end: str) -> list[Part]:
    """From start to end, less the pauses between the bridge's own times."""
    parts: list[Part] = []
    at, paused = start, False
    for row in own(one, rows):
        if is_pause(row):
            if parts or paused:
                at = max(at, row["date_start"])
            paused = True
            if at < (stop := min(row["date_end"], end)):
                parts.append((at, stop, ""))
            at = max(at, row["date_end"])
        elif paused:
            at, paused = max(at, row["date_start"]), False
            if at < end:
                parts.append((at, end, ""))
                at = end
    return parts if parts or paused else [(start, end, "")]


async def less_stops(one: Attempt, parts: Sequence[Part], center: int, step: int) -> list[Part]:
    """What of the parts neither stops of the work center nor people's times of the work order take."""
    if not parts:
        return []
    begin, end = parts[0][0], parts[-1][1]
    domain = [["workcenter_id", "=", center], ["date_start", "<", end], "|", ["date_end", "=", False]]
    fields = ["user_id", "workorder_id", "date_start", "date_end"]
    rows = await one.steps.search(TIMES, [*domain, ["date_end", ">", begin]], fields, order="date_start, id")
    taken: list[tuple[str, str]] = []
    for row in rows:
        by_person = row["workorder_id"] and row["workorder_id"][0] == step and row["date_end"] and not is_ours(one, row)
        if not row["workorder_id"] or by_person:
            taken.append((row["date_start"], until(row)))
    return free(parts, taken)


async def set_stops_aside(one: Attempt, center: int) -> list[int]:
    """Odoo starts nothing on a work center that stands still: end the bridge's own stops that last, for a moment.

    An earlier attempt may have got no further: those are among the answer too.
    """
    domain = [["workcenter_id", "=", center], ["user_id", "=", one.steps.user], ["workorder_id", "=", False]]
    fields = ["date_start", "date_end"]
    rows = await one.steps.search(TIMES, [*domain, ["description", "like", MARK]], fields)
    mine = [row for row in rows if until(row) in (EVER, row["date_start"])]
    for row in mine:
        if not row["date_end"]:
            await one.steps.write(TIMES, [row["id"]], {"date_end": row["date_start"]})
    return [row["id"] for row in mine]


async def let_stops_last(one: Attempt, stops: Sequence[int]) -> None:
    if stops:
        await one.steps.write(TIMES, stops, {"date_end": False})
