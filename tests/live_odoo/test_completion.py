"""Completions as plants have them, on a real Odoo: less than ordered, by-products, serial numbers, strict bills."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.seed import Planner
from ruleset.transaction import Byproduct, Complete, Consumption, OrderRef, QualityHold, Short
from tests.live_odoo.master import Master
from tests.live_odoo.postings import consumption, internal_stock
from tests.odoo_adapter.situations import AT_MS, CAUSE, PRESS, Bench, both_modes, progress

mode = both_modes


@pytest.fixture
def master(admin: OdooApi, planner: Planner) -> Master:
    return Master(admin)


def made(bench: Bench, order: str, quantity: int, *, resin: str = "", short: Short = "close") -> Complete:
    return Complete(
        key=bench.key(f"complete/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(quantity),
        unit="pcs",
        lot=f"F-{order}-{bench.fresh}",
        consumed=(Consumption(product="RESIN-A", quantity=Decimal(resin or quantity) / 20, unit="kg", lot="R-1"),),
        short=short,
    )


def with_sprues(bench: Bench, done: Complete, quantity: int) -> Complete:
    sprues = Byproduct(product="SPRUE", quantity=Decimal(quantity), unit="pcs", lot=f"S-{done.order}-{bench.fresh}")
    return structs.replace(done, byproducts=(sprues,))


async def order_row(admin: OdooApi, order: str) -> Mapping[str, Any]:
    fields = ["state", "product_qty", "qty_producing", "qty_produced", "move_finished_ids", "move_raw_ids", "name"]
    (row,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=fields)
    found: Mapping[str, Any] = row
    return found


async def brought(admin: OdooApi, order: str) -> dict[tuple[str, str], float]:
    """What the order brought, by product and lot."""
    lines = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[["move_id.production_id", "=", int(order[3:])], ["state", "=", "done"]],
        fields=["product_id", "lot_id", "quantity"],
    )
    sums: dict[tuple[str, str], float] = {}
    for line in lines:
        code = line["product_id"][1].partition("]")[0].removeprefix("[")
        what = code, line["lot_id"][1] if line["lot_id"] else ""
        sums[what] = round(sums.get(what, 0) + line["quantity"], 6)
    return sums


async def orders_of(admin: OdooApi, product: str) -> int:
    found: int = await admin.call(
        "mrp.production", "search_count", writes=False, domain=[["product_id.default_code", "=", product]]
    )
    return found


@pytest.mark.parametrize("short", ["close", "backorder"])
async def test_less_than_ordered_is_closed_or_leaves_a_backorder_and_by_products_are_what_came(
    short: Short, bench: Bench, admin: OdooApi, master: Master
) -> None:
    order = await master.frames(500)
    before = await orders_of(admin, "FRAME")
    done = with_sprues(bench, made(bench, order, 487, short=short), 9)
    await bench.post([progress(bench, order, 480)])
    (applied,) = await bench.post([done])
    assert isinstance(applied, Applied), applied
    row = await order_row(admin, order)
    assert (row["state"], row["qty_produced"]) == ("done", 487)
    sprues = done.byproducts[0].lot or ""
    assert await brought(admin, order) == {("FRAME", done.lot): 487, ("SPRUE", sprues): 9, ("SLUG", ""): 48.7}
    assert await consumption(admin, order) == {"RESIN-A": 24.35, "BOX": 487}
    rest = applied.receipt.details["backorder"]
    assert await orders_of(admin, "FRAME") == before + (short == "backorder")
    if short == "close":
        assert rest is None
    else:
        left = await order_row(admin, str(rest))
        assert (left["state"], left["product_qty"], left["qty_produced"]) == ("confirmed", 13, 0)
    (again,) = await bench.post([done])
    assert isinstance(again, Applied)
    assert (again.receipt.repeated, again.receipt.details) == (True, applied.receipt.details)
    assert await orders_of(admin, "FRAME") == before + (short == "backorder")


async def test_goods_on_hold_leave_a_backorder_too(bench: Bench, admin: OdooApi, master: Master) -> None:
    order = await master.frames(50)
    done = with_sprues(bench, made(bench, order, 40, short="backorder"), 0)
    fields = {name: getattr(done, name) for name in done.__struct_fields__}
    held = QualityHold(**fields)
    (applied,) = await bench.post([held])
    assert isinstance(applied, Applied), applied
    left = await order_row(admin, str(applied.receipt.details["backorder"]))
    assert (left["state"], left["product_qty"]) == ("confirmed", 10)
    assert await internal_stock(admin, done.lot or "") == [("WH/Quality Hold", 40.0)]
    assert await brought(admin, order) == {("FRAME", done.lot): 40, ("SLUG", ""): 4}


@pytest.mark.parametrize(
    ("code", "byproduct"),
    [
        ("no_byproduct", Byproduct(product="BOX", quantity=Decimal(1), unit="pcs")),
        ("lot_missing", Byproduct(product="SPRUE", quantity=Decimal(1), unit="pcs")),
        ("unit", Byproduct(product="SPRUE", quantity=Decimal(1), unit="kg", lot="S-1")),
        ("byproduct_missing", None),
    ],
)
async def test_by_products_that_do_not_fit_are_refused(
    code: str, byproduct: Byproduct | None, bench: Bench, admin: OdooApi, master: Master
) -> None:
    order = await master.frames(10)
    done = structs.replace(made(bench, order, 10), byproducts=() if byproduct is None else (byproduct,))
    (declined,) = await bench.post([done])
    assert isinstance(declined, Declined), declined
    assert declined.code == code
    row = await order_row(admin, order)
    assert (row["state"], row["qty_producing"]) == ("confirmed", 0)


async def test_a_strict_bill_of_materials_takes_its_ratio_only(bench: Bench, admin: OdooApi, master: Master) -> None:
    order = await master.frames(20, consumption="strict")
    other = with_sprues(bench, made(bench, order, 10, resin="11", short="backorder"), 1)
    (declined,) = await bench.post([other])
    assert isinstance(declined, Declined), declined
    assert declined.code == "strict"
    row = await order_row(admin, order)
    assert (row["state"], row["qty_producing"]) == ("confirmed", 0)
    (applied,) = await bench.post([with_sprues(bench, made(bench, order, 10, short="backorder"), 1)])
    assert isinstance(applied, Applied), applied
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 10}


def meters(bench: Bench, order: str, count: int, *, short: Short = "close") -> Complete:
    serials = tuple(f"M{number}-{order}-{bench.fresh}" for number in range(1, count + 1))
    return structs.replace(made(bench, order, count, short=short), lot=None, serials=serials)


async def takes_several(bench: Bench, admin: OdooApi, mode: str) -> bool:
    """Before 19 an order has one serial number, and several need one transaction of the database."""
    return mode == "inbox" or (await admin.capabilities()).finished_lot_many


@pytest.mark.parametrize(("ordered", "left"), [(3, 0), (5, 2)])
async def test_each_piece_gets_its_serial_number(
    ordered: int, left: int, bench: Bench, admin: OdooApi, master: Master, mode: str
) -> None:
    order = await master.meters(ordered)
    done = meters(bench, order, 3, short="backorder")
    (outcome,) = await bench.post([done])
    if not await takes_several(bench, admin, mode):
        assert isinstance(outcome, Declined)
        assert outcome.code == "serials"
        assert (await order_row(admin, order))["state"] == "confirmed"
        return
    assert isinstance(outcome, Applied), outcome
    assert [await internal_stock(admin, one) for one in done.serials] == [[("WH/Stock", 1.0)]] * 3
    orders: Any = outcome.receipt.details["orders"]
    used = [await consumption(admin, one) for one in orders]
    assert {name: round(sum(one[name] for one in used), 6) for name in used[0]} == {"RESIN-A": 0.15, "BOX": 3}
    rest = outcome.receipt.details["backorder"]
    assert (rest and (await order_row(admin, str(rest)))["product_qty"]) == (left or None)
    (again,) = await bench.post([done])
    assert isinstance(again, Applied)
    assert again.receipt.repeated


async def test_one_piece_at_a_time_with_its_serial_number_goes_on_every_version(
    bench: Bench, admin: OdooApi, master: Master
) -> None:
    order = await master.meters(2)
    first = meters(bench, order, 1, short="backorder")
    (applied,) = await bench.post([first])
    assert isinstance(applied, Applied), applied
    rest = str(applied.receipt.details["backorder"])
    (last,) = await bench.post([meters(bench, rest, 1)])
    assert isinstance(last, Applied), last
    assert (await order_row(admin, rest))["state"] == "done"
    assert await internal_stock(admin, first.serials[0]) == [("WH/Stock", 1.0)]


@pytest.mark.parametrize("count", [1, 3])
async def test_as_many_serial_numbers_as_pieces_are_asked_for(
    count: int, bench: Bench, admin: OdooApi, master: Master
) -> None:
    order = await master.meters(2)
    wrong = structs.replace(meters(bench, order, count), quantity=Decimal(2), consumed=())
    (declined,) = await bench.post([wrong])
    assert isinstance(declined, Declined), declined
    assert declined.code == "serials"
    assert (await order_row(admin, order))["state"] == "confirmed"
