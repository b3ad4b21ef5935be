"""What is read from a server after a run, on the simulated Odoo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.demo.odoo_view import OrderView, ScrapView, read_view
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.odoo import Applied
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.server import open_service, serving
from odoo_adapter.versions import Capabilities
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
