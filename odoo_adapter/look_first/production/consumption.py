"""What a completion consumes: checked and planned by reads alone, written, and read back once the order is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.lot import read_lot
from odoo_adapter.look_first.material.recorded import read_recorded
from odoo_adapter.look_first.order import Order
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.unit import Unit, Units, converted, number, read_units
from ruleset.sample import Plain

MOVE: Final = "stock.move"
_FIELDS: Final = [
    "product_id",
    "product_uom",
    "product_uom_qty",
    "state",
    "bom_line_id",
    "location_id",
    "location_dest_id",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as far as consumption asks. `unit` is in which its stock is counted."""

    id: int
    name: str
    tracked: bool
    serial: bool
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What an order of the quantity `ordered` is to consume: by component and lot (0: without one), in the unit of the
    component's move.

    Components that are not in `named` are consumed at the bill of materials' ratio. Those whose moves are in `recorded`
    are named too, by what was reported while the order ran: it stays as it is.
    """

    units: Units
    ordered: Decimal
    components: tuple[Row, ...]
    products: Mapping[int, Product]
    named: Mapping[int, Mapping[int, Decimal]]
    recorded: Mapping[int, Decimal]

    @property
    def listed(self) -> dict[int, Mapping[int, Decimal]]:
        """What the completion itself names."""
        stays = {row["product_id"][0] for row in self.components if row["id"] in self.recorded}
        return {product: lots for product, lots in self.named.items() if product not in stays}

    def moves(self, product: int) -> list[Row]:
        """The open moves of a component."""
        mine = (row for row in self.components if row["product_id"][0] == product)
        return [row for row in mine if row["state"] not in ("done", "cancel")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one move takes: a quantity, or lines from lots in place of those that it has; or what it has (`stays`)."""

    move: int
    quantity: Decimal
    stays: bool = False
    lines: tuple[Mapping[str, object], ...] | None = None


async def read_consumption(one: Attempt, order: Order) -> Consumption:
    """What the transaction names, by ids. Raises `Refused` for what is not there or does not fit the order."""
    steps, used = one.steps, given_lines(one.p.get("consume"))
    rows = tuple(row for row in await steps.read(MOVE, order.components, _FIELDS) if row["state"] != "cancel")
    products = await read_products(steps, {order.product, *(row["product_id"][0] for row in rows)})
    ids = {order.unit, *(row["product_uom"][0] for row in rows), *(product.unit for product in products.values())}
    units = await read_units(steps, ids, [one.text("uom"), *(line["uom"] for line in used)])
    into = {row["product_id"][0]: units[row["product_uom"][0]] for row in reversed(rows)}
    named: dict[int, dict[int, Decimal]] = {}
    for line in used:
        product = await _component(steps, line["product"], products, into)
        lot = 0
        if product.tracked:
            lot = (await read_lot(steps, product.id, product.name, line.get("lot", ""))).id
        by_lot = named.setdefault(product.id, {})
        by_lot[lot] = by_lot.get(lot, Decimal(0)) + units.positive(line["qty"], line["uom"], into[product.id])
    recorded = await read_recorded(one, rows, units, named)
    return Consumption(
        units=units,
        ordered=order.wanted,
        components=rows,
        products=products,
        named={**recorded.by_lot, **named},
        recorded=recorded.moves,
    )


async def plan_uses(one: Attempt, order: Order, wanted: Consumption, quantity: Decimal) -> list[Use]:
    """What each open move takes. Raises `Refused` where stock or the bill of materials does not allow it."""
    uses: list[Use] = []
    for product in dict.fromkeys(row["product_id"][0] for row in wanted.components):
        moves = wanted.moves(product)
        if any(row["id"] in wanted.recorded for row in moves):
            uses += [_as_recorded(row, wanted) for row in moves]
        elif product not in wanted.named:
            uses += [_at_ratio(row, wanted, quantity) for row in moves]
        elif moves:
            uses.append(await _as_named(one.steps, moves[0], wanted))
            uses += [Use(move=row["id"], quantity=Decimal(0)) for row in moves[1:]]
    if order.strict:
        _check_strict(wanted, uses, quantity)
    return uses


