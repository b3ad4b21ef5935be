"""Time rows of a work center that stands still: which of its time is free, and the row of a stop that lasts.

Odoo adds overlapping rows up, so no two of a work center may: a new stop takes what no other one has, and what people
recorded on work orders. The row of a stop that lasts names it in a line of its description, with the reason that it was
opened with, so that it is found again and a person's own reason is known from ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.time.loss import TIMES

EVER: Final = "9999-12-31 00:00:00"
MARK: Final = " stopped at "
Part: TypeAlias = tuple[str, str, str]
"""From, to, and the shift."""

_FIELDS: Final = ["workcenter_id", "date_start", "date_end", "user_id", "workorder_id", "loss_id", "description"]


def free(parts: Sequence[Part], taken: Sequence[tuple[str, str]]) -> list[Part]:
    """What of the parts no interval of `taken`, in order of their starts, takes."""
    left: list[Part] = []
    for begin, end, shift in parts:
        at = begin
        for start, stop in taken:
            if start < end and stop > at:
                if start > at:
                    left.append((at, start, shift))
                at = max(at, stop)
        if at < end:
            left.append((at, end, shift))
    return left


def until(row: Row) -> str:
    return str(row["date_end"] or EVER)


def names_key(row: Row, key: str) -> bool:
    """Whether a line of the row's description ends with this key."""
    return f"[{key}]\n" in f"{row['description'] or ''}\n"


async def center_of(one: Attempt) -> Row:
    """The work center of the posting."""
    code, fields = one.text("wc"), ["resource_id", "resource_calendar_id"]
    return await one.steps.only("mrp.workcenter", [["code", "=", code]], fields, f"work center {code}")


async def overlapping(one: Attempt, center: int, start: str, end: str) -> list[Row]:
    """All rows of the work center that lie at least in part between the two."""
    domain = [["workcenter_id", "=", center], ["date_start", "<", end], "|", ["date_end", "=", False]]
    return await one.steps.search(TIMES, [*domain, ["date_end", ">", start]], _FIELDS, order="date_start, id")


def taken_by(one: Attempt, rows: Sequence[Row], but: Row | None) -> list[tuple[str, str]]:
    """Times that a stop may not have again; a clock that runs is none, nor what this posting made already."""
    taken: list[tuple[str, str]] = []
    for row in rows:
        people = row["date_end"] and not is_ours(one, row)
        if (not row["workorder_id"] or people) and not names_key(row, one.key) and row["id"] != (but or {}).get("id"):
            taken.append((row["date_start"], until(row)))
    return taken


def is_ours(one: Attempt, row: Row) -> bool:
    return bool(row["user_id"]) and row["user_id"][0] == one.steps.user


async def lasting(one: Attempt, center: int) -> tuple[Row | None, str]:
    """The bridge's row of this stop, open or ended since, and the reason that it was opened with."""
    mark = one.text("mark")
    domain = [["workcenter_id", "=", center], ["description", "like", mark.replace("\\", "\\\\")]]
    for row in await one.steps.search(TIMES, domain, _FIELDS, order="id desc"):
        for line in row["description"].split("\n"):
            if line.startswith(f"{mark}: "):
                return row, line.removeprefix(f"{mark}: ")
    return None, ""


def told(one: Attempt, pieces: Sequence[Part], place: int) -> str:
    """The description of one piece of the stop."""
    words = [one.text("text")]
    if pieces[place][2]:
        words.append(f"shift {pieces[place][2]}")
    if len(pieces) > 1:
        words.append(f"part {place + 1} of {len(pieces)}")
    return f"{', '.join(words)} [{one.key}]".strip(" ,")


async def make_room(one: Attempt, rows: Sequence[Row], pieces: Sequence[Part]) -> None:
    """The bridge's own run times give way to a stop that is told late. Repeatable."""
    stops = [(begin, end) for begin, end, _ in pieces]
    for row in rows:
        if not (row["workorder_id"] and row["date_end"] and is_ours(one, row)):
            continue
        run = (row["date_start"], row["date_end"], "")
        left = free([run], stops)
        if left == [run]:
            continue
        if left[1:]:
            await one.steps.load(TIMES, f"{one.key}/{row['id']}", [_copied(row, part) for part in left[1:]])
        begin, end, _ = left[0] if left else (run[0], run[0], "")
        await one.steps.write(TIMES, [row["id"]], {"date_start": begin, "date_end": end})


def _copied(row: Row, part: Part) -> dict[str, str]:
    center = str(row["workcenter_id"][0])
    links = {"workcenter_id/.id": center, "workorder_id/.id": str(row["workorder_id"][0])}
    said = {"loss_id/.id": str(row["loss_id"][0]), "description": str(row["description"] or "")}
    return {**links, **said, "date_start": part[0], "date_end": part[1]}
