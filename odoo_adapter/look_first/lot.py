"""Lots by name: of one product there is one of each name, and nobody makes a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.steps import Steps

MODEL: Final = "stock.lot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """`id` 0: not there yet."""

    id: int
    product: int
    name: str


async def read_lot(steps: Steps, product: int, product_name: str, name: str, *, may_be_new: bool = False) -> Lot:
    """The lot of this name. Raises `Refused` where there is none, unless it may be made later, or several."""
    if not name:
        raise Refused("lot_missing", product_name)
    rows = await steps.search(MODEL, [["name", "=", name], ["product_id", "=", product], steps.ours()], ["id"])
    if len(rows) > 1:
        raise Refused("lot_ambiguous", name)
    if not rows and not may_be_new:
        raise Refused("no_lot", f"{name} of {product_name}")
    return Lot(id=rows[0]["id"] if rows else 0, product=product, name=name)


async def ensure(steps: Steps, lot: Lot, **more: str) -> int:
    """Its id; it is made now, with what `more` says of it, if it was not there."""
    if lot.id:
        return lot.id
    company = str(steps.company)
    row = {"name": lot.name, "product_id/.id": str(lot.product), "company_id/.id": company, **more}
    (id,) = await steps.load(MODEL, f"lot:{company}:{lot.product}:{lot.name}", [row])
    return id
