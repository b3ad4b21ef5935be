"""Stops of work centers: opened while they last, closed with their loss, or recorded when they are over."""

from __future__ import annotations

from collections.abc import Sequence

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.record import described
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.time.loss import TIMES, Reason, reason_of
from odoo_adapter.look_first.time.stop import (
    EVER,
    Part,
    center_of,
    free,
    lasting,
    make_room,
    names_key,
    overlapping,
    taken_by,
    told,
)
from odoo_adapter.odoo import Outcome, Receipt


async def apply_downtime(one: Attempt) -> Outcome:
    if found := await find_downtime(one):
        return one.applied(found)
    if not one.text("start") < one.text("end"):
        raise Refused("bad_interval", f"{one.text('start')} to {one.text('end')}")
    reason = await reason_of(one)
    return one.applied(await close_stop(one, await center_of(one), reason))


async def find_downtime(one: Attempt) -> Receipt | None:
    """It stands once a row names the key, and the row of the stop, where there is one, has ended."""
    center = await center_of(one)
    row, _ = await lasting(one, center["id"])
    if row is not None:
        return receipt(TIMES, row["id"], repeated=True) if row["date_end"] and names_key(row, one.key) else None
    rows = await described(one.steps, TIMES, one.key)
    named = sorted(id for id, text in rows if names_key({"description": text}, one.key))
    return receipt(TIMES, named[0], repeated=True) if named else None


async def apply_open(one: Attempt) -> Outcome:
    if found := await find_open(one):
        return one.applied(found)
    row, center = await open_stop(one), await center_of(one)
    if row is not None:
        return one.applied(receipt(TIMES, row))
    covering = await overlapping(one, center["id"], one.text("start"), EVER)
    return one.applied(receipt(TIMES, covering[-1]["id"], covered=True))


async def find_open(one: Attempt) -> Receipt | None:
    row, _ = await lasting(one, (await center_of(one))["id"])
    return receipt(TIMES, row["id"], repeated=True) if row is not None and names_key(row, one.key) else None


async def open_stop(one: Attempt) -> int | None:
    """The row of the stop, made where it is not there; None where another one that is open covers it."""
    center = await center_of(one)
    row, _ = await lasting(one, center["id"])
    if row is not None:
        return int(row["id"])
    start, reason = one.text("start"), await reason_of(one)
    taken = taken_by(one, await overlapping(one, center["id"], start, EVER), None)
    pieces = free([(start, EVER, "")], taken)
    if not pieces or pieces[-1][1] != EVER:
        return None
    made = _rows(one, center["id"], reason.id, pieces)
    made[-1] |= {"date_end": "", "description": f"{made[-1]['description']}\n{one.text('mark')}: {reason.name}"}
    return (await one.steps.load(TIMES, one.key, made))[-1]


async def close_stop(one: Attempt, center: Row, reason: Reason | None) -> Receipt:
    """The row of the stop ends, or closed ones are made; none where others have all of its time. Repeatable.

    The row itself is written last: until then the stop is open, and all is done again.
    """
    row, opened = await lasting(one, center["id"])
    if row is not None and row["date_end"]:
        return receipt(TIMES, row["id"], already=True)
    start, end = one.text("start"), one.text("end")
    rows = await overlapping(one, center["id"], start, end)
    taken, loss = taken_by(one, rows, row), reason.id if reason else 0
    if row is not None:
        taken = [("", row["date_start"]), *taken]
        loss = loss if reason and row["loss_id"][1] == opened else row["loss_id"][0]
    pieces = free(_parts(one), taken)
    if not pieces:
        if row is not None:
            await one.steps.act(TIMES, "unlink", [row["id"]])
        covering = [each for each in rows if row is None or each["id"] != row["id"]]
        return receipt(TIMES, covering[-1]["id"], covered=True)
    await make_room(one, rows, pieces)
    made = _rows(one, center["id"], loss, pieces)
    if row is None:
        return receipt(TIMES, (await one.steps.load(TIMES, one.key, made))[0])
    if made[1:]:
        await one.steps.load(TIMES, one.key, made[1:])
    first = {name: made[0][name] for name in ("date_start", "date_end")}
    said = f"{row['description']}\n{made[0]['description']}"
    await one.steps.write(TIMES, [row["id"]], {**first, "loss_id": loss, "description": said})
    return receipt(TIMES, row["id"])


def _parts(one: Attempt) -> list[Part]:
    given = one.p.get("parts")
    if not isinstance(given, list):
        return [(one.text("start"), one.text("end"), "")]
    return [(str(part[0]), str(part[1]), str(part[2])) for part in given if isinstance(part, list)]


def _rows(one: Attempt, center: int, loss: int, pieces: Sequence[Part]) -> list[dict[str, str]]:
    """One row per piece, as `load` takes them."""
    return [
        {
            "workcenter_id/.id": str(center),
            "loss_id/.id": str(loss),
            "date_start": begin,
            "date_end": end,
            "description": told(one, pieces, place),
        }
        for place, (begin, end, _) in enumerate(pieces)
    ]