async def write_uses(steps: Steps, uses: Iterable[Use]) -> None:
    """Write them, in place of what the moves have. Repeatable."""
    held = {
        row["id"]: row["move_line_ids"] for row in await steps.read(MOVE, (use.move for use in uses), ["move_line_ids"])
    }
    for use in (use for use in uses if not use.stays):
        values: dict[str, object] = {"picked": True}
        if use.lines is None:
            values["quantity"] = float(use.quantity)
        else:
            values["move_line_ids"] = [*([2, id, 0] for id in held[use.move]), *([0, 0, line] for line in use.lines)]
        await steps.write(MOVE, [use.move], values)


async def differences(one: Attempt, order: Order, wanted: Consumption, hold: int) -> tuple[str, str] | None:
    """What of a done order does not fit: a code and a sentence; None if all does."""
    steps = one.steps
    consumed = await done_lines(steps, order.components, ["product_id", "lot_id", "quantity", "product_uom_id"])
    into = {row["product_id"][0]: wanted.units[row["product_uom"][0]] for row in reversed(wanted.components)}
    got: dict[tuple[int, int], Decimal] = {}
    units = await read_units(steps, [line["product_uom_id"][0] for line in consumed], [])
    for line in consumed:
        product = line["product_id"][0]
        key = (product, line["lot_id"][0] if line["lot_id"] else 0)
        amount = converted(number(line["quantity"]), units[line["product_uom_id"][0]], into[product])
        got[key] = got.get(key, Decimal(0)) + amount
    want = {(product, lot): amount for product, lots in wanted.named.items() for lot, amount in lots.items()}
    for key in sorted({*want, *(key for key in got if key[0] in wanted.named)}):
        if not into[key[0]].same(want.get(key, Decimal(0)), got.get(key, Decimal(0))):
            name = wanted.products[key[0]].name
            return "verify_consume", f"{name}: wanted {want.get(key, 0)}, consumed {got.get(key, 0)}"
    eaten = {line["id"] for line in consumed} if wanted.products[order.product].tracked else set()
    for line in await done_lines(steps, order.finished, ["product_id", "location_dest_id", "consume_line_ids"]):
        if line["product_id"][0] == order.product:
            if hold and line["location_dest_id"][0] != hold:
                return "verify_hold", f"the goods went to {line['location_dest_id'][1]}"
            if not eaten <= set(line["consume_line_ids"]):
                return "verify_genealogy", "what was consumed is not linked to the finished lot"
    return None


async def done_lines(steps: Steps, moves: Sequence[int], fields: Sequence[str]) -> list[Row]:
    """The lines of these moves that were carried out."""
    domain = [["move_id", "in", list(moves)], ["state", "=", "done"]]
    return await steps.search("stock.move.line", domain, fields)


def given_lines(consume: Plain) -> list[dict[str, str]]:
    """The members of `consume` or `byproducts`, as text."""
    lines = consume if isinstance(consume, list) else []
    return [{name: str(value) for name, value in line.items()} for line in lines if isinstance(line, dict)]


async def read_products(steps: Steps, ids: Iterable[int]) -> dict[int, Product]:
    """Products by id."""
    rows = await steps.read("product.product", ids, ["display_name", "tracking", "uom_id"])
    products = (
        Product(
            id=row["id"],
            name=row["display_name"],
            tracked=row["tracking"] != "none",
            serial=row["tracking"] == "serial",
            unit=row["uom_id"][0],
        )
        for row in rows
    )
    return {product.id: product for product in products}


