"""A reported consumption beside what Odoo shows of it: settled by reads alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.lot import Lot, read_lot
from odoo_adapter.look_first.order import Order
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.unit import Unit, Units, converted, exactly, number, read_units
from odoo_adapter.plan import quantity

MOVE: Final = "stock.move"
LINE: Final = "stock.move.line"
_MOVE_FIELDS: Final = [
    *("product_id", "product_uom", "state", "picked", "manual_consumption", "quantity", "unit_factor"),
    *("location_id", "location_dest_id"),
]
_LINE_FIELDS: Final = ["move_id", "lot_id", "quantity", "product_uom_id", "location_id", "package_id", "picked"]
_BENT: Final = Decimal("0.001")
"""By how much of itself Odoo's rounding may change a quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """So much from one place, in the reported unit."""

    place: int
    package: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`amount` of a component, in `unit`. `move` None: the order has no such component. `kept` are the lines of the
    move that say what was used, `dropped` those that only reserve it, or that Odoo filled in."""

    order: Order
    product: Row
    lot: Lot | None
    unit: Unit
    amount: Decimal
    units: Units
    move: Row | None
    kept: tuple[Row, ...] = ()
    dropped: tuple[Row, ...] = ()

    @property
    def into(self) -> Unit:
        """The unit of the component's move."""
        return self.units[(self.move["product_uom"] if self.move else self.product["uom_id"])[0]]

    @property
    def lot_id(self) -> int:
        return self.lot.id if self.lot else 0

    @property
    def found(self) -> Decimal:
        """What the move says was used of this lot, in its unit."""
        mine = (line for line in self.kept if linked(line["lot_id"]) == self.lot_id)
        amounts = (exactly(number(line["quantity"]), self.units[line["product_uom_id"][0]], self.into) for line in mine)
        return sum(amounts, Decimal(0))

    @property
    def added(self) -> Decimal:
        return exactly(self.amount, self.unit, self.into)

    def is_from(self, line: Row, part: Taken) -> bool:
        """Whether a line takes from there too, of the same lot and in the same unit."""
        same_lot = linked(line["lot_id"]) == self.lot_id and line["product_uom_id"][0] == self.unit.id
        return same_lot and _spot(line) == (part.place, part.package)

    def line(self, part: Taken) -> dict[str, object]:
        """A new line of the move, in the unit that was reported."""
        assert self.move is not None
        return {
            "product_id": self.product["id"],
            "lot_id": self.lot_id or False,
            "quantity": float(part.amount),
            "product_uom_id": self.unit.id,
            "package_id": part.package or False,
            "location_id": part.place,
            "location_dest_id": self.move["location_dest_id"][0],
            "picked": True,
        }


async def read_report(one: Attempt, order: Order, *, ours: bool = False) -> Report:
    """Raises `Refused` for what is not there, does not fit, or cannot be kept exactly. `ours`: we wrote what stands."""
    steps, code = one.steps, one.text("product")
    fields = ["display_name", "tracking", "uom_id"]
    product = await steps.only("product.product", [["default_code", "=", code]], fields, f"product {code}")
    lot = await _lot(one, product)
    moves = await steps.read(MOVE, order.components, _MOVE_FIELDS)
    open_ones = (row for row in moves if row["state"] not in ("done", "cancel"))
    move = next((row for row in open_ones if row["product_id"][0] == product["id"]), None)
    lines = [] if move is None else await steps.search(LINE, [["move_id", "=", move["id"]]], _LINE_FIELDS)
    ids = {product["uom_id"][0], *(line["product_uom_id"][0] for line in lines)}
    units = await read_units(steps, ids | ({move["product_uom"][0]} if move else set()), [one.text("uom")])
    unit = units.named(one.text("uom"), units[product["uom_id"][0]])
    amount = await _exact(one, product, unit, units[product["uom_id"][0]])
    report = Report(order=order, product=product, lot=lot, unit=unit, amount=amount, units=units, move=move)
    if move is None:
        return report
    first = not ours and code not in one.job.standing.consumed
    said = move["picked"] and not (first and _filled_in(order, move, units))
    kept = tuple(line for line in lines if said and line["picked"])
    return replace(report, kept=kept, dropped=tuple(line for line in lines if line not in kept))


