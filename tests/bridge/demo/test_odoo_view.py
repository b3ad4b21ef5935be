"""What is read from a server after a run, on the simulated Odoo and from rows as JSON-2 gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.demo.odoo_view import (
    DowntimeRow,
    InboxRow,
    MaintenanceRow,
    OdooView,
    OrderView,
    ScrapView,
    read_view,
)
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.odoo import Applied
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.server import open_service, serving
from odoo_adapter.versions import KNOWN, Capabilities
from ruleset.transaction import (
    Complete,
    Consumption,
    IdempotencyKey,
    MaintenanceRequest,
    OrderRef,
    Provenance,
    Scrap,
)
from tests.odoo_adapter.situations import jobs

CAUSE: dict[str, Any] = {
    "equipment": "acme/berlin/machining/press-1",
    "at_ms": 1_795_400_000_000,
    "provenance": Provenance(rule="r", version="v1", topic="t"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection as the demo reads."""

    odoo: OdooApi

    async def search_read(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self.odoo.call(
            model, "search_read", writes=False, domain=list(domain), fields=list(fields)
        )
        return rows

    async def capabilities(self) -> Capabilities:
        return await self.odoo.capabilities()


@asynccontextmanager
async def simulated() -> AsyncIterator[tuple[OdooApi, OdooServer]]:
    """The administrator's connection, and the bridge's server."""
    service = open_service("plant", administrator="admin", bridge="bridge", now_ms=lambda: 1_795_400_000_000)
    async with serving(service) as url:
        admin = OdooApi(Connection(url=url, database="plant", key=lambda: "admin"))
        bridge = OdooApi(Connection(url=url, database="plant", key=lambda: "bridge"))
        server = OdooServer(bridge, PlanContext(units={"pcs": "Units", "kg": "kg"}))
        yield admin, server
        await server.close()
        await admin.close()


async def test_what_was_asked_of_maintenance_twice_is_seen_twice_although_it_is_one_request() -> None:
    async with simulated() as (admin, server):
        await Planner(admin).prepare()
        asked = [
            MaintenanceRequest(key=IdempotencyKey(title), serial_number="UNS-PRESS-1", title=title, cause="c", **CAUSE)
            for title in ("Vibration 7.9", "Vibration 8.1")
        ]
        assert [type(one) for one in await server.post(jobs(*asked))] == [Applied, Applied]
        view = await read_view(Reader(admin), [], 0)
        requests = await Reader(admin).search_read("maintenance.request", [], ["name"])
    assert [row["name"] for row in requests] == ["Vibration 7.9"]
    assert [row.serial_number for row in view.maintenance] == ["UNS-PRESS-1", "UNS-PRESS-1"]
    assert view.maintenance[0].title == "Vibration 7.9"
    assert view.maintenance[1].title.startswith("Vibration 8.1.")


async def test_what_went_to_scrap_is_no_consumption() -> None:
    async with simulated() as (admin, server):
        planner = Planner(admin)
        await planner.prepare()
        order = await planner.create_order(10, press=1)
        view = await _after_scrap_and_completion(order, server, Reader(admin))
    assert view.consumed == {("RESIN-A", "R-1"): Decimal("0.5"), ("BOX", None): Decimal(10)}
    assert view.scraps == (ScrapView(quantity=Decimal("0.15"), lot="R-1"),)


async def _after_scrap_and_completion(order: str, server: OdooServer, reader: Reader) -> OrderView:
    of: dict[str, Any] = {**CAUSE, "order": OrderRef(order)}
    spilt = Scrap(
        key=IdempotencyKey("spilt"),
        product="RESIN-A",
        lot="R-1",
        quantity=Decimal("0.15"),
        unit="kg",
        reason="Spill",
        **of,
    )
    used = (Consumption(product="RESIN-A", lot="R-1", quantity=Decimal("0.5"), unit="kg"),)
    done = Complete(key=IdempotencyKey("done"), quantity=Decimal(10), unit="pcs", lot="H-1", consumed=used, **of)
    assert [type(one) for one in await server.post(jobs(spilt, done))] == [Applied, Applied]
    return (await read_view(reader, [order], 0)).orders[order]


class Records:
    """An Odoo whose rows are as JSON-2 gives them."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._rows = rows

    async def search_read(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[dict[str, Any]]:
        about = " of maintenance.request" if ["model", "=", "maintenance.request"] in domain else ""
        return [{name: row[name] for name in ("id", *fields)} for row in self._rows[model + about]]

    async def capabilities(self) -> Capabilities:
        return KNOWN["19.0"]


async def test_a_view_is_read_from_the_rows_of_a_server() -> None:
    line = {"move_id": [90, "WH/MO/00042"], "product_id": [3, "[RESIN-A] Resin A"]}
    odoo = Records(
        {
            "mrp.production": [
                {
                    "id": 42,
                    "state": "done",
                    "qty_producing": 20.0,
                    "qty_produced": 20.0,
                    "lot_producing_ids": [8],
                    "location_dest_id": [9, "WH/Quality Hold"],
                }
            ],
            "mrp.workorder": [{"id": 57, "production_id": [42, "WH/MO/00042"], "state": "done"}],
            "mail.message": [{"id": 1, "res_id": 42, "body": "<p>Quality: reject, lot L-mo-42. [k]</p>"}],
            "mail.message of maintenance.request": [],
            "stock.lot": [{"id": 8, "name": "L-mo-42"}],
            "stock.move": [{"id": 90, "raw_material_production_id": [42, "WH/MO/00042"]}],
            "stock.move.line": [
                {"id": 1, **line, "lot_id": [5, "R-1"], "quantity": 0.7000000001},
                {"id": 2, **line, "lot_id": [5, "R-1"], "quantity": 0.3},
                {"id": 3, "move_id": [90, ""], "product_id": [4, "[BOX] Box"], "lot_id": False, "quantity": 20.0},
            ],
            "stock.scrap": [{"id": 1, "production_id": [42, ""], "scrap_qty": 2.0, "lot_id": [8, "L-mo-42"]}],
            "mrp.workcenter": [{"id": 1, "code": "PRESS-1", "name": "Press"}],
            "mrp.workcenter.productivity": [
                {
                    "id": 1,
                    "workcenter_id": [1, "Press"],
                    "date_start": "2026-11-23 06:00:00",
                    "date_end": "2026-11-23 06:00:02",
                    "loss_id": [2, "Equipment Failure"],
                }
            ],
            "maintenance.equipment": [{"id": 6, "serial_no": "UNS-PRESS-1"}],
            "maintenance.request": [
                {"id": 1, "name": "Vibration 7.9", "equipment_id": [6, "Press 1"], "create_date": "2026-11-23 06:00:00"}
            ],
            "x_uns_transaction": [
                inbox_row(2, "start:wo-57", "start", '{"wo":"wo-57"}', "2026-11-23 06:00:00"),
                inbox_row(1, "late", "complete", "{}", "2026-11-23 06:00:01"),
                inbox_row(3, "@upto:s", "@upto", "null", False),
                inbox_row(4, "later", "progress", "{}", "2026-11-23 06:00:02", '{"added":0,"covered":true}'),
            ],
        }
    )

    assert await read_view(odoo, ["mo-42"], since_ms=0) == OdooView(
        orders={
            "mo-42": OrderView(
                state="done",
                producing=Decimal(20),
                produced=Decimal(20),
                lots=("L-mo-42",),
                consumed={("RESIN-A", "R-1"): Decimal("1.0"), ("BOX", None): Decimal(20)},
                scraps=(ScrapView(quantity=Decimal(2), lot="L-mo-42"),),
                work_orders={"wo-57": "done"},
                notes=("Quality: reject, lot L-mo-42. [k]",),
                on_hold=True,
            )
        },
        downtimes=(DowntimeRow(work_center="PRESS-1", started_s=1795413600, ended_s=1795413602, loss="breakdown"),),
        maintenance=(MaintenanceRow(serial_number="UNS-PRESS-1", title="Vibration 7.9"),),
        inbox=(
            InboxRow(key="start:wo-57", kind="start", order="mo-42", payload={"wo": "wo-57"}),
            InboxRow(key="late", kind="complete", order="mo-42"),
            InboxRow(key="later", kind="progress", order="mo-42", covered=True),
        ),
    )


def inbox_row(id: int, key: str, kind: str, payload: str, done_at: str | bool, result: str = "{}") -> dict[str, Any]:
    row = {"id": id, "x_name": key, "x_kind": kind, "x_order_id": [42, "WH/MO/00042"]}
    return {**row, "x_payload": payload, "x_result": result, "x_done_at": done_at}
