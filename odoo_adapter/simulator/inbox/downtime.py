"""Stops of work centers: opened while they last, closed with their loss, or recorded when they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.look_first.time.stop import EVER, Part, free
from odoo_adapter.simulator.behaviour import workorder
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import Effect, Payload, Refusal, one, result
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record

_LOSSES: Final = {
    "material_availability": "mrp.block_reason0",
    "breakdown": "mrp.block_reason1",
    "setup": "mrp.block_reason2",
    "reduced_speed": "mrp.block_reason4",
    "defect": "mrp.block_reason5",
    "productive": "mrp.block_reason7",
    "unclassified": f"{MODULE}.loss_unclassified",
}


def center_of(database: Database, p: Payload) -> Record:
    return one(database, "mrp.workcenter", "code", p["wc"], "work center")


def reason_of(database: Database, p: Payload) -> Record:
    """The plant's own reason by its name, else that of the loss category."""
    if name := p.get("reason"):
        found = database.search("mrp.workcenter.productivity.loss", [["name", "=", name]])
        if len(found) != 1:
            raise Refusal("ambiguous" if found else "missing", f"loss reason {name}")
        return found[0]
    loss = p.get("loss")
    category = _LOSSES.get(loss) if isinstance(loss, str) else None
    if category is None:
        raise Refusal("loss", str(loss))
    kind = reference(database, category)
    if kind is None:
        raise Refusal("missing", f"loss reason {loss}")
    return kind


def until(row: Record) -> str:
    return row.text("date_end") or EVER


def rows_of(center: Record, start: str, end: str) -> list[Record]:
    """All rows of the work center that lie at least in part between the two, the earliest first."""
    rows = [row for row in center.links("time_ids") if row.text("date_start") < end and until(row) > start]
    return sorted(rows, key=lambda row: (row.text("date_start"), row.id))


def open_stop(center: Record, p: Payload, key: str) -> Record | None:
    """The row of the stop, made where it is not there; None where another one that is open covers it."""
    row, _ = lasting(center, p)
    if row is not None:
        return row
    start, reason = str(p["start"]), reason_of(center.database, p)
    pieces = free([(start, EVER, "")], _taken(center, start, EVER, None))
    if not pieces or pieces[-1][1] != EVER:
        return None
    for place, (begin, end, _) in enumerate(pieces):
        text = _told(p, key, pieces, place)
        if end == EVER:
            text = f"{text}\n{p['mark']}: {reason.text('name')}"
        row = _create(center, reason, begin, None if end == EVER else end, text)
    return row


def close_stop(center: Record, p: Payload, key: str, reason: Record | None) -> Payload:
    """The row of the stop ends, or closed ones are made; none where others have all of its time."""
    row, opened = lasting(center, p)
    if row is not None and row.get("date_end") is not None:
        return result(row, already=True)
    start, end = str(p["start"]), str(p["end"])
    taken = _taken(center, start, end, row)
    if row is not None:
        taken = [("", row.text("date_start")), *taken]
        if reason is None or row.link("loss_id").text("name") != opened:
            reason = row.link("loss_id")
    assert reason is not None
    pieces = free(_parts(p), taken)
    if not pieces:
        covering = [other for other in rows_of(center, start, end) if row is None or other != row]
        if row is not None:
            center.database.unlink(row)
        return result(covering[-1], covered=True)
    _make_room(center, pieces)
    made = [row] if row is not None else []
    for place, (begin, stop, _) in enumerate(pieces):
        text = _told(p, key, pieces, place)
        if row is not None and not place:
            said = f"{row.text('description')}\n{text}"
            row.write(loss_id=reason.id, date_start=begin, date_end=stop, description=said)
        else:
            made.append(_create(center, reason, begin, stop, text))
    return result(made[0])


def lasting(center: Record, p: Payload) -> tuple[Record | None, str]:
    """The bridge's row of this stop, open or ended since, and the reason that it was opened with."""
    mark = f"{p['mark']}: "
    for row in center.links("time_ids"):
        for line in row.text("description").split("\n"):
            if line.startswith(mark):
                return row, line.removeprefix(mark)
    return None, ""


def is_ours(row: Record) -> bool:
    return row.get("user_id") == row.database.user


def _taken(center: Record, start: str, end: str, but: Record | None) -> list[tuple[str, str]]:
    taken: list[tuple[str, str]] = []
    for row in rows_of(center, start, end):
        by_person = row.get("date_end") is not None and not is_ours(row)
        if (row.maybe("workorder_id") is None or by_person) and (but is None or row != but):
            taken.append((row.text("date_start"), until(row)))
    return taken


def _make_room(center: Record, pieces: Sequence[Part]) -> None:
    """The bridge's own run times give way to a stop that is told late."""
    for row in rows_of(center, pieces[0][0], pieces[-1][1]):
        if row.maybe("workorder_id") is None or row.get("date_end") is None or not is_ours(row):
            continue
        run = (row.text("date_start"), row.text("date_end"), "")
        left = free([run], [(begin, end) for begin, end, _ in pieces]) or [(run[0], run[0], "")]
        for begin, end, _ in left[1:]:
            copy = _create(center, row.link("loss_id"), begin, end, row.text("description"))
            copy.write(workorder_id=row.get("workorder_id"))
        row.write(date_start=left[0][0], date_end=left[0][1])


def _create(center: Record, reason: Record, start: str, end: str | None, text: str) -> Record:
    values: Payload = {"workcenter_id": center.id, "loss_id": reason.id, "date_start": start, "date_end": end}
    return center.database.create(workorder.TIMES, values | {"description": text})


def _told(p: Payload, key: str, pieces: Sequence[Part], place: int) -> str:
    words = [str(p.get("text") or "")]
    if pieces[place][2]:
        words.append(f"shift {pieces[place][2]}")
    if len(pieces) > 1:
        words.append(f"part {place + 1} of {len(pieces)}")
    return f"{', '.join(words)} [{key}]".strip(" ,")


def _parts(p: Payload) -> list[Part]:
    given = p.get("parts")
    if not isinstance(given, list):
        return [(str(p["start"]), str(p["end"]), "")]
    return [(str(part[0]), str(part[1]), str(part[2])) for part in given if isinstance(part, list)]


def _downtime(database: Database, p: Payload, key: str, by: str) -> Payload:
    if not str(p["start"]) < str(p["end"]):
        raise Refusal("bad_interval", f"{p['start']} to {p['end']}")
    return close_stop(center_of(database, p), p, key, reason_of(database, p))


def _downtime_open(database: Database, p: Payload, key: str, by: str) -> Payload:
    center = center_of(database, p)
    row = open_stop(center, p, key)
    return result(row) if row is not None else result(rows_of(center, str(p["start"]), EVER)[-1], covered=True)


KINDS: Final[dict[str, Effect]] = {"downtime": _downtime, "downtime_open": _downtime_open}
