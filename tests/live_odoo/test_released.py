"""What an order release says of an order, and what of it changes when people change something in Odoo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from bridge.core.difference import differences
from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import DELETED, OrderRead
from odoo_adapter.orders import OVERLAP_S, OrderReader
from odoo_adapter.seed import Planner

NOON = "2026-11-23 12:00:00"
BILL = "HOUSING-A2"
"""The bill of materials that is changed here, and put back."""


@dataclass(slots=True)
class Floor:
    """Someone who reads orders, and people who change them."""

    admin: OdooApi
    reader: OrderReader

    async def all(self, *known: str) -> dict[str, OrderRead]:
        """What is open, and what became of those that were known."""
        return {one.order: one for one in await self.reader.read("", NOON, known)}

    async def document(self, order: str) -> Mapping[str, Any]:
        return (await self.all())[order].document

    async def change(self, model: str, domain: list[object], values: Mapping[str, object]) -> None:
        ids = await self.admin.call(model, "search", writes=False, domain=domain)
        await self.admin.call(model, "write", writes=True, ids=ids, vals=dict(values))

    async def boxes(self, quantity: float) -> None:
        """How many boxes the bill of materials asks for per piece."""
        line: list[object] = [["bom_id.code", "=", BILL], ["product_id.default_code", "=", "BOX"]]
        await self.change("mrp.bom.line", line, {"product_qty": quantity})

    async def delete(self, model: str, domain: list[object]) -> None:
        ids = await self.admin.call(model, "search", writes=False, domain=domain)
        await self.admin.call(model, "unlink", writes=True, ids=ids)


@pytest.fixture
async def floor(planner: Planner, admin: OdooApi, integration: OdooApi) -> AsyncIterator[Floor]:
    floor = Floor(admin, OrderReader(integration, OVERLAP_S))
    yield floor
    await floor.boxes(1)
    await floor.delete("mrp.bom.byproduct", [["bom_id.code", "=", BILL]])


async def test_a_release_says_all_that_the_floor_needs(floor: Floor, planner: Planner) -> None:
    order = await planner.create_order(10, press=1, due="2026-11-30 12:00:00")
    await floor.change("mrp.production", [["id", "=", int(order[3:])]], {"origin": "S00012", "priority": "1"})
    document = dict(await floor.document(order))
    first, second = [step["work_order"] for step in document["operations"]]
    resin, box = [component["line"] for component in document["components"]]
    content = document["bom"].pop("content")
    version = document["bom"].pop("version")
    start = document.pop("start")
    assert (len(content), version[:4], start[-1]) == (16, start[:4], "Z")
    assert document == {
        "product": {"code": "HOUSING", "name": "Housing", "tracking": "lot"},
        "quantity": "10",
        "unit": "Units",
        "company": 1,
        "due": "2026-11-30T12:00:00Z",
        "priority": 1,
        "origin": {"procurement": "S00012", "backorder_of": None},
        "bom": {"code": "HOUSING-A1"},
        "operations": [
            {
                "work_order": first,
                "sequence": 1,
                "name": "Press",
                "work_center": "PRESS-1",
                "quantity": "10",
                "expected_minutes": 5.0,
                "after": [],
            },
            {
                "work_order": second,
                "sequence": 2,
                "name": "Pack",
                "work_center": "PACK-1",
                "quantity": "10",
                "expected_minutes": 2.5,
                "after": [first],
            },
        ],
        "components": [
            {
                "line": resin,
                "product": "RESIN-A",
                "name": "Resin A",
                "quantity": "0.5",
                "unit": "kg",
                "tracking": "lot",
                "lots": ["R-1"],
                "reserved": [{"lot": "R-1", "quantity": "0.5", "unit": "kg", "location": "WH/Stock"}],
            },
            {
                "line": box,
                "product": "BOX",
                "name": "Box",
                "quantity": "10",
                "unit": "Units",
                "tracking": "none",
                "lots": [],
                "reserved": [{"lot": None, "quantity": "10", "unit": "Units", "location": "WH/Stock"}],
            },
        ],
        "by_products": [],
        "lots": [],
    }


async def test_by_products_and_the_lot_to_make_are_said(floor: Floor, planner: Planner) -> None:
    bom = await floor.admin.call("mrp.bom", "search_read", writes=False, domain=[["code", "=", BILL]], fields=[])
    box = await floor.admin.call(
        "product.product", "search_read", writes=False, domain=[["default_code", "=", "BOX"]], fields=["uom_id"]
    )
    values = {
        "bom_id": bom[0]["id"],
        "product_id": box[0]["id"],
        "product_qty": 0.5,
        "product_uom_id": box[0]["uom_id"][0],
    }
    await floor.admin.call("mrp.bom.byproduct", "create", writes=True, vals_list=[values])
    order = await planner.create_order(10, press=2)
    lot = await name_lot(floor, order)
    document = await floor.document(order)
    (by_product,) = document["by_products"]
    assert (by_product["product"], by_product["quantity"], by_product["unit"]) == ("BOX", "5", "Units")
    assert document["lots"] == [lot]


async def name_lot(floor: Floor, order: str) -> str:
    """Plan the order's lot; the name that it has."""
    name = f"L-{uuid4().hex[:10]}"
    (row,) = await floor.admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["product_id"])
    values = {"name": name, "product_id": row["product_id"][0]}
    (lot,) = await floor.admin.call("stock.lot", "create", writes=True, vals_list=[values])
    field = (await floor.admin.capabilities()).finished_lots_field
    value: object = [[6, 0, [lot]]] if field.endswith("ids") else lot
    await floor.change("mrp.production", [["id", "=", int(order[3:])]], {field: value})
    return name