async def _component(
    steps: Steps, code: str, products: Mapping[int, Product], components: Mapping[int, Unit]
) -> Product:
    row = await steps.only("product.product", [["default_code", "=", code]], ["id"], f"product {code}")
    if row["id"] not in components:
        raise Refused("no_component", code)
    return products[row["id"]]


def at_ratio(row: Row, unit: Unit, quantity: Decimal, ordered: Decimal) -> Decimal:
    """What a move takes or brings at the bill of materials' ratio, in its unit.

    Not by Odoo's own `unit_factor`: that counts the order's scrap as made once its goods go to another place, and stays
    so (17 to 19).
    """
    return converted(number(row["product_uom_qty"]) * quantity / ordered, unit, unit)


def _ratio(row: Row, wanted: Consumption, quantity: Decimal) -> Decimal:
    return at_ratio(row, wanted.units[row["product_uom"][0]], quantity, wanted.ordered)


def _at_ratio(row: Row, wanted: Consumption, quantity: Decimal) -> Use:
    product = wanted.products[row["product_id"][0]]
    if product.tracked and row["product_uom_qty"] > 0:
        raise Refused("consume_missing", product.name)
    return Use(move=row["id"], quantity=_ratio(row, wanted, quantity))


def _as_recorded(row: Row, wanted: Consumption) -> Use:
    stands = wanted.recorded.get(row["id"])
    return Use(move=row["id"], quantity=stands or Decimal(0), stays=stands is not None)


async def _as_named(steps: Steps, row: Row, wanted: Consumption) -> Use:
    product = wanted.products[row["product_id"][0]]
    by_lot = wanted.named[product.id]
    lines: list[Mapping[str, object]] = []
    for lot, amount in by_lot.items() if product.tracked else ():
        lines += await _lines(steps, row, product, lot, amount, wanted.units)
    total = sum(by_lot.values(), Decimal(0))
    return Use(move=row["id"], quantity=total, lines=tuple(lines) if product.tracked else None)


async def _lines(
    steps: Steps, row: Row, product: Product, lot: int, amount: Decimal, units: Units
) -> list[Mapping[str, object]]:
    """Lines that take this much of one lot from where it lies. Raises `Refused` where there is not that much."""
    unit, left = units[row["product_uom"][0]], amount
    there = [["lot_id", "=", lot], ["location_id", "child_of", row["location_id"][0]], ["quantity", ">", 0]]
    lines: list[Mapping[str, object]] = []
    for quant in await steps.search("stock.quant", there, ["quantity", "location_id", "package_id"]):
        take = min(left, converted(number(quant["quantity"]), units[product.unit], unit, ROUND_DOWN))
        if take > 0:
            line = {
                "product_id": product.id,
                "lot_id": lot,
                "quantity": float(take),
                "product_uom_id": unit.id,
                "package_id": quant["package_id"][0] if quant["package_id"] else False,
                "location_id": quant["location_id"][0],
                "location_dest_id": row["location_dest_id"][0],
                "picked": True,
            }
            lines.append(line)
            left -= take
    if left > 0:
        (found,) = await steps.read("stock.lot", [lot], ["name"])
        raise Refused("no_stock", f"{found['name']} of {product.name}")
    return lines


def _check_strict(wanted: Consumption, uses: Iterable[Use], quantity: Decimal) -> None:
    """A strict bill of materials allows its ratio only, and no component beside it; Odoo lets both pass over RPC."""
    taken = {use.move: use.quantity for use in uses}
    left: dict[int, Decimal] = {}
    for row in wanted.components:
        product, unit = wanted.products[row["product_id"][0]], wanted.units[row["product_uom"][0]]
        allowed = _ratio(row, wanted, quantity) if row["bom_line_id"] else Decimal(0)
        surplus = converted(taken.get(row["id"], Decimal(0)) - allowed, unit, wanted.units[product.unit], ROUND_HALF_UP)
        left[product.id] = left.get(product.id, Decimal(0)) + surplus
    if any(left.values()):
        raise Refused("strict", "the bill of materials allows no other consumption")
