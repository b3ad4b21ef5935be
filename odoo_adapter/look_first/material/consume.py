"""Consumption while the order runs: what the component's move shows becomes what it was, and what is new."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused, Uncertain
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.material.expiry import expired
from odoo_adapter.look_first.material.report import MOVE, Report, Taken, read_report, take
from odoo_adapter.look_first.note import said, say
from odoo_adapter.look_first.order import MODEL, Order, read_order
from odoo_adapter.look_first.production.completion import called
from odoo_adapter.look_first.unit import number
from odoo_adapter.odoo import Applied, Outcome, Receipt
from odoo_adapter.plan import quantity

_BEGIN: Final = "UNS bridge: consumed"


async def apply_consumption(one: Attempt) -> Outcome:
    order = await read_order(one.steps, one.text("order"))
    if await _noted(one, order):
        return one.applied(_receipt(await read_report(one, order), repeated=True))
    if order.state == "done":
        closed = f"{order.name} is done, and what it used is closed: correct that in Odoo, then skip this report"
        raise Refused("order_state", closed)
    order.check_open()
    report = await read_report(one, order)
    before = _before(one, report)
    if one.job.uncertain and _same(report.found, before + report.added):
        return await _sign(one, report, repeated=True)
    taken, doubts = await _take(one, report)
    if not _same(report.found, before):
        doubts.append(_somebody(one, report, before))
    elif one.p.get("consent"):
        doubts = []
    if doubts:
        return one.held("; ".join(doubts) + ": release it to post it all the same")
    written = await _write(one, report, taken)
    if not _same(written.found, report.found + report.added):
        raise Uncertain(f"{order.name} shows {written.found}, right after {report.added} was added to {report.found}")
    return await _sign(one, written)


async def find_consumption(one: Attempt) -> Receipt | None:
    order = await read_order(one.steps, one.text("order"))
    noted = await _noted(one, order)
    if not noted and not one.job.uncertain:
        return None
    report = await read_report(one, order)
    stands = noted or _same(report.found, _before(one, report) + report.added)
    return _receipt(report, repeated=True) if stands else None


async def _noted(one: Attempt, order: Order) -> bool:
    """Whether the last step left its note. Raises `Refused` where that says something else."""
    note = await said(one.steps, order.id, one.key, _BEGIN)
    if note and not note.startswith(f"{_BEGIN}{_told(one)} by "):
        raise Refused("conflict", f"posted before with other content: {note}")
    return bool(note)


def _told(one: Attempt) -> str:
    lot = f", lot {one.text('lot')}" if one.text("lot") else ""
    return f" {one.text('qty')} {one.text('uom')} of {one.text('product')}{lot}"


def _before(one: Attempt, report: Report) -> Decimal:
    """What the move said after our last report of this lot; after a release, what it says now."""
    if one.job.released:
        return report.found
    known = one.job.standing.consumed.get(one.text("product"), {})
    return known.get(report.lot.name if report.lot else "", Decimal(0))


def _same(one: Decimal, other: Decimal) -> bool:
    """Whether two sums of lines are the same; each line is kept exactly."""
    return abs(one - other) <= max(one, other) / 1_000_000


async def _take(one: Attempt, report: Report) -> tuple[list[Taken], list[str]]:
    """From where it is taken, and what a person must look at first. Raises `Refused` where there is too little."""
    steps, order, code = one.steps, report.order, one.text("product")
    doubts: list[str] = []
    if report.move is None:
        if order.strict:
            reason = f"the bill of materials of {order.name} allows no other component than its own"
            raise Refused("strict", reason)
        doubts.append(f"{code} is not a component of {order.name}")
    if report.lot and (ended := await expired(one, report.lot.id)):
        doubts.append(f"lot {report.lot.name} of {code} expired at {ended}")
    source = report.move["location_id"][0] if report.move else await _source(one, order)
    taken, left = await take(steps, report, source, report.amount)
    if left and report.lot:
        holds = await steps.search("stock.location", [*called(one.hold_location), steps.ours()], ["id"])
        more, left = await take(steps, report, holds[0]["id"], left) if len(holds) == 1 else ([], left)
        if more:
            doubts.append(f"lot {report.lot.name} of {code} is on hold")
            taken += more
    if left and report.lot:
        raise Refused("no_stock", f"{report.lot.name} of {code}")
    return ([*taken, Taken(place=source, package=0, amount=left)] if left else taken), doubts


async def _source(one: Attempt, order: Order) -> int:
    (row,) = await one.steps.read(MODEL, [order.id], ["location_src_id"])
    return int(row["location_src_id"][0])


def _somebody(one: Attempt, report: Report, before: Decimal) -> str:
    expected = quantity(before)
    if one.job.uncertain:
        expected += f" or {quantity(before + report.added)}"
    lot = f", lot {report.lot.name}" if report.lot else ""
    return (
        f"{report.order.name} shows {quantity(report.found)} {report.into.name} of {one.text('product')}{lot} used, "
        f"expected {expected}: somebody changed it"
    )


async def _write(one: Attempt, report: Report, taken: Sequence[Taken]) -> Report:
    """Add what was taken to the lines of the component's move, in one call; the report as it stands then."""
    if report.move is None:
        await _add_component(one, report)
        order = await read_order(one.steps, one.text("order"))
        report = await read_report(one, order)
    if report.move is None:
        raise Uncertain(f"{report.order.name} has no {one.text('product')}, right after it was added")
    commands: list[object] = [[2, line["id"], 0] for line in report.dropped]
    for part in taken:
        mine = next((line for line in report.kept if report.is_from(line, part)), None)
        if mine is None:
            commands.append([0, 0, report.line(part)])
        else:
            commands.append([1, mine["id"], {"quantity": float(number(mine["quantity"]) + part.amount)}])
    values = {"move_line_ids": commands, "picked": True, "manual_consumption": True}
    await one.steps.write(MOVE, [report.move["id"]], values)
    return await read_report(one, report.order, ours=True)


async def _add_component(one: Attempt, report: Report) -> None:
    """A person released it: the order has one component more, of which nothing was planned."""
    fields = ["location_src_id", "production_location_id", "company_id", "picking_type_id"]
    (order,) = await one.steps.read(MODEL, [report.order.id], fields)
    values = {
        "product_id": report.product["id"],
        "product_uom": report.product["uom_id"][0],
        "product_uom_qty": 0,
        "location_id": order["location_src_id"][0],
        "location_dest_id": order["production_location_id"][0],
        "company_id": order["company_id"][0],
        "picking_type_id": order["picking_type_id"][0],
    }
    await one.steps.write(MODEL, [report.order.id], {"move_raw_ids": [[0, 0, values]]})


async def _sign(one: Attempt, report: Report, *, repeated: bool = False) -> Applied:
    await say(one, report.order.id, _BEGIN, _told(one))
    return one.applied(_receipt(report, repeated=repeated))


def _receipt(report: Report, *, repeated: bool = False) -> Receipt:
    move = report.move["id"] if report.move else 0
    lot = report.lot.name if report.lot else ""
    return receipt(MOVE, move, repeated=repeated, lot=lot, consumed=float(report.found))