async def test_another_lot_that_is_reserved_shows_with_its_quantity(floor: Floor, planner: Planner) -> None:
    order = await planner.create_order(10, press=2)
    (lot,) = await floor.admin.call(
        "stock.lot", "search", writes=False, domain=[["name", "=", "R-2"], ["product_id.default_code", "=", "RESIN-A"]]
    )
    line = [["move_id.raw_material_production_id", "=", int(order[3:])], ["lot_id", "!=", False]]
    await floor.change("stock.move.line", [*line], {"lot_id": lot})
    resin = (await floor.document(order))["components"][0]
    assert (resin["lots"], [one["lot"] for one in resin["reserved"]]) == (["R-2"], ["R-2"])


async def test_the_content_of_a_bill_of_materials_is_its_version_whoever_saved_it(
    floor: Floor, planner: Planner
) -> None:
    order = await planner.create_order(10, press=2)
    before = (await floor.document(order))["bom"]
    await floor.boxes(1)
    saved = (await floor.document(order))["bom"]
    await floor.boxes(2)
    changed = (await floor.document(order))["bom"]
    assert (saved["content"] == before["content"], saved["version"] >= before["version"]) == (True, True)
    assert changed["content"] != before["content"]


async def test_a_bill_that_changed_before_the_confirmation_is_what_is_released(floor: Floor, planner: Planner) -> None:
    await floor.boxes(2)
    order = await planner.create_order(10, press=2)
    assert (await floor.document(order))["components"][1]["quantity"] == "20"


async def test_making_the_order_changes_nothing_but_what_is_named(floor: Floor, planner: Planner) -> None:
    order = await planner.create_order(10, press=2)
    planned = (await floor.all())[order]
    await floor.change("mrp.production", [["id", "=", int(order[3:])]], {"qty_producing": 4})
    await floor.admin.call("mrp.production", "set_qty_producing", writes=True, ids=[int(order[3:])])
    await floor.admin.call("mrp.workorder", "button_start", writes=True, ids=[first_step(planned)])
    made = (await floor.all())[order]
    assert (planned.state, set(planned.moved), made.state) == ("confirmed", {"bom.version"}, "progress")
    assert [path for path in differences(planned.document, made.document) if path not in made.moved] == []


def first_step(read: OrderRead) -> int:
    document: Mapping[str, Any] = read.document
    return int(document["operations"][0]["work_order"][3:])


async def test_a_backorder_says_what_it_goes_on_with_and_its_predecessor_has_another_name(
    floor: Floor, planner: Planner
) -> None:
    order = await planner.create_order(10, press=2)
    name = (await floor.all())[order].name
    id = int(order[3:])
    await name_lot(floor, order)
    await floor.change("mrp.production", [["id", "=", id]], {"qty_producing": 4})
    await floor.admin.call("mrp.production", "set_qty_producing", writes=True, ids=[id])
    context = {"skip_consumption": True, "skip_backorder": True, "mo_ids_to_backorder": [id]}
    await floor.admin.call("mrp.production", "button_mark_done", writes=True, ids=[id], context=context)
    read = await floor.all(order)
    (rest,) = [one for one, each in read.items() if goes_on_with(each) == order]
    assert (read[order].name, read[order].state) == (f"{name}-001", "done")
    assert (read[rest].name, read[rest].state) == (f"{name}-002", "confirmed")
    assert read[rest].document["quantity"] == "6"
    assert read[rest].document["origin"] == {"procurement": "", "backorder_of": order}


def goes_on_with(read: OrderRead) -> str | None:
    document: Mapping[str, Any] = read.document
    return document["origin"]["backorder_of"] if document else None


async def test_what_became_of_known_orders_is_read_with_all_that_are_open(floor: Floor, planner: Planner) -> None:
    stays, taken_back, deleted = [await planner.create_order(5, press=2) for _ in range(3)]
    await planner.cancel_order(taken_back)
    await floor.delete("mrp.production", [["id", "=", int(deleted[3:])]])
    unasked = await floor.all()
    assert [order in unasked for order in (stays, taken_back, deleted)] == [True, False, False]
    read = await floor.all(stays, taken_back, deleted)
    assert [read[order].state for order in (stays, taken_back, deleted)] == ["confirmed", "cancel", DELETED]
