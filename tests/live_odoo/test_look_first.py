"""Posting without the inbox, on a real Odoo: what people do meanwhile, and that the records are those of the inbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused
from odoo_adapter.look_first.odoo import LookFirstOdoo
from odoo_adapter.odoo import Applied, Declined, Held, Job, Outcome
from odoo_adapter.plan import PlanContext
from odoo_adapter.versions import KNOWN
from ruleset.transaction import Transaction
from tests.live_odoo.postings import (
    completion,
    component_scrap,
    consume,
    count,
    downtime,
    finish,
    hold,
    lot,
    maintenance,
    note,
    scrap,
    start,
)
from tests.live_odoo.records import Records
from tests.odoo_adapter.situations import HOLD_LOCATION, Bench, complete, progress

Build = Callable[[Bench, str], Awaitable[Transaction]]
KINDS: tuple[Build, ...] = (
    *(start, count, consume, lot, scrap, component_scrap),
    *(downtime, note, maintenance, finish),
)


@pytest.fixture
def mode() -> str:
    return "look-first"


async def left(bench: Bench, admin: OdooApi, order: str) -> dict[str, object]:
    """What stands for the order, whatever its number is."""
    work = [one.document["operations"] for one in (await bench.odoo.read_orders("")).orders if one.order == order]
    (name,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["name"])
    steps = await admin.call(
        "mrp.workorder", "search", writes=False, domain=[["production_id", "=", int(order[3:])]], order="id"
    )
    names = {name["name"]: "ORDER", f"{order}/": "mo/", f"{order} ": "mo ", f"{order}<": "mo<", f"{order}]": "mo]"}
    names |= {f"{order}-": "mo-"} | {f"wo-{step}": f"wo {place}" for place, step in enumerate(steps)}
    assert len(work) <= 1
    return await Records(admin, order, names).all()


@pytest.mark.parametrize("last", [completion, hold], ids=lambda build: build.__name__)
async def test_every_kind_leaves_the_same_records_as_through_the_inbox(
    last: Build, benches: Callable[..., Bench], admin: OdooApi
) -> None:
    found = []
    for mode in ("inbox", "look-first"):
        bench = benches(mode)
        order = await bench.order(10)
        for build in (*KINDS, last):
            (outcome,) = await bench.post([await build(bench, order)])
            assert isinstance(outcome, Applied)
        found.append(await left(bench, admin, order))
    by_inbox, by_looking = found
    assert all(by_inbox.values())
    assert by_looking == by_inbox


async def count_by_hand(admin: OdooApi, order: str, quantity: float) -> None:
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals={"qty_producing": quantity})


async def counted(admin: OdooApi, order: str) -> float:
    (row,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing"])
    return float(row["qty_producing"])


async def post(bench: Bench, job: Job) -> Outcome:
    (outcome,) = await bench.odoo.post([job])
    return outcome


@pytest.mark.parametrize("uncertain", [True, False])
async def test_a_quantity_that_somebody_changed_is_held_and_goes_on_from_there_once_released(
    uncertain: bool, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(100)
    await bench.post([progress(bench, order, 10)])
    await count_by_hand(admin, order, 12)
    job = replace(bench.job(progress(bench, order, 15)), uncertain=uncertain)
    held = await post(bench, job)
    assert isinstance(held, Held)
    expected = "10 or 15" if uncertain else "10"
    assert held.reason.endswith(
        f" shows 12 Units, expected {expected}: somebody changed it; release to add the 5 to what stands, or skip"
    )
    assert await counted(admin, order) == 12
    released = await post(bench, replace(job, released=True))
    assert isinstance(released, Applied)
    assert (released.receipt.details["added"], released.receipt.details["qty_producing"]) == (5, 17)
    assert await counted(admin, order) == 17


async def test_a_total_that_was_written_although_nobody_heard_of_it_is_not_added_again(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(100)
    await bench.post([progress(bench, order, 10)])
    await count_by_hand(admin, order, 15)
    outcome = await post(bench, replace(bench.job(progress(bench, order, 15)), uncertain=True))
    assert isinstance(outcome, Applied)
    assert outcome.receipt.repeated
    assert await counted(admin, order) == 15


async def close_by_hand(admin: OdooApi, order: str, quantity: float, lot: str) -> None:
    """As a person completes an order in its form."""
    can, id = await admin.capabilities(), int(order[3:])
    (made,) = await admin.call("mrp.production", "read", writes=False, ids=[id], fields=["product_id"])
    values = {"name": lot, "product_id": made["product_id"][0], "company_id": 1}
    lots = await admin.call("stock.lot", "create", writes=True, vals_list=[values])
    produced = {
        can.finished_lots_field: [[6, 0, lots]] if can.finished_lot_many else lots[0],
        "qty_producing": quantity,
    }
    await admin.call("mrp.production", "write", writes=True, ids=[id], vals=produced)
    await admin.call("mrp.production", "set_qty_producing", writes=True, ids=[id])
    moves = await admin.call(
        "stock.move", "search", writes=False, domain=[["raw_material_production_id", "=", id], ["state", "!=", "done"]]
    )
    await admin.call("stock.move", "write", writes=True, ids=moves, vals={"picked": True})
    await admin.call(
        "mrp.production",
        "button_mark_done",
        writes=True,
        ids=[id],
        context={"skip_consumption": True, "skip_backorder": True},
    )


@pytest.mark.parametrize(("quantity", "lot"), [(8, ""), (10, "BY-HAND-")])
async def test_an_order_that_somebody_completed_otherwise_meanwhile_is_held(
    quantity: int, lot: str, bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    wanted = complete(bench, order)
    by_hand = f"{lot}{order}-{bench.fresh}" if lot else wanted.lot or ""
    await close_by_hand(admin, order, quantity, by_hand)
    before = await left(bench, admin, order)
    held = await post(bench, replace(bench.job(wanted), uncertain=True))
    assert isinstance(held, Held)
    assert "somebody completed it" in held.reason
    declined = await post(bench, bench.job(wanted))
    assert isinstance(declined, Declined)
    assert declined.code == "order_state"
    assert await left(bench, admin, order) == before


async def test_scrap_of_which_only_the_draft_was_made_is_validated_once(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    transaction = await component_scrap(bench, order)
    many = structs.replace(transaction, quantity=Decimal(900_000))
    declined = await post(bench, bench.job(many))
    assert isinstance(declined, Declined)
    assert declined.code == "no_stock"
    assert "draft" in declined.reason
    drafts = await admin.call(
        "stock.scrap", "search", writes=False, domain=[["origin", "like", transaction.key], ["state", "=", "draft"]]
    )
    await admin.call("stock.scrap", "write", writes=True, ids=drafts, vals={"scrap_qty": 0.15})
    outcomes = [await post(bench, replace(bench.job(transaction), uncertain=True)) for _ in range(3)]
    assert [isinstance(one, Applied) and one.receipt.repeated for one in outcomes] == [False, True, True]
    moves = await admin.call(
        "stock.move", "search_count", writes=False, domain=[["scrap_id", "in", drafts], ["state", "=", "done"]]
    )
    assert (len(drafts), moves) == (1, 1)


async def test_a_draft_that_was_declined_takes_over_what_was_corrected_since(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    transaction = await component_scrap(bench, order)
    declined = await post(bench, bench.job(structs.replace(transaction, quantity=Decimal(900_000))))
    assert isinstance(declined, Declined)
    applied = await post(bench, bench.job(transaction))
    assert isinstance(applied, Applied)
    found = await admin.call(
        "stock.scrap",
        "search_read",
        writes=False,
        domain=[["origin", "like", transaction.key]],
        fields=["state", "scrap_qty"],
    )
    assert [(one["state"], one["scrap_qty"]) for one in found] == [("done", 0.15)]


async def test_a_strict_bill_of_materials_takes_its_ratio_only(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals={"consumption": "strict"})
    wanted = complete(bench, order)
    declined = await post(bench, bench.job(wanted))
    assert isinstance(declined, Declined)
    assert declined.code == "strict"
    assert await counted(admin, order) == 0
    *resin, _ = wanted.consumed
    applied = await post(bench, bench.job(structs.replace(wanted, consumed=tuple(resin))))
    assert isinstance(applied, Applied)


async def test_a_hold_location_that_is_missing_declines_holds_only_and_says_what_to_do(
    benches: Callable[..., Bench], admin: OdooApi
) -> None:
    bench = benches("look-first", hold_location="Nowhere")
    order, other = await bench.order(10), await bench.order(10)
    jobs: Sequence[Job] = [bench.job(await hold(bench, order)), bench.job(complete(bench, other))]
    declined, applied = await bench.odoo.post(jobs)
    assert isinstance(declined, Declined)
    assert (declined.code, isinstance(applied, Applied)) == ("missing", True)
    assert 'hold location "Nowhere": create it in Odoo' in declined.reason
    assert await counted(admin, order) == 0


async def test_the_check_tells_how_postings_happen(bench: Bench) -> None:
    info = await bench.odoo.check()
    assert (info.mode, info.company) == ("look-first", 1)
    assert info.version.removesuffix("-simulator") in KNOWN


async def test_an_administrator_is_refused(admin: OdooApi) -> None:
    odoo = LookFirstOdoo(OdooApi(admin.connection), PlanContext(), HOLD_LOCATION)
    with pytest.raises(Refused, match="is an administrator: make an integration user of its own"):
        await odoo.check()
    await odoo.close()
