"""Every kind of transaction on a real Odoo: once, twice, four times at once, and what then stands in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from odoo_adapter.json2 import Json2
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.seed import Planner
from ruleset.transaction import (
    DowntimeRecord,
    MaintenanceRequest,
    OrderRef,
    QualityHold,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderRef,
    WorkOrderStart,
)
from tests.odoo_adapter.situations import AT_MS, CAUSE, HOUSING, PRESS, Bench, complete, disposition, progress

HOUR_MS = 3_600_000


async def work_orders(bench: Bench, order: str) -> list[str]:
    read = await bench.odoo.read_orders("")
    (mine,) = [one for one in read.orders if one.order == order]
    operations: Any = mine.document["operations"]
    return [one["work_order"] for one in operations]


async def start(bench: Bench, order: str) -> WorkOrderStart:
    (press, _) = await work_orders(bench, order)
    return WorkOrderStart(
        key=bench.key(f"start/{press}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_order=WorkOrderRef(press),
    )


async def finish(bench: Bench, order: str) -> WorkOrderFinish:
    (press, _) = await work_orders(bench, order)
    return WorkOrderFinish(
        key=bench.key(f"finish/{press}"),
        equipment=PRESS,
        at_ms=AT_MS + HOUR_MS,
        started_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_order=WorkOrderRef(press),
    )


async def scrap(bench: Bench, order: str) -> Scrap:
    return Scrap(
        key=bench.key(f"scrap/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(3),
        unit="pcs",
        reason="Burn mark",
    )


async def component_scrap(bench: Bench, order: str) -> Scrap:
    return Scrap(
        key=bench.key(f"scrap/{order}/resin"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal("0.15"),
        unit="kg",
        reason="Spill",
        product="RESIN-A",
        lot="R-1",
    )


async def downtime(bench: Bench, order: str) -> DowntimeRecord:
    return DowntimeRecord(
        key=bench.key(f"downtime/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_center="PRESS-1",
        started_ms=AT_MS - HOUR_MS,
        ended_ms=AT_MS - HOUR_MS + 600_000,
        loss="breakdown",
        text="E12",
    )


async def hold(bench: Bench, order: str) -> QualityHold:
    return QualityHold(
        key=bench.key(f"hold/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(10),
        unit="pcs",
        lot=f"Q-{order}-{bench.fresh}",
        consumed=HOUSING,
    )


async def maintenance(bench: Bench, order: str) -> MaintenanceRequest:
    return MaintenanceRequest(
        key=bench.key(f"maintenance/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        serial_number="UNS-PRESS-1",
        title="Vibration 11.4 mm/s",
        priority=2,
    )


async def completion(bench: Bench, order: str) -> Transaction:
    return complete(bench, order)


async def note(bench: Bench, order: str) -> Transaction:
    return disposition(bench, order)


async def count(bench: Bench, order: str) -> Transaction:
    return progress(bench, order, 4)


async def consumption(admin: Json2, order: str) -> dict[str, float]:
    """What the order took for what it made, by product: what went to scrap beside it is not that."""
    lines = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[
            ["move_id.raw_material_production_id", "=", int(order[3:])],
            ["state", "=", "done"],
            ["location_dest_id.usage", "=", "production"],
        ],
        fields=["product_id", "quantity"],
    )
    used: dict[str, float] = {}
    for one in lines:
        code = one["product_id"][1].partition("]")[0].removeprefix("[")
        used[code] = round(used.get(code, 0) + one["quantity"], 6)
    return used


async def internal_stock(admin: Json2, lot: str) -> list[tuple[str, float]]:
    quants = await admin.call(
        "stock.quant",
        "search_read",
        writes=False,
        domain=[["lot_id.name", "=", lot], ["location_id.usage", "=", "internal"]],
        fields=["location_id", "quantity"],
    )
    return [(one["location_id"][1], one["quantity"]) for one in quants]


Domain = Callable[[str, str], list[list[object]]]
EFFECTS: dict[Callable[[Bench, str], Awaitable[Transaction]], tuple[str, Domain]] = {
    count: ("mrp.production", lambda order, key: [["id", "=", int(order[3:])], ["qty_producing", "=", 4]]),
    start: ("mrp.workorder", lambda order, key: [["production_id", "=", int(order[3:])], ["state", "=", "progress"]]),
    finish: ("mrp.workorder", lambda order, key: [["production_id", "=", int(order[3:])], ["state", "=", "done"]]),
    scrap: ("stock.scrap", lambda order, key: [["origin", "=", key], ["state", "=", "done"]]),
    downtime: ("mrp.workcenter.productivity", lambda order, key: [["description", "ilike", key]]),
    note: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
    maintenance: ("maintenance.request", lambda order, key: [["description", "ilike", key]]),
    completion: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
    hold: ("mail.message", lambda order, key: [["res_id", "=", int(order[3:])], ["body", "ilike", key]]),
}
"""How often each kind's effect is found: its model, and a domain that finds it by the transaction's key."""


@pytest.mark.parametrize("build", EFFECTS, ids=lambda build: build.__name__)
async def test_once_twice_and_four_times_at_once_is_one_effect(
    build: Callable[[Bench, str], Awaitable[Transaction]], bench: Bench, admin: Json2
) -> None:
    order = await bench.order(10)
    transaction = await build(bench, order)
    answers = await asyncio.gather(*(bench.odoo.post([transaction]) for _ in range(4)))
    answers.append(await bench.odoo.post([transaction]))
    repeated = [one.receipt.repeated for (one,) in answers if isinstance(one, Applied)]
    assert sorted(repeated) == [False, True, True, True, True]
    model, domain = EFFECTS[build]
    found = await admin.call(model, "search_count", writes=False, domain=domain(order, transaction.key))
    assert found == 1


async def test_a_completion_keeps_its_genealogy_and_its_actual_consumption(bench: Bench, admin: Json2) -> None:
    order = await bench.order(10)
    transaction = complete(bench, order)
    await bench.odoo.post([await start(bench, order), progress(bench, order, 7), await scrap(bench, order)])
    (applied,) = await bench.odoo.post([transaction])
    assert isinstance(applied, Applied)
    (refused,) = await bench.odoo.post([complete(bench, order, name="/other")])
    assert isinstance(refused, Declined)
    lines = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[["move_id.raw_material_production_id", "=", int(order[3:])]],
        fields=["product_id", "lot_id", "quantity"],
        order="id",
    )
    used = {(one["product_id"][1], one["lot_id"] and one["lot_id"][1]): one["quantity"] for one in lines}
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


async def test_a_hold_keeps_the_goods_out_of_stock(bench: Bench, admin: Json2) -> None:
    transaction = await hold(bench, await bench.order(10))
    await bench.odoo.post([transaction])
    assert await internal_stock(admin, transaction.lot or "") == [("WH/Quality Hold", 10.0)]


async def scrap_moves(admin: Json2, order: str) -> int:
    """How many of the order's moves lie in scrap, however they came there."""
    of_it = ["|", ["production_id", "=", int(order[3:])], ["raw_material_production_id", "=", int(order[3:])]]
    in_scrap = [["state", "=", "done"], ["location_dest_id.usage", "=", "inventory"]]
    found: int = await admin.call("stock.move", "search_count", writes=False, domain=[*of_it, *in_scrap])
    return found


