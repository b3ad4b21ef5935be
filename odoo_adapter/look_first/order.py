"""A manufacturing order as it stands in Odoo now, and what may be done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.steps import Steps
from odoo_adapter.look_first.unit import Unit, number
from odoo_adapter.plan import quantity
from ruleset.sample import Plain

MODEL: Final = "mrp.production"
CLOSED: Final = ("draft", "done", "cancel")
"""States of an order in which nothing more happens to it."""

_FIELDS: Final = [
    "name",
    "state",
    "product_id",
    "product_qty",
    "product_uom_id",
    "qty_producing",
    "qty_produced",
    "consumption",
    "location_dest_id",
    "production_location_id",
    "move_raw_ids",
    "move_finished_ids",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`counted` is the quantity that progress writes, `wanted` what is ordered, `made` what a done order brought."""

    id: int
    name: str
    state: str
    product: int
    product_name: str
    unit: int
    wanted: Decimal
    counted: Decimal
    made: Decimal
    strict: bool
    destination: int
    production: int
    components: tuple[int, ...]
    finished: tuple[int, ...]
    lots: tuple[int, ...]

    def check_open(self, closed: tuple[str, ...] = CLOSED) -> None:
        """Raise `Refused` in a state in which this cannot happen any more, or not yet."""
        if self.state in closed:
            raise Refused("order_state", f"{self.name} is {self.state}")

    def is_beyond(self, amount: Decimal, unit: Unit, p: Mapping[str, Plain]) -> bool:
        """Whether this is more than is ordered with its tolerance."""
        return amount > self.wanted * (1 + Decimal(str(p.get("over") or 0))) + unit.step / 2

    def check_limit(self, amount: Decimal, unit: Unit, p: Mapping[str, Plain]) -> None:
        """Raise `Refused` for more than is ordered with its tolerance, unless a person released it."""
        if not p.get("consent") and self.is_beyond(amount, unit, p):
            raise Refused("too_much", f"{quantity(amount)} of {quantity(self.wanted)} {unit.name}")


async def read_order(steps: Steps, reference: str) -> Order:
    """The order of a reference such as `mo-42`. Raises `Refused` if it is not there."""
    row = await steps.one(MODEL, int(reference[3:]), [*_FIELDS, steps.can.finished_lots_field])
    if row is None:
        raise Refused("missing", f"manufacturing order {reference}")
    return Order(
        id=row["id"],
        name=row["name"],
        state=row["state"],
        product=row["product_id"][0],
        product_name=row["product_id"][1],
        unit=row["product_uom_id"][0],
        wanted=number(row["product_qty"]),
        counted=number(row["qty_producing"]),
        made=number(row["qty_produced"]),
        strict=row["consumption"] == "strict",
        destination=row["location_dest_id"][0],
        production=row["production_location_id"][0],
        components=tuple(row["move_raw_ids"]),
        finished=tuple(row["move_finished_ids"]),
        lots=tuple(steps.can.finished_lots(row)),
    )


async def write_counted(steps: Steps, order: int, amount: Decimal) -> None:
    """Set the quantity that progress counts."""
    await steps.write(MODEL, [order], {"qty_producing": float(amount)})
