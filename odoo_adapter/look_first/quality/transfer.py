"""Goods that go on hold, and come back: one internal transfer of all that is asked, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.lot import read_lot
from odoo_adapter.look_first.note import say
from odoo_adapter.look_first.production.completion import hold_location
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.unit import Unit, Units, number, read_units
from odoo_adapter.odoo import Outcome, Receipt
from odoo_adapter.plan import quantity

PICKINGS: Final = "stock.picking"
_VALIDATED: Final = {"skip_backorder": True, "skip_expired": True}
_WAITING: Final = ["state", "not in", ["draft", "done", "cancel"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """A product, and its lot where it has such (0: it has none)."""

    product: int
    code: str
    unit: int
    lot: int
    lot_name: str

    @property
    def what(self) -> str:
        return f"{self.lot_name} of {self.code}" if self.lot else self.code

    @property
    def tracked_lot(self) -> int:
        """The lot's id. Raises `Refused` for a product that has none."""
        if not self.lot:
            raise Refused("untracked", f"{self.code} has no lots in Odoo")
        return self.lot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """From where to where: `back` from hold to stock."""

    back: bool
    hold: int
    kind: int
    stock: int

    @property
    def to(self) -> int:
        return self.stock if self.back else self.hold

    @property
    def where(self) -> str:
        return "on hold" if self.back else "in stock"


async def apply_hold(one: Attempt) -> Outcome:
    return await _apply(one, back=False)


async def apply_release(one: Attempt) -> Outcome:
    return await _apply(one, back=True)


async def find_transfer(one: Attempt) -> Receipt | None:
    """The transfer whose source is the key, once it is done."""
    picking = await _picking(one)
    return await _receipt(one, picking, repeated=True) if picking and picking["state"] == "done" else None


async def read_goods(one: Attempt) -> Goods:
    """The product and the lot that the posting names."""
    code = one.text("product")
    fields = ["uom_id", "tracking"]
    row = await one.steps.only("product.product", [["default_code", "=", code]], fields, f"product {code}")
    name = one.text("lot")
    lot = await read_lot(one.steps, row["id"], code, name) if row["tracking"] != "none" else None
    return Goods(product=row["id"], code=code, unit=row["uom_id"][0], lot=lot.id if lot else 0, lot_name=name)


async def _apply(one: Attempt, *, back: bool) -> Outcome:
    picking = await _picking(one)
    repeated = picking is not None and picking["state"] == "done"
    if picking is None or not repeated:
        picking = await _carry_out(one, picking, back=back)
    made = await _receipt(one, picking, repeated=repeated)
    lot = f", lot {one.text('lot')}" if one.text("lot") else ""
    begin = f"UNS bridge: {'released from hold' if back else 'put on hold'}"
    of = f" {quantity(number(made.details['qty']))} {made.details['unit']} of {one.text('product')}{lot}"
    why = f": {one.text('text')}" if one.text("text") else ""
    await say(one, picking["id"], begin, f"{of}{why}", PICKINGS)
    return one.applied(made)


async def _carry_out(one: Attempt, picking: Row | None, *, back: bool) -> Row:
    """The transfer as it is done: made, filled and validated, as far as an earlier attempt has not."""
    steps = one.steps
    if picking is None or not picking["move_ids"]:
        goods, way = await read_goods(one), await _read_way(one, back=back)
        taken = await _amounts(one, goods, way)
        if picking is None:
            picking = await _draft(one, way, taken[0][0])
        moves = [[0, 0, await _move(one, goods, way, *each)] for each in taken]
        await steps.write(PICKINGS, [picking["id"]], {"move_ids": moves})
    await steps.act(PICKINGS, "button_validate", [picking["id"]], context=_VALIDATED)
    done = await _picking(one)
    if done is None or done["state"] != "done":
        state = done["state"] if done else "gone"
        name = picking["name"] if picking else ""
        raise Refused("verify_hold", f"the transfer {name} is {state}: carry it out or cancel it in Odoo")
    return done


async def _picking(one: Attempt) -> Row | None:
    domain = [["origin", "=", one.key], ["state", "!=", "cancel"], one.steps.ours()]
    rows = await one.steps.search(PICKINGS, domain, ["name", "state", "move_ids"])
    return rows[-1] if rows else None


async def _read_way(one: Attempt, *, back: bool) -> _Way:
    fields = ["lot_stock_id", "int_type_id"]
    houses = await one.steps.search("stock.warehouse", [["company_id", "=", one.steps.company]], fields)
    if not houses:
        raise Refused("missing", f"a warehouse of company {one.steps.company}")
    house = houses[0]
    return _Way(back=back, hold=await hold_location(one), kind=house["int_type_id"][0], stock=house["lot_stock_id"][0])