async def test_scrap_of_the_order_stays_scrap_when_the_order_goes_on_hold(bench: Bench, admin: Json2) -> None:
    """Odoo moves what was scrapped along when an order's destination changes."""
    order = await bench.order(10)
    held = await hold(bench, order)
    outcomes = await bench.odoo.post([await scrap(bench, order), await component_scrap(bench, order), held])
    assert [one for one in outcomes if not isinstance(one, Applied)] == []
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 11.0}
    assert await internal_stock(admin, held.lot or "") == [("WH/Quality Hold", 10.0)]
    assert await scrap_moves(admin, order) == 2


async def test_scrap_of_the_order_is_no_consumption_of_its_completion(bench: Bench, admin: Json2) -> None:
    order = await bench.order(10)
    done = complete(bench, order)
    outcomes = await bench.odoo.post([await scrap(bench, order), await component_scrap(bench, order), done])
    assert [one for one in outcomes if not isinstance(one, Applied)] == []
    assert await consumption(admin, order) == {"RESIN-A": 0.5, "BOX": 11.0}
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 10.0)]
    assert await scrap_moves(admin, order) == 2


async def test_starting_work_leaves_the_quantity_alone_and_finishing_keeps_the_machines_times(
    bench: Bench, admin: Json2
) -> None:
    order = await bench.order(10)
    done = await finish(bench, order)
    await bench.odoo.post([await start(bench, order), done])
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


async def test_scrap_of_unfinished_pieces_never_touches_stock(bench: Bench, admin: Json2) -> None:
    order = await bench.order(10)
    (applied,) = await bench.odoo.post([await scrap(bench, order)])
    assert isinstance(applied, Applied)
    (read,) = await admin.call(
        "stock.scrap",
        "read",
        writes=False,
        ids=[applied.receipt.id],
        fields=["scrap_qty", "location_id", "scrap_reason_tag_ids", "production_id"],
    )
    assert (read["scrap_qty"], read["location_id"][1]) == (3.0, "Production")
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
async def test_it_refuses(why: str, bench: Bench, admin: Json2) -> None:
    code, build = REFUSALS[why]
    order = await bench.order(10)
    (declined,) = await bench.odoo.post([build(bench, order)])
    assert isinstance(declined, Declined)
    assert declined.code == code
    (read,) = await admin.call(
        "mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing", "state"]
    )
    assert (read["qty_producing"], read["state"]) == (0.0, "confirmed")


async def test_a_lot_without_stock_is_refused_and_leaves_nothing_behind(bench: Bench, admin: Json2) -> None:
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
    (declined,) = await bench.odoo.post([missing])
    assert isinstance(declined, Declined)
    assert declined.code == "no_lot"
    assert await admin.call("stock.lot", "search_count", writes=False, domain=[["name", "=", wanted.lot]]) == 0
    (applied,) = await bench.odoo.post([wanted])
    assert isinstance(applied, Applied)
    assert not applied.receipt.repeated


