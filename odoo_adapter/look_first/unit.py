"""Units of measure, and quantities in them as Odoo counts: converted, then rounded half up as the unit is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.steps import Domain, Row, Steps

_MOST: Final = Decimal(10) ** 12
_DIGITS: Final = Decimal(1).scaleb(-9)
"""What is behind these digits comes from factors that are stored as binary fractions."""

_LEAST_STEP: Final = Decimal("0.01")
"""Odoo stores quantities with two digits, also where a unit is finer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`kind` is what it measures, `size` how much of the kind's own unit one is, `step` what it is rounded to."""

    id: int
    name: str
    kind: str
    size: Decimal
    step: Decimal

    def same(self, one: Decimal, other: Decimal) -> bool:
        """Whether two quantities in this unit are the same for Odoo."""
        difference = abs(one - other) * 2
        return difference < self.step or difference <= _LEAST_STEP


class Units:
    """The units that one transaction speaks of."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {unit.id: unit for unit in units}

    def __getitem__(self, id: int) -> Unit:
        return self._units[id]

    def named(self, name: str, like: Unit) -> Unit:
        """The unit of this name that measures the same as another. Raises `Refused` where there is none, or several
        have the name."""
        units = [unit for unit in self._units.values() if unit.name == name]
        if len(units) > 1:
            raise Refused("ambiguous", f"unit {name}: {len(units)} units have this name")
        if not units or units[0].kind != like.kind:
            raise Refused("unit", f"{name} is not convertible to {like.name}")
        return units[0]

    def quantity(self, text: object, name: str, into: Unit) -> Decimal:
        """A decimal string in the unit of this name, in another. Raises `Refused` where they do not fit."""
        amount = Decimal(str(text))
        if not 0 <= amount < _MOST:
            raise Refused("quantity", str(text))
        return converted(amount, self.named(name, into), into)

    def positive(self, text: object, name: str, into: Unit) -> Decimal:
        """The same, above zero after rounding."""
        amount = self.quantity(text, name, into)
        if amount <= 0:
            raise Refused("quantity", f"{text} {name}")
        return amount


def exactly(amount: Decimal, unit: Unit, into: Unit) -> Decimal:
    """An amount in another unit of the same kind, not rounded as that one is."""
    return (amount * unit.size / into.size).quantize(_DIGITS)


def converted(amount: Decimal, unit: Unit, into: Unit, rounding: str = ROUND_HALF_UP) -> Decimal:
    """An amount in another unit of the same kind."""
    return (exactly(amount, unit, into) / into.step).quantize(Decimal(1), rounding) * into.step


async def read_units(steps: Steps, ids: Iterable[int], names: Iterable[str]) -> Units:
    """The units with these ids, archived or not, and those in use with these names."""
    named = ["&", ["active", "=", True], ["name", "in", sorted(set(names))]]
    return Units(await find_units(steps, ["|", ["id", "in", sorted(set(ids))], *named]))


async def find_units(steps: Steps, domain: Domain) -> list[Unit]:
    """The units that match."""
    fields = ["name", "factor", "rounding", "category_id" if steps.can.unit_categories else "parent_path"]
    rows = await steps.search("uom.uom", domain, fields)
    return [_unit(row, categories=steps.can.unit_categories) for row in rows]


def _unit(row: Row, *, categories: bool) -> Unit:
    """Before 19 a unit has a category, and `factor` is how many of it are one of the category's own unit."""
    factor = number(row["factor"])
    return Unit(
        id=row["id"],
        name=row["name"],
        kind=str(row["category_id"][0]) if categories else row["parent_path"].partition("/")[0],
        size=1 / factor if categories else factor,
        step=number(row["rounding"]),
    )


def number(value: object) -> Decimal:
    """A number of Odoo's as it is shown: JSON has it as a binary fraction."""
    return Decimal(repr(float(str(value))))
