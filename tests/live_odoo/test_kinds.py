"""Every kind of transaction on a real Odoo: once, twice, four times at once, and what then stands in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from ruleset.transaction import (
    Transaction,
)
from tests.live_odoo.postings import (
    completion,
    component_scrap,
    consume,
    consumption,
    count,
    downtime,
    finish,
    hold,
    internal_stock,
    lot,
    maintenance,
    note,
    scrap,
    scrap_moves,
    start,
)
from tests.odoo_adapter.situations import AT_MS, CAUSE, HOUSING, PRESS, Bench, both_modes, complete, progress

mode = both_modes

Domain = Callable[[str, str], list[list[object]]]
EFFECTS: dict[Callable[[Bench, str], Awaitable[Transaction]], tuple[str, Domain]] = {
    count: ("mrp.production", lambda order, key: [["id", "=", int(order[3:])], ["qty_producing", "=", 4]]),
    start: ("mrp.workorder", lambda order, key: [["production_id", "=", int(order[3:])], ["state", "=", "progress"]]),
    finish: ("mrp.workorder", lambda order, key: [["production_id", "=", int(order[3:])], ["state", "=", "done"]]),
    scrap: ("stock.scrap", lambda order, key: [["origin", "like", key], ["state", "=", "done"]]),
    consume: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
    lot: ("mail.message", lambda order, key: [["model", "=", "stock.lot"], ["body", "ilike", key]]),
    downtime: ("mrp.workcenter.productivity", lambda order, key: [["description", "ilike", key]]),
    note: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
    maintenance: ("maintenance.request", lambda order, key: [["description", "ilike", key]]),
    completion: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
    hold: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
}
"""How often each kind's effect is found: its model, and a domain that finds it by the transaction's key."""


@pytest.mark.parametrize("build", EFFECTS, ids=lambda build: build.__name__)
async def test_once_twice_and_four_times_at_once_is_one_effect(
    build: Callable[[Bench, str], Awaitable[Transaction]], bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    transaction = await build(bench, order)
    answers = await asyncio.gather(*(bench.post([transaction]) for _ in range(4)))
    answers.append(await bench.post([transaction]))
    repeated = [one.receipt.repeated for (one,) in answers if isinstance(one, Applied)]
    assert sorted(repeated) == [False, True, True, True, True]
    model, domain = EFFECTS[build]
    found = await admin.call(model, "search_count", writes=False, domain=domain(order, transaction.key))
    assert found == 1


async def test_a_completion_keeps_its_genealogy_and_its_actual_consumption(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    transaction = complete(bench, order)
    await bench.post([await start(bench, order), progress(bench, order, 7), await scrap(bench, order)])
    (applied,) = await bench.post([transaction])
    assert isinstance(applied, Applied)
    (refused,) = await bench.post([complete(bench, order, name="/other")])
    assert isinstance(refused, Declined)
    lines = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[["move_id.raw_material_production_id", "=", int(order[3:])]],
        fields=["product_id", "lot_id", "quantity"],
        order="id",
    )
    used: dict[tuple[str, str | bool], float] = {}
    for one in lines:  # what is beyond the bill of materials is a line of its own before 19
        what = (one["product_id"][1], one["lot_id"] and one["lot_id"][1])
        used[what] = round(used.get(what, 0) + one["quantity"], 6)
    assert used == {
        ("[RESIN-A] Resin A", "R-1"): 0.3,
        ("[RESIN-A] Resin A", "R-2"): 0.2,
        ("[BOX] Box", False): 11.0,
    }
    (made,) = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[["lot_id.name", "=", transaction.lot], ["state", "=", "done"]],
        fields=["quantity", "consume_line_ids"],
    )
    assert made["quantity"] == 10
    assert sorted(made["consume_line_ids"]) == sorted(one["id"] for one in lines)


async def test_a_hold_keeps_the_goods_out_of_stock(bench: Bench, admin: OdooApi) -> None:
    transaction = await hold(bench, await bench.order(10))
    await bench.post([transaction])
    assert await internal_stock(admin, transaction.lot or "") == [("WH/Quality Hold", 10.0)]


async def test_scrap_of_the_order_stays_scrap_when_the_order_goes_on_hold(bench: Bench, admin: OdooApi) -> None:
    """Odoo moves what was scrapped along when an order's destination changes."""
    order = await bench.order(10)
    held = await hold(bench, order)
    outcomes = await bench.post([await scrap(bench, order), await component_scrap(bench, order), held])
    assert [one for one in outcomes if not isinstance(one, Applied)] == []
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 11.0}
    assert await internal_stock(admin, held.lot or "") == [("WH/Quality Hold", 10.0)]
    assert await scrap_moves(admin, order) == 2