async def _amounts(one: Attempt, goods: Goods, way: _Way) -> list[tuple[Row, Decimal]]:
    """From each quant so much: all that is asked, or `Refused` with what is missing."""
    quants = await _quants(one, goods, way)
    lacks = "not_held" if way.back else "no_stock"
    if not quants:
        raise Refused(lacks, f"nothing of {goods.what} is {way.where}")
    units = await read_units(one.steps, [goods.unit], [one.text("uom")])
    unit = units[goods.unit]
    there = sum((number(row["quantity"]) for row in quants), Decimal(0))
    reserved = sum((number(row["reserved_quantity"]) for row in quants), Decimal(0))
    left = _asked(one, units, unit, there)
    if left - there > unit.step / 2:
        raise Refused(lacks, f"only {float(there)} of {float(left)} {unit.name} of {goods.what} are {way.where}")
    if left - (there - reserved) > unit.step / 2:
        by = await _reserved_by(one, goods, quants)
        raise Refused(
            "reserved",
            f"only {float(there - reserved)} of {float(left)} {unit.name} of {goods.what} are free, {float(reserved)} "
            f"are reserved for {by or 'something else'}: unreserve them in Odoo, then replay this",
        )
    taken: list[tuple[Row, Decimal]] = []
    for row in quants:
        take = min(left, number(row["quantity"]) - number(row["reserved_quantity"]))
        if take > 0:
            taken.append((row, take))
            left -= take
    return taken


def _asked(one: Attempt, units: Units, unit: Unit, there: Decimal) -> Decimal:
    return units.positive(one.text("qty"), one.text("uom"), unit) if one.text("qty") else there


async def _quants(one: Attempt, goods: Goods, way: _Way) -> Sequence[Row]:
    of_it = [["product_id", "=", goods.product], ["lot_id", "=", goods.lot or False]]
    ours = [["company_id", "=", one.steps.company], ["quantity", ">", 0]]
    held = [["location_id", "child_of", way.hold]]
    place = held if way.back else [["location_id.usage", "=", "internal"], "!", *held]
    fields = ["quantity", "reserved_quantity", "location_id", "package_id", "owner_id"]
    return await one.steps.search("stock.quant", [*of_it, *ours, *place], fields)


async def _reserved_by(one: Attempt, goods: Goods, quants: Sequence[Row]) -> str:
    places = [row["location_id"][0] for row in quants]
    domain = [["product_id", "=", goods.product], ["lot_id", "=", goods.lot or False], ["location_id", "in", places]]
    fields = ["reference", "picking_id", "production_id"]
    rows = await one.steps.search("stock.move.line", [*domain, _WAITING, ["quantity", ">", 0]], fields)
    return ", ".join(sorted({row["reference"] or row["picking_id"][1] for row in rows}))


async def _draft(one: Attempt, way: _Way, first: Row) -> Row:
    row = {
        "picking_type_id/.id": str(way.kind),
        "location_id/.id": str(first["location_id"][0]),
        "location_dest_id/.id": str(way.to),
        "origin": one.key,
    }
    (id,) = await one.steps.load(PICKINGS, one.key, [row], {"mail_create_nosubscribe": True})
    (made,) = await one.steps.read(PICKINGS, [id], ["name", "state", "move_ids"])
    return made


async def _move(one: Attempt, goods: Goods, way: _Way, quant: Row, amount: Decimal) -> dict[str, object]:
    """One move with its one line, as Odoo's own form would write them."""
    route = {"product_id": goods.product, "location_id": quant["location_id"][0], "location_dest_id": way.to}
    line = {
        **route,
        "lot_id": goods.lot or False,
        "quantity": float(amount),
        "product_uom_id": goods.unit,
        "package_id": _link(quant, "package_id"),
        "owner_id": _link(quant, "owner_id"),
        "picked": True,
    }
    move = {
        **route,
        "product_uom_qty": float(amount),
        "product_uom": goods.unit,
        "origin": one.key,
        "picked": True,
        "move_line_ids": [[0, 0, line]],
    }
    return move | ({"name": goods.code} if await one.steps.has_field("stock.move", "name") else {})


def _link(row: Row, name: str) -> int | bool:
    return int(row[name][0]) if row.get(name) else False


async def _receipt(one: Attempt, picking: Row, *, repeated: bool) -> Receipt:
    lines = await one.steps.search("stock.move", [["picking_id", "=", picking["id"]]], ["quantity", "product_uom"])
    moved = sum((number(row["quantity"]) for row in lines), Decimal(0))
    unit = lines[0]["product_uom"][1] if lines else ""
    return receipt(PICKINGS, picking["id"], repeated=repeated, name=picking["name"], qty=float(moved), unit=unit)
