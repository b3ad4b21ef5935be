"""By-products of a completion: what is named came as it is named, the others at the bill of materials' ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from odoo_adapter.errors import Refused
from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.lot import Lot, read_lot
from odoo_adapter.look_first.order import Order
from odoo_adapter.look_first.production.consumption import MOVE, at_ratio, done_lines, given_lines, read_products
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.unit import Units, number, read_units

_FIELDS: Final = [
    *("product_id", "product_uom", "product_uom_qty", "state"),
    *("location_id", "location_dest_id", "move_line_ids"),
]

Parts: TypeAlias = tuple[tuple[Lot | None, Decimal], ...]
"""Quantities by lot, in the unit of the by-product's move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Byproducts:
    """The by-products of an order of the quantity `ordered`: their moves, and of some products what came (by id)."""

    units: Units
    ordered: Decimal
    moves: tuple[Row, ...]
    named: Mapping[int, Parts]


async def read_byproducts(one: Attempt, order: Order) -> Byproducts:
    """What the transaction names, by ids. Raises `Refused` for what is not there or does not fit the order."""
    steps, given = one.steps, given_lines(one.p.get("byproducts"))
    if len(order.finished) < 2 and not given:
        return Byproducts(units=Units(()), ordered=order.wanted, moves=(), named={})
    rows = await steps.read(MOVE, order.finished, _FIELDS)
    moves = tuple(row for row in rows if row["product_id"][0] != order.product and row["state"] != "cancel")
    units = await read_units(steps, [row["product_uom"][0] for row in moves], [line["uom"] for line in given])
    products = await read_products(steps, {row["product_id"][0] for row in moves}) if moves else {}
    into = {row["product_id"][0]: units[row["product_uom"][0]] for row in reversed(moves)}
    named: dict[int, Parts] = {}
    for line in given:
        code = line["product"]
        row = await steps.only("product.product", [["default_code", "=", code]], ["id"], f"product {code}")
        if row["id"] not in products:
            raise Refused("no_byproduct", code)
        product = products[row["id"]]
        amount = units.quantity(line["qty"], line["uom"], into[product.id])
        lot = None
        if product.tracked and amount:
            lot = await read_lot(steps, product.id, product.name, line.get("lot", ""), may_be_new=True)
        named[product.id] = (*named.get(product.id, ()), (lot, amount))
    for row in moves:
        product = products[row["product_id"][0]]
        if product.tracked and product.id not in named and row["product_uom_qty"] > 0:
            raise Refused("byproduct_missing", product.name)
    return Byproducts(units=units, ordered=order.wanted, moves=moves, named=named)


async def write_byproducts(steps: Steps, wanted: Byproducts, quantity: Decimal) -> None:
    """Write them, in place of what the moves have. Repeatable."""
    seen: set[int] = set()
    for row in wanted.moves:
        if row["state"] == "done":
            continue
        product, unit = row["product_id"][0], wanted.units[row["product_uom"][0]]
        if product not in wanted.named:
            ratio = at_ratio(row, unit, quantity, wanted.ordered)
            await steps.write(MOVE, [row["id"]], {"quantity": float(ratio), "picked": True})
            continue
        (now,) = await steps.read(MOVE, [row["id"]], ["move_line_ids"])
        lines = [] if product in seen else [await _line(steps, row, part) for part in wanted.named[product] if part[1]]
        commands = [*([2, id, 0] for id in now["move_line_ids"]), *([0, 0, line] for line in lines)]
        await steps.write(MOVE, [row["id"]], {"move_line_ids": commands, "picked": True})
        seen.add(product)


async def _line(steps: Steps, row: Row, part: tuple[Lot | None, Decimal]) -> Mapping[str, object]:
    lot, amount = part
    return {
        "product_id": row["product_id"][0],
        "lot_id": await lots.ensure(steps, lot) if lot is not None else False,
        "quantity": float(amount),
        "product_uom_id": row["product_uom"][0],
        "location_id": row["location_id"][0],
        "location_dest_id": row["location_dest_id"][0],
        "picked": True,
    }


async def byproduct_differences(steps: Steps, order: Order, wanted: Byproducts) -> tuple[str, str] | None:
    """What of a done order's by-products is not as it was named: a code and a sentence; None if all is."""
    if not wanted.named:
        return None
    fields = ["product_id", "lot_id", "quantity", "product_uom_id"]
    found = _sums(await done_lines(steps, order.finished, fields), wanted)
    want: dict[tuple[int, str], Decimal] = {}
    for product, parts in wanted.named.items():
        for lot, amount in parts:
            name = lot.name if lot is not None else ""
            want[product, name] = want.get((product, name), Decimal(0)) + amount
    for key in sorted({*want, *found}):
        if abs(want.get(key, Decimal(0)) - found.get(key, Decimal(0))) > Decimal("0.005"):
            names = {row["product_id"][0]: row["product_id"][1] for row in wanted.moves}
            return "verify_byproduct", f"{names[key[0]]}: wanted {want.get(key, 0)}, brought {found.get(key, 0)}"
    return None


def _sums(lines: Sequence[Row], wanted: Byproducts) -> dict[tuple[int, str], Decimal]:
    into = {row["product_id"][0]: row["product_uom"][0] for row in reversed(wanted.moves)}
    sums: dict[tuple[int, str], Decimal] = {}
    for line in lines:
        product = line["product_id"][0]
        if product in wanted.named and line["product_uom_id"][0] == into[product]:
            key = product, line["lot_id"][1] if line["lot_id"] else ""
            sums[key] = sums.get(key, Decimal(0)) + number(line["quantity"])
    return sums
