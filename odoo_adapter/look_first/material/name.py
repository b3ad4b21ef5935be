"""A lot that the floor named: made once, and left as it is where it is there."""

from __future__ import annotations

from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.lot import MODEL, ensure, read_lot
from odoo_adapter.look_first.note import said, say
from odoo_adapter.look_first.steps import Row
from odoo_adapter.odoo import Outcome, Receipt

_BEGIN: Final = "UNS bridge: named"


async def apply_lot(one: Attempt) -> Outcome:
    product = await _product(one)
    if product["tracking"] == "none":
        raise Refused("untracked", f"{one.text('product')} has no lots in Odoo")
    lot = await read_lot(one.steps, product["id"], product["display_name"], one.text("lot"), may_be_new=True)
    if lot.id and await said(one.steps, lot.id, one.key, _BEGIN, MODEL):
        return one.applied(_receipt(one, lot.id, repeated=True))
    id = await ensure(one.steps, lot, **await _expiry(one, product))
    await say(one, id, _BEGIN, "", MODEL)
    return one.applied(_receipt(one, id))


async def find_lot(one: Attempt) -> Receipt | None:
    product = await _product(one)
    lot = await read_lot(one.steps, product["id"], product["display_name"], one.text("lot"))
    noted = await said(one.steps, lot.id, one.key, _BEGIN, MODEL)
    return _receipt(one, lot.id, repeated=True) if noted else None


async def _product(one: Attempt) -> Row:
    code, fields = one.text("product"), ["display_name", "tracking"]
    return await one.steps.only("product.product", [["default_code", "=", code]], fields, f"product {code}")


async def _expiry(one: Attempt, product: Row) -> dict[str, str]:
    """Raises `Refused` where Odoo would not keep it."""
    if not one.text("expires"):
        return {}
    if await one.steps.has_field("product.product", "use_expiration_date"):
        (row,) = await one.steps.read("product.product", [product["id"]], ["use_expiration_date"])
        if row["use_expiration_date"]:
            return {"expiration_date": one.text("expires")}
    raise Refused(
        "expiry",
        f"{one.text('product')} keeps no expiration dates in Odoo: switch them on for the product, or leave them out "
        "of the rule",
    )


def _receipt(one: Attempt, id: int, *, repeated: bool = False) -> Receipt:
    return receipt(MODEL, id, repeated=repeated, lot=one.text("lot"))
