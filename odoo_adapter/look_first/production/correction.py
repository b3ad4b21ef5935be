"""Corrections: the quantity of an order that is not done is moved; pieces of a done one are taken apart again.

Validating an unbuild order twice takes apart twice (17 to 19), so its state is read right before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused, Uncertain
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.note import said, say
from odoo_adapter.look_first.order import MODEL, Order, read_order, write_counted
from odoo_adapter.look_first.production.consumption import done_lines
from odoo_adapter.look_first.production.progress import known_totals, sum_of
from odoo_adapter.look_first.steps import EXTERNAL, Row, Steps, digest
from odoo_adapter.look_first.unit import Unit, Units, converted, number, read_units
from odoo_adapter.odoo import Outcome, Receipt
from odoo_adapter.plan import quantity

UNBUILD: Final = "mrp.unbuild"
_FIELDS: Final = ["state", "product_qty", "product_uom_id", "lot_id", "name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """By how much, in the order's unit, and what stood before it on an order that is not done."""

    by: Decimal
    before: Decimal
    unit: Unit
    units: Units

    @property
    def after(self) -> Decimal:
        return self.before + self.by


async def apply_correction(one: Attempt) -> Outcome:
    order = await read_order(one.steps, one.text("order"))
    order.check_open(("draft", "cancel"))
    change = await _change(one, order)
    if await said(one.steps, order.id, one.key, _begin(one)):
        return one.applied(await _stands(one, order, change, repeated=True))
    if order.state == "done":
        return one.applied(await _take_back(one, order, change))
    if one.job.uncertain and change.unit.same(order.counted, change.after):
        await say(one, order.id, _begin(one), "")
        return one.applied(await _stands(one, order, change, repeated=True))
    filled_in = not change.before and change.unit.same(order.counted, order.wanted)
    if not filled_in and not change.unit.same(order.counted, change.before):
        return one.held(_somebody(order, change))
    _check(one, order, change)
    await write_counted(one.steps, order.id, change.after)
    now = await read_order(one.steps, one.text("order"))
    if not change.unit.same(now.counted, change.after):
        raise Uncertain(f"{order.name} shows {now.counted}, right after {change.after} was written")
    await say(one, order.id, _begin(one), "")
    return one.applied(await _stands(one, order, change))


async def find_correction(one: Attempt) -> Receipt | None:
    order = await read_order(one.steps, one.text("order"))
    change = await _change(one, order)
    noted = await said(one.steps, order.id, one.key, _begin(one))
    written = one.job.uncertain and order.state != "done" and change.unit.same(order.counted, change.after)
    return await _stands(one, order, change, repeated=True) if noted or written else None


async def _change(one: Attempt, order: Order) -> _Change:
    name = one.text("uom")
    units = await read_units(one.steps, [order.unit], [name, *(unit for _, unit in known_totals(one).values())])
    by = units.positive(one.text("qty"), name, units[order.unit])
    before = order.counted if one.job.released else one.job.standing.quantity or Decimal(0)
    return _Change(by=-by if one.p.get("less") else by, before=before, unit=units[order.unit], units=units)


def _check(one: Attempt, order: Order, change: _Change) -> None:
    counted = sum_of(known_totals(one), change.units, change.unit) + one.job.standing.corrected
    if change.by > 0:
        order.check_limit(change.after, change.unit, one.p)
    elif min(change.after, counted + change.by) < 0:
        raise Refused("quantity", f"{-change.by} less than the {counted} that were counted on {order.name}")


def _somebody(order: Order, change: _Change) -> str:
    return (
        f"{order.name} shows {quantity(order.counted)} {change.unit.name}, expected {quantity(change.before)}: "
        f"somebody changed it; release to correct what stands by {quantity(change.by)}, or skip"
    )


async def _stands(one: Attempt, order: Order, change: _Change, *, repeated: bool = False) -> Receipt:
    """What a correction left: an unbuild order, or another quantity."""
    if (mine := await _mine(one, order)) is not None:
        return _taken_back(mine, change, repeated=repeated)
    corrected = float(one.job.standing.corrected + change.by)
    details = {"added": float(change.by), "corrected": corrected, "qty_producing": float(change.after)}
    return receipt(MODEL, order.id, repeated=repeated, **details)


def _begin(one: Attempt) -> str:
    change = f"{'-' if one.p.get('less') else '+'}{one.text('qty')} {one.text('uom')}"
    return f"UNS bridge: corrected by {change}, of {one.text('corrects')}: {one.text('reason')},"


