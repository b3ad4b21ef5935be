"""What was reported of an order's components while it ran, as its completion finds it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.material.report import LINE, MOVE, linked
from odoo_adapter.look_first.steps import Row
from odoo_adapter.look_first.unit import Units, converted, number, read_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`moves`: what each move of such a component says; `by_lot`: the same by component and lot (0: without one), in
    the unit of the component's move."""

    moves: Mapping[int, Decimal]
    by_lot: Mapping[int, Mapping[int, Decimal]]


async def read_recorded(one: Attempt, rows: Sequence[Row], units: Units, listed: Collection[int]) -> Recorded:
    """Of these components what was reported, but not of products that the completion itself `listed`."""
    codes = sorted(one.job.standing.consumed)
    if not codes:
        return Recorded(moves={}, by_lot={})
    steps = one.steps
    products = await steps.search("product.product", [["default_code", "in", codes], steps.ours()], ["id"])
    known = {row["id"] for row in products} - set(listed)
    mine = {row["id"]: row for row in rows if row["product_id"][0] in known}
    said = [row["id"] for row in await steps.read(MOVE, mine, ["picked", "manual_consumption"]) if _is_said(row)]
    fields = ["move_id", "lot_id", "quantity", "product_uom_id"]
    lines = await steps.search(LINE, [["move_id", "in", said]], fields) if said else []
    own = await read_units(steps, {line["product_uom_id"][0] for line in lines}, [])
    moves: dict[int, Decimal] = {}
    by_lot: dict[int, dict[int, Decimal]] = {}
    for line in lines:
        row = mine[line["move_id"][0]]
        unit = own[line["product_uom_id"][0]]
        amount = converted(number(line["quantity"]), unit, units[row["product_uom"][0]])
        lots, lot = by_lot.setdefault(row["product_id"][0], {}), linked(line["lot_id"])
        lots[lot] = lots.get(lot, Decimal(0)) + amount
        moves[row["id"]] = moves.get(row["id"], Decimal(0)) + amount
    return Recorded(moves=moves, by_lot=by_lot)


def _is_said(move: Row) -> bool:
    """Whether Odoo leaves it alone because somebody said what was used."""
    return bool(move["picked"] and move["manual_consumption"])