async def test_an_order_started_by_hand_still_counts_what_the_floor_counted(bench: Bench, admin: Json2) -> None:
    """Odoo's own Start button fills in the whole quantity; nobody made those pieces."""
    order = await bench.order(10)
    (press, _) = await work_orders(bench, order)
    await admin.call("mrp.workorder", "button_start", writes=True, ids=[int(press[3:])])
    (applied,) = await bench.odoo.post([progress(bench, order, 4)])
    assert isinstance(applied, Applied)
    assert applied.receipt.details["qty_producing"] == 4


async def test_more_than_the_tolerance_is_posted_once_a_person_released_it(bench: Bench, admin: Json2) -> None:
    order = await bench.order(100)
    counted, done = progress(bench, order, 106), complete(bench, order, quantity=106)
    refused, _ = await bench.odoo.post([counted, done])
    assert isinstance(refused, Declined)
    assert refused.code == "too_much"
    released = [structs.replace(one, consent="eve@example.com") for one in (counted, done)]
    assert [type(one) for one in await bench.odoo.post(released)] == [Applied, Applied]
    again = await bench.odoo.post([counted, done])
    assert [isinstance(one, Applied) and one.receipt.repeated for one in again] == [True, True]
    (read,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_produced"])
    assert read["qty_produced"] == 106
    assert await internal_stock(admin, done.lot or "") == [("WH/Stock", 106.0)]
    notes = await admin.call(
        "mail.message",
        "search_count",
        writes=False,
        domain=[
            ["model", "=", "mrp.production"],
            ["res_id", "=", int(order[3:])],
            ["body", "ilike", "released by eve@example.com"],
        ],
    )
    assert notes == 2


async def test_more_than_the_tolerance_is_put_on_hold_once_a_person_released_it(bench: Bench, admin: Json2) -> None:
    order = await bench.order(10)
    many = structs.replace(await hold(bench, order), quantity=Decimal(11))
    (refused,) = await bench.odoo.post([many])
    assert isinstance(refused, Declined)
    assert refused.code == "too_much"
    (applied,) = await bench.odoo.post([structs.replace(many, consent="eve")])
    assert isinstance(applied, Applied)
    assert await internal_stock(admin, many.lot or "") == [("WH/Quality Hold", 11.0)]


async def times(admin: Json2, work_order: str) -> list[tuple[str, str, str]]:
    rows = await admin.call(
        "mrp.workcenter.productivity",
        "search_read",
        writes=False,
        domain=[["workorder_id", "=", int(work_order[3:])]],
        fields=["date_start", "date_end", "user_id"],
        order="id",
    )
    return [(one["date_start"], one["date_end"], one["user_id"][1]) for one in rows]


async def test_a_finish_after_the_orders_completion_stands_and_brings_the_machines_times(
    bench: Bench, admin: Json2
) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    late = structs.replace(begun, key=bench.key("start/late"))
    outcomes = await bench.odoo.post([begun, complete(bench, order), ended, late])
    states = [one.receipt.details.get("already") for one in outcomes if isinstance(one, Applied)]
    assert states == [False, None, True, True]
    ((first, last, _),) = await times(admin, ended.work_order)
    assert (first, last) == ("2026-11-23 02:13:20", "2026-11-23 03:13:20")
    (second,) = await bench.odoo.post([structs.replace(ended, key=bench.key("finish/again"), started_ms=AT_MS - 1000)])
    assert isinstance(second, Applied)
    assert len(await times(admin, ended.work_order)) == 1
    assert (await times(admin, ended.work_order))[0][:2] == (first, last)
    (read,) = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["date_finished"])
    assert read["date_finished"] == "2026-11-23 02:13:20"


async def test_what_a_person_started_and_finished_stays_as_the_person_left_it(bench: Bench, admin: Json2) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    work = int(ended.work_order[3:])
    await admin.call("mrp.workorder", "button_start", writes=True, ids=[work])
    (started,) = await bench.odoo.post([begun])
    await admin.call("mrp.workorder", "button_finish", writes=True, ids=[work])
    fields = ["date_start", "date_finished", "qty_produced", "duration"]
    before = await admin.call("mrp.workorder", "read", writes=False, ids=[work], fields=fields)
    persons = await times(admin, ended.work_order)
    (finished,) = await bench.odoo.post([ended])
    assert isinstance(started, Applied)
    assert isinstance(finished, Applied)
    assert (started.receipt.details["already"], finished.receipt.details["already"]) == (True, True)
    assert await admin.call("mrp.workorder", "read", writes=False, ids=[work], fields=fields) == before
    assert await times(admin, ended.work_order) == persons


async def test_a_cancelled_work_order_is_neither_started_nor_finished(bench: Bench, planner: Planner) -> None:
    order = await bench.order(10)
    begun, ended = await start(bench, order), await finish(bench, order)
    await planner.cancel_order(order)
    for transaction in (begun, ended):
        (declined,) = await bench.odoo.post([transaction])
        assert isinstance(declined, Declined)
        assert declined.code == "order_state"