async def _mine(one: Attempt, order: Order) -> Row | None:
    """The unbuild order of this transaction, draft or done."""
    rows = await one.steps.search(UNBUILD, [["mo_id", "=", order.id]], _FIELDS)
    named = await one.steps.external_ids(UNBUILD, [row["id"] for row in rows])
    return next((row for row in rows if named.get(row["id"]) == f"{EXTERNAL}.{digest(one.key)}"), None)


async def _take_back(one: Attempt, order: Order, change: _Change) -> Receipt:
    if change.by > 0:
        raise Refused(
            "order_state",
            f"{order.name} is done with {quantity(order.made)}: receive what was made beyond it by an inventory "
            "adjustment, or make it on an order of its own",
        )
    mine = await _mine(one, order) or await _draft(one, order, change)
    repeated = mine["state"] == "done"
    if not repeated:
        await one.steps.act(UNBUILD, "action_validate", [mine["id"]])
        (mine,) = await one.steps.read(UNBUILD, [mine["id"]], _FIELDS)
        if mine["state"] != "done":
            await one.steps.act(UNBUILD, "unlink", [mine["id"]])
            what = mine["lot_id"][1] if mine["lot_id"] else order.product_name
            mend = "correct the stock where they are, then skip this"
            raise Refused("no_stock", f"{quantity(-change.by)} {what} are not where they were put any more: {mend}")
    await say(one, mine["id"], _begin(one), "", UNBUILD)
    await say(one, order.id, _begin(one), "")
    return _taken_back(mine, change, repeated=repeated)


async def _draft(one: Attempt, order: Order, change: _Change) -> Row:
    """Everything is looked up before the draft is made."""
    lot, place = await _lot_and_place(one, order, change)
    (row,) = await one.steps.read(MODEL, [order.id], ["bom_id", "location_src_id"])
    values = {
        "mo_id/.id": str(order.id),
        "product_id/.id": str(order.product),
        "product_qty": quantity(-change.by),
        "product_uom_id/.id": str(order.unit),
        "location_id/.id": str(place),
        "location_dest_id/.id": str(row["location_src_id"][0]),
        "company_id/.id": str(one.steps.company),
    }
    if lot:
        values["lot_id/.id"] = str(lot)
    if row["bom_id"]:
        values["bom_id/.id"] = str(row["bom_id"][0])
    (id,) = await one.steps.load(UNBUILD, one.key, [values])
    (made,) = await one.steps.read(UNBUILD, [id], _FIELDS)
    return made


async def _lot_and_place(one: Attempt, order: Order, change: _Change) -> tuple[int, int]:
    """From which lot (0: none), and where it was put. Raises `Refused` where that is not one, or has not that much."""
    fields = ["product_id", "lot_id", "quantity", "product_uom_id", "location_dest_id"]
    asked = one.text("lot")
    lines = [
        line
        for line in await done_lines(one.steps, order.finished, fields)
        if line["product_id"][0] == order.product and (not asked or (line["lot_id"] and line["lot_id"][1] == asked))
    ]
    lots = {line["lot_id"][0] if line["lot_id"] else 0 for line in lines}
    places = {line["location_dest_id"][0] for line in lines}
    if len(lots) != 1 or len(places) != 1:
        what = f"{asked or order.product_name} of {order.name}"
        code = "lot_missing" if lines else "no_lot"
        raise Refused(code, f"{what}: name the lot or the serial number that has less in it")
    (lot,), (place,) = lots, places
    left = await _amount(one.steps, lines, "quantity", change)
    rows = await one.steps.search(UNBUILD, [["mo_id", "=", order.id], ["state", "=", "done"]], _FIELDS)
    apart = [row for row in rows if (row["lot_id"][0] if row["lot_id"] else 0) == lot]
    left -= await _amount(one.steps, apart, "product_qty", change)
    if -change.by > left and not change.unit.same(-change.by, left):
        raise Refused("quantity", f"{-change.by} less than the {left} that are left of what {order.name} made")
    return lot, place


async def _amount(steps: Steps, rows: list[Row], field: str, change: _Change) -> Decimal:
    """The quantities of these together, in the order's unit."""
    units = await read_units(steps, [row["product_uom_id"][0] for row in rows], [])
    amounts = (converted(number(row[field]), units[row["product_uom_id"][0]], change.unit) for row in rows)
    return sum(amounts, Decimal(0))


def _taken_back(row: Row, change: _Change, *, repeated: bool) -> Receipt:
    lot = row["lot_id"][1] if row["lot_id"] else None
    return receipt(UNBUILD, row["id"], repeated=repeated, name=row["name"], added=float(change.by), lot=lot)
