"""Corrections of what was counted and of what an order was completed with, and whose count stands, on a real Odoo."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined, Held
from ruleset.transaction import Correct, OrderRef
from tests.live_odoo.postings import consumption, internal_stock
from tests.odoo_adapter.situations import AT_MS, CAUSE, HOUSING, PRESS, Bench, both_modes, complete, progress

mode = both_modes


def correct(bench: Bench, order: str, by: int, *, name: str = "", lot: str | None = None) -> Correct:
    return Correct(
        key=bench.key(f"correct/{order}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(by),
        unit="pcs",
        corrects=bench.key(f"complete/{order}"),
        reason="recount",
        lot=lot,
    )


async def counted(admin: OdooApi, order: str) -> float:
    (row,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing"])
    return float(row["qty_producing"])


async def notes(admin: OdooApi, model: str, id: int, text: str) -> int:
    domain = [["model", "=", model], ["res_id", "=", id], ["body", "ilike", text]]
    found: int = await admin.call("mail.message", "search_count", writes=False, domain=domain)
    return found


async def test_a_correction_of_what_was_counted_moves_the_total_and_later_totals_count_on_from_there(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(500)
    await bench.post([progress(bench, order, 250)])
    fix = correct(bench, order, -5)
    (applied,) = await bench.post([fix])
    assert isinstance(applied, Applied), applied
    assert (applied.receipt.details["added"], await counted(admin, order)) == (-5, 245)
    assert await notes(admin, "mrp.production", int(order[3:]), fix.key) == 1
    (again,) = await bench.post([fix])
    assert isinstance(again, Applied)
    assert again.receipt.repeated
    (later,) = await bench.post([progress(bench, order, 260)])
    assert isinstance(later, Applied), later
    assert (later.receipt.details["added"], await counted(admin, order)) == (10, 255)
    (more,) = await bench.post([correct(bench, order, 3, name="/more")])
    assert isinstance(more, Applied), more
    assert await counted(admin, order) == 258
    done = complete(bench, order, quantity=258)
    (closed, late) = await bench.post([structs.replace(done, consumed=HOUSING), progress(bench, order, 260)])
    assert isinstance(closed, Applied), closed
    assert isinstance(late, Applied), late


async def test_four_at_once_correct_once(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(500)
    await bench.post([progress(bench, order, 250)])
    fix = correct(bench, order, -5)
    answers = await asyncio.gather(*(bench.post([fix]) for _ in range(4)))
    assert sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied)) == [False, True, True, True]
    assert await counted(admin, order) == 245


@pytest.mark.parametrize(("by", "code"), [(-5, "quantity"), (7, "too_much")])
async def test_a_correction_below_nothing_or_beyond_the_order_is_refused(
    by: int, code: str, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 4)])
    (declined,) = await bench.post([correct(bench, order, by)])
    assert isinstance(declined, Declined), declined
    assert (declined.code, await counted(admin, order)) == (code, 4)


async def test_a_correction_of_a_done_order_takes_pieces_apart_again(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(250)
    done = complete(bench, order, quantity=250)
    await bench.post([done])
    fix = correct(bench, order, -5)
    answers = await asyncio.gather(*(bench.post([fix]) for _ in range(4)))
    (applied,) = (one for (one,) in answers if isinstance(one, Applied) and not one.receipt.repeated)
    assert sum(isinstance(one, Applied) for (one,) in answers) == 4
    assert applied.receipt.model == "mrp.unbuild"
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 245.0)]
    (unbuild,) = await admin.call(
        "mrp.unbuild", "search_read", writes=False, domain=[["mo_id", "=", int(order[3:])]], fields=["state"]
    )
    assert (unbuild["id"], unbuild["state"]) == (applied.receipt.id, "done")
    back = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[["move_id.unbuild_id", "=", unbuild["id"]], ["location_dest_id.usage", "=", "internal"]],
        fields=["product_id", "quantity"],
    )
    returned = {line["product_id"][1]: 0.0 for line in back}
    for line in back:
        returned[line["product_id"][1]] = round(returned[line["product_id"][1]] + line["quantity"], 6)
    assert returned == {"[RESIN-A] Resin A": 0.01, "[BOX] Box": 0.22}  # the share of what it used
    for model, id in (("mrp.unbuild", unbuild["id"]), ("mrp.production", int(order[3:]))):
        assert await notes(admin, model, id, fix.key) == 1
        assert await notes(admin, model, id, fix.corrects) >= 1


async def test_a_done_order_has_no_more_taken_from_it_than_it_made(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    done = complete(bench, order)
    outcomes = await bench.post([done, correct(bench, order, -8), correct(bench, order, -3, name="/two")])
    refused = outcomes[-1]
    assert isinstance(refused, Declined), refused
    assert refused.code == "quantity"
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 2.0)]


async def test_a_done_order_gets_no_more_pieces_and_the_refusal_says_what_to_do(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    _, declined = await bench.post([complete(bench, order), correct(bench, order, 2)])
    assert isinstance(declined, Declined), declined
    assert declined.code == "order_state"
    assert "inventory adjustment" in declined.reason
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 11}


async def test_goods_that_are_not_there_any_more_are_not_taken_apart(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    done = complete(bench, order)
    await bench.post([done])
    lots = await admin.call("stock.lot", "search", writes=False, domain=[["name", "=", done.lot]])
    (lot,) = await admin.call("stock.lot", "read", writes=False, ids=lots, fields=["product_id"])
    scrap = {"product_id": lot["product_id"][0], "scrap_qty": 8, "lot_id": lot["id"]}
    made = await admin.call("stock.scrap", "create", writes=True, vals_list=[scrap])
    await admin.call("stock.scrap", "action_validate", writes=True, ids=made)
    (declined,) = await bench.post([correct(bench, order, -5)])
    assert isinstance(declined, Declined), declined
    assert declined.code == "no_stock"
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 2.0)]
    done_ones = [["mo_id", "=", int(order[3:])], ["state", "=", "done"]]
    assert await admin.call("mrp.unbuild", "search_count", writes=False, domain=done_ones) == 0


async def test_a_whole_quantity_that_a_person_wrote_beside_the_counts_stays(bench: Bench, admin: OdooApi) -> None:
    """Only where nothing was counted does Odoo fill it in by itself."""
    order = await bench.order(10)
    await bench.post([progress(bench, order, 3), progress(bench, order, 1, stream="2")])
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals={"qty_producing": 10})
    (outcome,) = await bench.post([progress(bench, order, 2, stream="2")])
    assert isinstance(outcome, Declined | Held), outcome
    assert await counted(admin, order) == 10
