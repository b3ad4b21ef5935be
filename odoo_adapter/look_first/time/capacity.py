"""Work centers that cannot run: an absence in Odoo's calendar keeps planning away, and planned work moves behind it.

Planning is Odoo's own. What it cannot plan stays as it was. A note on each order says from when it was moved, so that
the end of the block brings back what still stands where it was moved to, and nothing that a person planned since.
"""

from __future__ import annotations

import re
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.note import flat_body, leave_note
from odoo_adapter.look_first.order import MODEL as ORDER
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.time.downtime import close_stop, open_stop
from odoo_adapter.look_first.time.stop import center_of, lasting
from odoo_adapter.look_first.time.work_order import MODEL as WORK_ORDER
from odoo_adapter.odoo import Outcome, Receipt

LEAVES: Final = "resource.calendar.leaves"
MOST_PLANNED: Final = 50
"""Orders that one posting plans anew: Odoo takes about 0.1 s for each."""
_TO_PLAN: Final = ["pending", "waiting", "blocked", "ready"]
_OPEN: Final = ("confirmed", "progress")
_MOVED: Final = re.compile(r"planned from (\S+ \S+) instead of (\S+ \S+),")


async def apply_block(one: Attempt) -> Outcome:
    center, (start, until) = await center_of(one), (one.text("start"), one.text("until"))
    if not start < until:
        raise Refused("bad_interval", f"{start} to {until}")
    leave = await _leave(one, center)
    repeated = leave is not None and f"[{one.key}]" in leave["name"]
    await open_stop(one)
    name = f"{one.text('text')} {one.text('mark')} [{one.key}]".strip()
    if leave is None:
        row = {"name": name, "date_from": start, "date_to": until, "time_type": "leave"}
        links = {"resource_id/.id": str(center["resource_id"][0])}
        if center["resource_calendar_id"]:
            links["calendar_id/.id"] = str(center["resource_calendar_id"][0])
        await one.steps.load(LEAVES, f"{one.key}/leave", [row | links])
    elif not repeated:
        await one.steps.write(LEAVES, [leave["id"]], {"name": name, "date_to": max(until, leave["date_to"])})
    leave = await _leave(one, center)
    assert leave is not None
    for order in (await _in_the_way(one, center, leave))[:MOST_PLANNED]:
        await _plan_again(one, order, await _planned(one, order))
    return one.applied(await _blocked(one, center, leave, repeated=repeated))


async def find_block(one: Attempt) -> Receipt | None:
    center = await center_of(one)
    leave = await _leave(one, center)
    if leave is None or f"[{one.key}]" not in leave["name"] or await _in_the_way(one, center, leave):
        return None
    return await _blocked(one, center, leave, repeated=True)


async def apply_unblock(one: Attempt) -> Outcome:
    center, end = await center_of(one), one.text("end")
    leave = await _leave(one, center)
    if (await lasting(one, center["id"]))[0] is not None:
        await close_stop(one, center, None)
    if leave is None:
        return one.applied(receipt("mrp.workcenter", center["id"], already=True))
    repeated = f"[{one.key}]" in leave["name"]
    if not repeated:
        values = {"name": f"{leave['name']}, ended [{one.key}]"}
        if end < leave["date_to"]:
            values["date_to"] = max(end, leave["date_from"])
        await one.steps.write(LEAVES, [leave["id"]], values)
    for order, start, stood in (await _to_bring_back(one))[:MOST_PLANNED]:
        await _plan_again(one, order, stood, start)
    return one.applied(receipt(LEAVES, leave["id"], repeated=repeated, moved=await _count_moved(one)))


async def find_unblock(one: Attempt) -> Receipt | None:
    leave = await _leave(one, await center_of(one))
    if leave is None or f"[{one.key}]" not in leave["name"]:
        return None
    return receipt(LEAVES, leave["id"], repeated=True, moved=await _count_moved(one))


async def _leave(one: Attempt, center: Row) -> Row | None:
    """The absence of this stop."""
    mark = one.text("mark")
    domain = [["resource_id", "=", center["resource_id"][0]], ["name", "like", mark.replace("\\", "\\\\")]]
    found = await one.steps.search(LEAVES, domain, ["name", "date_from", "date_to"])
    return next((row for row in found if f"{mark} [" in row["name"]), None)


async def _blocked(one: Attempt, center: Row, leave: Row, *, repeated: bool) -> Receipt:
    left = len(await _in_the_way(one, center, leave))
    return receipt(LEAVES, leave["id"], repeated=repeated, moved=await _count_moved(one), left=left)


async def _in_the_way(one: Attempt, center: Row, leave: Row) -> list[int]:
    """Orders with a step that is planned on the work center in its absence, the earliest first."""
    domain = [
        ["workcenter_id", "=", center["id"]],
        ["state", "in", _TO_PLAN],
        ["date_start", "<", leave["date_to"]],
        ["date_finished", ">", leave["date_from"]],
        ["production_state", "in", list(_OPEN)],
    ]
    steps = await one.steps.search(WORK_ORDER, domain, ["production_id"], order="date_start, id")
    return list(dict.fromkeys(step["production_id"][0] for step in steps))


async def _plan_again(one: Attempt, order: int, was: str, start: str | None = None) -> None:
    """Let Odoo plan the order's steps anew, from `start` on where it is given. It was planned from `was` on."""
    (step, *_) = await one.steps.search(WORK_ORDER, [["production_id", "=", order]], ["state"])
    force = {"force_date": True}
    if start is not None:
        await one.steps.write(ORDER, [order], {"date_start": start}, force)
    try:
        await one.steps.act(WORK_ORDER, "action_replan", [step["id"]])
    except Refused:
        if start is not None:
            await one.steps.write(ORDER, [order], {"date_start": was}, force)
        return
    now = await _planned(one, order)
    if now != was:
        said = f"UNS bridge: planned from {now} instead of {was}, {one.text('mark')} [{one.key}]"
        await leave_note(one.steps, order, said)


async def _planned(one: Attempt, order: int) -> str:
    row = await one.steps.one(ORDER, order, ["date_start"])
    return str(row["date_start"]) if row else ""


async def _moves(one: Attempt) -> list[tuple[int, str]]:
    """The notes on orders about this stop, the oldest first."""
    domain = [["model", "=", ORDER], ["body", "like", f"{one.text('mark')} [".replace("\\", "\\\\")]]
    rows = await one.steps.search("mail.message", domain, ["res_id", "body"])
    return [(row["res_id"], flat_body(row["body"])) for row in rows]


async def _count_moved(one: Attempt) -> int:
    return len({order for order, body in await _moves(one) if body.endswith(f"[{one.key}]")})


async def _to_bring_back(one: Attempt) -> list[tuple[int, str, str]]:
    """Orders that were moved for this stop and stand where they were moved to, with where they stood before and stand.

    After a lost answer they may also stand where they are to begin, and their steps not yet.
    """
    was: dict[int, str] = {}
    at: dict[int, str] = {}
    for order, body in await _moves(one):
        if (moved := _MOVED.search(body)) and not body.endswith(f"[{one.key}]"):
            was.setdefault(order, moved[2])
            at[order] = moved[1]
    rows = await one.steps.read(ORDER, was, ["state", "date_start"])
    return [
        (row["id"], was[row["id"]], at[row["id"]])
        for row in rows
        if row["state"] in _OPEN
        and (row["date_start"] == at[row["id"]] or (one.job.uncertain and row["date_start"] == was[row["id"]]))
    ]
