"""Scrap: a draft that is made once, then validated once. Validating it twice would scrap twice (seen on 17 to 19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from odoo_adapter.errors import Refused, Uncertain
from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.lot import Lot, read_lot
from odoo_adapter.look_first.order import Order, read_order
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.unit import number, read_units
from odoo_adapter.odoo import Outcome, Receipt

MODEL: Final = "stock.scrap"
TAG: Final = "stock.scrap.reason.tag"
_FIELDS: Final = ["name", "state", "origin", "scrap_qty", "product_id", "production_id", "location_id"]


async def apply_scrap(one: Attempt) -> Outcome:
    row = await _made(one) or await _draft(one)
    if row["state"] == "done":
        return one.applied(_receipt(row, repeated=True))
    await _validate(one, row)
    (done,) = await one.steps.read(MODEL, [row["id"]], _FIELDS)
    if done["state"] != "done":
        raise Refused("no_stock", f"{one.text('qty')} {row['product_id'][1]}; {await _take_away(one.steps, row)}")
    return one.applied(_receipt(done))


async def find_scrap(one: Attempt) -> Receipt | None:
    row = await _made(one)
    return _receipt(row, repeated=True) if row is not None and row["state"] == "done" else None


async def _made(one: Attempt) -> Row | None:
    """The scrap with this key, draft or done, as it is asked for. Raises `Refused` where another quantity is done."""
    for row in await one.steps.search(MODEL, [["origin", "=", _origin(one)]], _FIELDS):
        same = await _is_same(one, row)
        if not same and row["state"] == "done":
            raise Refused("conflict", f"posted before with other content, as {MODEL} {row['id']}")
        return row if same else None
    return None


def _origin(one: Attempt) -> str:
    """The key, and behind it the reason where Odoo has no tags for that. A key may begin another one."""
    return one.key if one.steps.can.scrap_reasons else f"{one.key} {one.text('reason')}"


async def _is_same(one: Attempt, row: Row) -> bool:
    product = await _product(one, row["product_id"][0])
    units = await read_units(one.steps, [product["uom_id"][0]], [one.text("uom")])
    unit = units[product["uom_id"][0]]
    asked = one.p.get("product") or product["default_code"]
    quantity = units.quantity(one.text("qty"), one.text("uom"), unit)
    return bool(product["default_code"] == asked) and unit.same(quantity, number(row["scrap_qty"]))


async def _draft(one: Attempt) -> Row:
    """Everything is looked up before the draft is made."""
    steps = one.steps
    order = await read_order(steps, one.text("order")) if one.p.get("order") else None
    if order is not None:
        order.check_open(("draft", "cancel"))
    product = await _product_of(one, order)
    in_work = order is not None and product["id"] == order.product and order.state != "done"
    unit = product["uom_id"][0]
    units = await read_units(steps, [unit], [one.text("uom")])
    quantity = units.positive(one.text("qty"), one.text("uom"), units[unit])
    lot = await _lot(one, product, order if in_work else None)
    row = {"product_id/.id": str(product["id"]), "scrap_qty": str(quantity), "product_uom_id/.id": str(unit)}
    if order is not None:
        row["production_id/.id"] = str(order.id)
        if in_work:
            row["location_id/.id"] = str(order.production)  # bad pieces were never in stock
    if lot is not None:
        row["lot_id/.id"] = str(await lots.ensure(steps, lot))
    (id,) = await steps.load(MODEL, one.key, [row | await _reason(one)])
    (made,) = await steps.read(MODEL, [id], _FIELDS)
    if await _is_same(one, made):
        return made
    if made["state"] == "done":  # it was there already, where its source or its reason is another now
        raise Refused("conflict", f"posted before with other content, as {MODEL} {id}")
    await steps.write(MODEL, [id], _as_written(row))  # a draft that was declined, of an entry that was corrected since
    (mended,) = await steps.read(MODEL, [id], _FIELDS)
    return mended


def _as_written(row: Mapping[str, str]) -> dict[str, object]:
    """A row of `load` as values of `write`."""
    return {
        name.removesuffix("/.id"): int(text) if name.endswith("/.id") else float(text) for name, text in row.items()
    }


async def _product_of(one: Attempt, order: Order | None) -> Row:
    if code := one.text("product"):
        fields = ["default_code", "display_name", "tracking", "uom_id"]
        return await one.steps.only("product.product", [["default_code", "=", code]], fields, f"product {code}")
    if order is None:
        raise Refused("missing", "product or order")
    return await _product(one, order.product)


async def _product(one: Attempt, id: int) -> Row:
    (row,) = await one.steps.read("product.product", [id], ["default_code", "display_name", "tracking", "uom_id"])
    return row


async def _lot(one: Attempt, product: Row, in_work: Order | None) -> Lot | None:
    """The lot that is named, or for pieces in work one of the order's own name."""
    if product["tracking"] == "none":
        return None
    name = one.text("lot") or (in_work.name if in_work is not None else "")
    return await read_lot(one.steps, product["id"], product["display_name"], name, may_be_new=in_work is not None)


async def _reason(one: Attempt) -> dict[str, str]:
    """The source and the reason: a tag, made when needed, where Odoo has tags."""
    reason = one.text("reason")
    if not one.steps.can.scrap_reasons:
        return {"origin": _origin(one)}
    tags = [row["id"] for row in await one.steps.search(TAG, [["name", "=", reason]], ["name"])]
    if not tags:
        tags = await one.steps.load(TAG, f"tag:{reason}", [{"name": reason}])
    return {"origin": _origin(one), "scrap_reason_tag_ids/.id": str(tags[0])}


async def _validate(one: Attempt, row: Row) -> None:
    """Odoo's own button asks for stock; pieces in work come from production, where nothing is counted."""
    location = await one.steps.one("stock.location", row["location_id"][0], ["usage"])
    if location is None:
        raise Uncertain(f"the place of {MODEL} {row['id']} cannot be read")
    in_work = location["usage"] == "production"
    await one.steps.act(MODEL, "do_scrap" if in_work else "action_validate", [row["id"]])


async def _take_away(steps: Steps, row: Row) -> str:
    """Without the rights of an inventory administrator nobody deletes a scrap, not even one's own draft (17 to 19)."""
    try:
        await steps.act(MODEL, "unlink", [row["id"]])
    except Refused:
        return f"its draft {MODEL} {row['id']} stays in Odoo, and is used when this is replayed"
    return "its draft was taken away"


def _receipt(row: Row, *, repeated: bool = False) -> Receipt:
    return receipt(MODEL, row["id"], repeated=repeated, name=row["name"])