async def test_scrap_of_the_order_is_no_consumption_of_its_completion(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    done = complete(bench, order)
    outcomes = await bench.post([await scrap(bench, order), await component_scrap(bench, order), done])
    assert [one for one in outcomes if not isinstance(one, Applied)] == []
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 11.0}
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 10.0)]
    assert await scrap_moves(admin, order) == 2


async def test_starting_work_leaves_the_quantity_alone_and_finishing_keeps_the_machines_times(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    done = await finish(bench, order)
    await bench.post([await start(bench, order), done])
    (read,) = await admin.call(
        "mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing", "state"]
    )
    assert (read["qty_producing"], read["state"]) == (0.0, "progress")
    (work,) = await admin.call(
        "mrp.workorder",
        "read",
        writes=False,
        ids=[int(done.work_order[3:])],
        fields=["date_start", "date_finished", "state"],
    )
    assert (work["date_start"], work["date_finished"]) == ("2026-11-23 02:13:20", "2026-11-23 03:13:20")


async def test_scrap_of_unfinished_pieces_never_touches_stock(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    (applied,) = await bench.post([await scrap(bench, order)])
    assert isinstance(applied, Applied)
    tagged = (await admin.capabilities()).scrap_reasons
    fields = ["scrap_qty", "location_id", "origin", *(["scrap_reason_tag_ids"] if tagged else [])]
    (read,) = await admin.call("stock.scrap", "read", writes=False, ids=[applied.receipt.id], fields=fields)
    assert (read["scrap_qty"], read["location_id"][1].rpartition("/")[2]) == (3.0, "Production")
    if not tagged:
        assert read["origin"].endswith("/" + bench.fresh + " Burn mark")
        return
    tags = await admin.call(
        "stock.scrap.reason.tag", "read", writes=False, ids=read["scrap_reason_tag_ids"], fields=["name"]
    )
    assert [tag["name"] for tag in tags] == ["Burn mark"]


REFUSALS: dict[str, tuple[str, Callable[[Bench, str], Transaction]]] = {
    "more than the tolerance": ("too_much", lambda b, o: progress(b, o, 11)),
    "a unit of another kind": ("unit", lambda b, o: progress(b, o, 4, unit="kg")),
    "an order that is not there": ("missing", lambda b, o: progress(b, "mo-99999999", 4)),
    "more than ordered": ("too_much", lambda b, o: complete(b, o, quantity=11)),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_it_refuses(why: str, bench: Bench, admin: OdooApi) -> None:
    code, build = REFUSALS[why]
    order = await bench.order(10)
    (declined,) = await bench.post([build(bench, order)])
    assert isinstance(declined, Declined)
    assert declined.code == code
    (read,) = await admin.call(
        "mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing", "state"]
    )
    assert (read["qty_producing"], read["state"]) == (0.0, "confirmed")


async def test_a_lot_without_stock_is_refused_and_leaves_nothing_behind(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    wanted = complete(bench, order)
    missing = type(wanted)(
        key=wanted.key,
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=wanted.order,
        quantity=wanted.quantity,
        unit="pcs",
        lot=wanted.lot,
        consumed=(type(HOUSING[0])(product="RESIN-A", quantity=Decimal(1), unit="kg", lot="NOBODY"),),
    )
    (declined,) = await bench.post([missing])
    assert isinstance(declined, Declined)
    assert declined.code == "no_lot"
    assert await admin.call("stock.lot", "search_count", writes=False, domain=[["name", "=", wanted.lot]]) == 0
    (applied,) = await bench.post([wanted])
    assert isinstance(applied, Applied)
    assert not applied.receipt.repeated