def linked(value: object) -> int:
    """The id of a link as it was read; 0 where it is empty."""
    return int(value[0]) if isinstance(value, list) else 0


async def _lot(one: Attempt, product: Row) -> Lot | None:
    if product["tracking"] == "none":
        return None
    return await read_lot(one.steps, product["id"], product["display_name"], one.text("lot"))


async def _exact(one: Attempt, product: Row, unit: Unit, own: Unit) -> Decimal:
    """The quantity as Odoo keeps it. Raises `Refused` where Odoo's digits would bend it: in the line, or in the stock,
    which is counted in the product's own unit."""
    asked, step = Decimal(one.text("qty")), await one.steps.step(LINE, "quantity")
    kept, finest = replace(unit, step=max(unit.step, step)), replace(own, step=max(own.step, step))
    line = converted(asked, kept, kept)
    wanted, stock = exactly(asked, unit, own), converted(asked, unit, finest)
    if line <= 0 or abs(line - asked) > asked * _BENT or abs(stock - wanted) > wanted * _BENT:
        raise Refused(
            "precision",
            f"{quantity(asked)} {unit.name} of {product['display_name']} would be {quantity(stock)} {own.name}, for "
            f"Odoo counts it in steps of {quantity(finest.step)} {own.name}: count the product in a smaller unit, or "
            "give that unit more digits",
        )
    return line


def _filled_in(order: Order, move: Row, units: Units) -> bool:
    """Whether Odoo itself picked the component, at the bill's ratio, and nobody said that so much was used."""
    if not move["manual_consumption"]:
        return True
    unit, stands = units[move["product_uom"][0]], number(move["quantity"])
    return any(unit.same(stands, made * number(move["unit_factor"])) for made in (order.counted, order.wanted))


async def take(steps: Steps, report: Report, place: int, left: Decimal) -> tuple[list[Taken], Decimal]:
    """From where it lies, and what is missing. What other orders used up is not there any more."""
    of_lot = [["product_id", "=", report.product["id"]], ["lot_id", "=", report.lot_id or False]]
    there = [*of_lot, ["location_id", "child_of", place], ["quantity", ">", 0]]
    quants = await steps.search("stock.quant", there, ["quantity", "location_id", "package_id"])
    closed = ["done", "cancel"]
    used = await steps.search(LINE, [*of_lot, ["picked", "=", True], ["state", "not in", closed]], _LINE_FIELDS)
    dropped = {line["id"] for line in report.dropped}
    units = await read_units(steps, {line["product_uom_id"][0] for line in used} | {report.product["uom_id"][0]}, [])
    taken: list[Taken] = []
    for quant in quants:
        spot = (quant["location_id"][0], linked(quant["package_id"]))
        mine = [line for line in used if line["id"] not in dropped and _spot(line) == spot]
        free = _free(number(quant["quantity"]), mine, units, report)
        if (amount := min(left, free)) > 0:
            taken.append(Taken(place=spot[0], package=spot[1], amount=amount))
            left -= amount
    return taken, left


def _spot(line: Row) -> tuple[int, int]:
    return line["location_id"][0], linked(line["package_id"])


def _free(lies: Decimal, used: Iterable[Row], units: Units, report: Report) -> Decimal:
    """What of a quantity in the product's unit is not used up, in the reported unit, rounded down."""
    own = units[report.product["uom_id"][0]]
    gone = (converted(number(line["quantity"]), units[line["product_uom_id"][0]], own) for line in used)
    return converted(lies - sum(gone, Decimal(0)), own, report.unit, "ROUND_DOWN")
