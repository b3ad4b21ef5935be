"""Goods on hold and back, on a real Odoo."""

from __future__ import annotations

import asyncio

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from tests.live_odoo.postings import internal_stock
from tests.live_odoo.quality import hold_stock, notes, release, stocked
from tests.odoo_adapter.situations import Bench, both_modes

mode = both_modes


async def stock(admin: OdooApi, lot: str) -> list[tuple[str, float]]:
    return sorted(one for one in await internal_stock(admin, lot) if one[1])


async def test_a_lot_in_stock_goes_on_hold_and_back_once_each(bench: Bench, admin: OdooApi) -> None:
    lot = await stocked(bench, await bench.order(10))
    for transaction, place in (
        (hold_stock(bench, lot), "WH/Quality Hold"),
        (release(bench, lot), "WH/Stock"),
    ):
        answers = await asyncio.gather(*(bench.post([transaction]) for _ in range(4)))
        repeated = [one.receipt.repeated for (one,) in answers if isinstance(one, Applied)]
        assert sorted(repeated) == [False, True, True, True]
        assert await stock(admin, lot) == [(place, 10.0)]
        ((outcome,), *_) = answers
        assert isinstance(outcome, Applied)
        assert await notes(admin, "stock.picking", outcome.receipt.id, transaction.key) == 1
        pickings = await admin.call(
            "stock.picking", "search_read", writes=False, domain=[["origin", "=", transaction.key]], fields=["state"]
        )
        assert [one["state"] for one in pickings] == ["done"]


async def test_a_part_of_a_lot_goes_on_hold_and_a_part_of_that_comes_back(bench: Bench, admin: OdooApi) -> None:
    lot = await stocked(bench, await bench.order(10))
    await bench.post([hold_stock(bench, lot, 6)])
    await bench.post([release(bench, lot, 2)])
    assert await stock(admin, lot) == [("WH/Quality Hold", 4.0), ("WH/Stock", 6.0)]


async def test_more_than_stands_in_stock_is_refused_as_a_whole(bench: Bench, admin: OdooApi) -> None:
    lot = await stocked(bench, await bench.order(10))
    (refused,) = await bench.post([hold_stock(bench, lot, 12)])
    assert isinstance(refused, Declined)
    assert refused.code == "no_stock"
    assert refused.reason == f"only 10.0 of 12.0 Units of {lot} of HOUSING are in stock"
    assert await stock(admin, lot) == [("WH/Stock", 10.0)]


async def test_a_lot_of_which_a_part_is_reserved_stays_where_it_is(bench: Bench, admin: OdooApi) -> None:
    lot = await stocked(bench, await bench.order(10))
    await reserve(admin, lot, 3)
    (refused,) = await bench.post([hold_stock(bench, lot)])
    assert isinstance(refused, Declined)
    assert refused.code == "reserved"
    assert refused.reason.startswith(f"only 7.0 of 10.0 Units of {lot} of HOUSING are free, 3.0 are reserved for WH/")
    (part,) = await bench.post([hold_stock(bench, lot, 7, name="/part")])
    assert isinstance(part, Applied)
    assert await stock(admin, lot) == [("WH/Quality Hold", 7.0), ("WH/Stock", 3.0)]


async def test_nothing_comes_back_where_nothing_is_on_hold(bench: Bench, admin: OdooApi) -> None:
    lot = await stocked(bench, await bench.order(10))
    refused = await bench.post([release(bench, lot)])
    assert [(one.code, one.reason) for one in refused if isinstance(one, Declined)] == [
        ("not_held", f"nothing of {lot} of HOUSING is on hold")
    ]
    assert await stock(admin, lot) == [("WH/Stock", 10.0)]


async def reserve(admin: OdooApi, lot: str, quantity: float) -> None:
    """What a warehouse does: a transfer that waits to be carried out holds a part of the lot."""
    (quant,) = await admin.call(
        "stock.quant",
        "search_read",
        writes=False,
        domain=[["lot_id.name", "=", lot], ["location_id.usage", "=", "internal"], ["quantity", ">", 0]],
        fields=["product_id", "lot_id", "location_id", "product_uom_id"],
    )
    (kind,) = await admin.call(
        "stock.picking.type", "search", writes=False, domain=[["code", "=", "internal"]], limit=1
    )
    here = quant["location_id"][0]
    route = {"product_id": quant["product_id"][0], "location_id": here, "location_dest_id": here}
    unit = quant["product_uom_id"][0]
    line = {**route, "lot_id": quant["lot_id"][0], "quantity": quantity, "product_uom_id": unit}
    move = {**route, "product_uom_qty": quantity, "product_uom": unit, "move_line_ids": [[0, 0, line]]}
    if await admin.call("stock.move", "fields_get", writes=False, allfields=["name"], attributes=["type"]):
        move["name"] = "kept"
    values = {"picking_type_id": kind, "location_id": here, "location_dest_id": here, "move_ids": [[0, 0, move]]}
    made = await admin.call("stock.picking", "create", writes=True, vals_list=[values])
    await admin.call("stock.picking", "action_confirm", writes=True, ids=made)
