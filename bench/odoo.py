"""Postings a second: through the inbox, singly and in batches, and call by call over plain JSON-2.

Against the Odoo simulator unless UNS_BRIDGE_ODOO_URL names a server. The simulator keeps everything in memory: its
figures compare the ways with each other and say nothing about a server's speed. Call by call does the same without
the inbox: it looks whether the fact is there already, looks up what the record refers to, and creates it.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from bench.process import BenchError
from bridge.demo.odoo import DemoOdoo, real_odoo, simulated_odoo
from odoo_adapter.api import OdooApi
from odoo_adapter.connection import Connection
from odoo_adapter.odoo import Applied, Job
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import OdooServer
from ruleset.transaction import (
    DowntimeRecord,
    IdempotencyKey,
    MaintenanceRequest,
    OrderRef,
    Progress,
    Provenance,
    Transaction,
)

BATCHES: Final = (1, 10, 50)
STOP_MS: Final = 9_000
COMPANY: Final = 1
FROM_HERE: Final = Provenance(rule="bench", version="1", topic="bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast postings of one kind went one way. `calls` are HTTP calls per posting."""

    kind: str
    way: str
    per_s: float
    calls: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All rates, and what they were measured on."""

    server: str
    simulator: bool
    rates: tuple[Rate, ...]


class _Facts:
    """Makes transactions that are new each time."""

    def __init__(self, order: str) -> None:
        self._order = OrderRef(order)
        self._run = uuid4().hex[:8]
        self._number = 0
        self._base_ms = time.time_ns() // 1_000_000_000 * 1000

    def downtime(self) -> Transaction:
        return DowntimeRecord(
            key=self._key("downtime"),
            equipment="bench",
            at_ms=self._base_ms,
            provenance=FROM_HERE,
            work_center="PRESS-2",
            started_ms=self._base_ms - STOP_MS,
            ended_ms=self._base_ms,
            loss="setup",
        )

    def maintenance(self) -> Transaction:
        return MaintenanceRequest(
            key=self._key("maintenance"),
            equipment="bench",
            at_ms=self._base_ms,
            provenance=FROM_HERE,
            serial_number="UNS-PRESS-2",
            title="Benchmark",
        )

    def progress(self) -> Transaction:
        key = self._key("progress")
        return Progress(
            key=key,
            equipment="bench",
            at_ms=self._base_ms,
            provenance=FROM_HERE,
            order=self._order,
            stream=f"bench-{self._run}",
            upto=Decimal(self._number),
            unit="pcs",
        )

    def _key(self, kind: str) -> IdempotencyKey:
        self._number += 1
        return IdempotencyKey(f"bench-{self._run}-{kind}-{self._number}")


async def measure(home: Path, postings: int) -> Report:
    """Every kind, every way. Raises `BenchError` when a posting is not applied."""
    async with _odoo(home) as odoo:
        planner = await odoo.prepare(lambda _text: None)
        facts = _Facts(await planner.create_order(100_000, press=1))
        connection = Connection(url=odoo.url, database=odoo.database, key=lambda: odoo.key, company=COMPANY)
        server = OdooServer(connection, PlanContext(units={"pcs": "Units"}))
        try:
            info = await server.check()
            rates = []
            kinds = {"downtime": facts.downtime, "maintenance": facts.maintenance, "progress": facts.progress}
            for kind, make in kinds.items():
                for size in BATCHES:
                    batches = [[make() for _ in range(size)] for _ in range(max(1, postings // size))]
                    rates.append(await _through_inbox(server, kind, batches))
                rates.append(await _call_by_call(odoo.admin, kind, [make() for _ in range(postings)]))
        finally:
            await server.close()
        return Report(server=info.version, simulator=odoo.simulator, rates=tuple(rates))


@asynccontextmanager
async def _odoo(home: Path) -> AsyncIterator[DemoOdoo]:
    url = os.environ.get("UNS_BRIDGE_ODOO_URL")
    async with real_odoo(url) if url else simulated_odoo(home) as odoo:
        yield odoo


async def _through_inbox(server: OdooServer, kind: str, batches: Sequence[Sequence[Transaction]]) -> Rate:
    count, size = sum(len(batch) for batch in batches), len(batches[0])
    began = time.perf_counter()
    for batch in batches:
        wrong = [
            one for one in await server.post([Job(transaction=one) for one in batch]) if not isinstance(one, Applied)
        ]
        if wrong:
            raise BenchError(f"not applied: {wrong[0]}")
    per_s = count / (time.perf_counter() - began)
    return Rate(kind=kind, way=f"inbox, {size} a call", per_s=per_s, calls=1 / size)


async def _call_by_call(odoo: OdooApi, kind: str, transactions: Sequence[Transaction]) -> Rate:
    calls = {"downtime": _downtime, "maintenance": _maintenance, "progress": _progress}
    by_call = _Counted(odoo)
    began = time.perf_counter()
    for transaction in transactions:
        await calls[kind](by_call, transaction)
    per_s = len(transactions) / (time.perf_counter() - began)
    return Rate(kind=kind, way="call by call", per_s=per_s, calls=by_call.calls / len(transactions))


class _Counted:
    """Plain JSON-2 calls, counted."""

    def __init__(self, odoo: OdooApi) -> None:
        self._odoo = odoo
        self.calls = 0

    async def ids(self, model: str, domain: Sequence[object]) -> list[int]:
        found: list[int] = await self._call(model, "search", domain=list(domain), limit=1)
        return found

    async def create(self, model: str, values: dict[str, object]) -> None:
        await self._call(model, "create", vals_list=[values])

    async def read(self, model: str, id: int, fields: Sequence[str]) -> dict[str, Any]:
        rows: list[dict[str, Any]] = await self._call(model, "read", ids=[id], fields=list(fields))
        return rows[0]

    async def write(self, model: str, id: int, values: dict[str, object]) -> None:
        await self._call(model, "write", ids=[id], vals=values)

    async def _call(self, model: str, method: str, **arguments: Any) -> Any:
        self.calls += 1
        return await self._odoo.call(model, method, writes=method in ("create", "write"), **arguments)


async def _downtime(odoo: _Counted, one: Transaction) -> None:
    assert isinstance(one, DowntimeRecord)
    model = "mrp.workcenter.productivity"
    if await odoo.ids(model, [["description", "ilike", one.key]]):
        return
    [center] = await odoo.ids("mrp.workcenter", [["code", "=", one.work_center]])
    [loss] = await odoo.ids(f"{model}.loss", [["loss_type", "=", "availability"]])
    start, end = _moment(one.started_ms), _moment(one.ended_ms)
    row = {"workcenter_id": center, "loss_id": loss, "date_start": start, "date_end": end, "description": one.key}
    await odoo.create(model, row)


async def _maintenance(odoo: _Counted, one: Transaction) -> None:
    assert isinstance(one, MaintenanceRequest)
    model = "maintenance.request"
    if await odoo.ids(model, [["description", "ilike", one.key]]):
        return
    [equipment] = await odoo.ids("maintenance.equipment", [["serial_no", "=", one.serial_number]])
    await odoo.create(model, {"name": one.title, "equipment_id": equipment, "description": one.key})


async def _progress(odoo: _Counted, one: Transaction) -> None:
    assert isinstance(one, Progress)
    assert one.order is not None
    id = int(one.order.removeprefix("mo-"))
    row = await odoo.read("mrp.production", id, ["state", "qty_producing"])
    await odoo.write("mrp.production", id, {"qty_producing": max(row["qty_producing"], float(one.upto))})


def _moment(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_ms // 1000))
