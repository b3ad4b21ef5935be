"""Postings a second: through the inbox, singly and in batches, and without it, call by call.

Against the Odoo simulator unless UNS_BRIDGE_ODOO_URL names a server. The simulator keeps everything in memory: its
figures compare the ways with each other and say nothing about a server's speed. Call by call is what the bridge does
where no inbox is installed: it looks what stands before each step, and looks again after it.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import uuid4

from bench.process import BenchError
from bridge.demo.odoo import COMPANY, DemoOdoo, real_odoo, simulated_odoo
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.look_first.odoo import LookFirstOdoo
from odoo_adapter.odoo import Applied, Job, Odoo, Standing
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from odoo_adapter.server import MOST, MOST_WITH_STOCK, OdooServer
from ruleset.transaction import (
    Complete,
    Consumption,
    DowntimeRecord,
    IdempotencyKey,
    MaintenanceRequest,
    OrderRef,
    Progress,
    Provenance,
    Scrap,
)

STOP_MS: Final = 9_000
PIECES: Final = 10
LARGE: Final = 100_000
"""The quantity of an order that takes all progress of a measurement."""
UNIT: Final = "pcs"
RESIN: Final = Consumption(product="RESIN-A", quantity=Decimal("0.5"), unit="kg", lot="R-1")
FROM_HERE: Final = Provenance(rule="bench", version="1", topic="bench")
CALL_BY_CALL: Final = "call by call"
SLOWER: Final = 10
"""A completion takes so much longer than another posting, and needs an order made for it: so many fewer are posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast postings of one kind went one way: the median round.

    `calls` are HTTP calls per posting, `own_us` the CPU time of the bridge's side per posting, `own_share` its part of
    the time that passed; the rest is waiting for Odoo.
    """

    kind: str
    way: str
    per_s: float
    calls: float
    own_us: float
    own_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All rates, and what they were measured on."""

    server: str
    simulator: bool
    rates: list[Rate]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """An adapter, and how many postings it gets at once."""

    name: str
    odoo: Odoo
    size: int


class _Facts:
    """Makes jobs that are new each time. Those of one call to a kind may be posted as one batch."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._run = uuid4().hex[:8]
        self._number = 0
        self._base_ms = time.time_ns() // 1_000_000_000 * 1000

    async def downtime(self, count: int) -> list[Job]:
        """Stop after stop of a work center that has no other times: what was told already would cover a new one."""
        center = await self._planner.create_work_center(f"BENCH-{self._run}-{self._number}")
        began_ms = self._base_ms - count * STOP_MS
        return [
            Job(
                transaction=DowntimeRecord(
                    **self._common(),
                    work_center=center,
                    started_ms=began_ms + place * STOP_MS,
                    ended_ms=began_ms + (place + 1) * STOP_MS,
                    loss="setup",
                )
            )
            for place in range(count)
        ]

    async def maintenance(self, count: int) -> list[Job]:
        """Each for a cause of its own: what comes again for one would be a note."""
        jobs: list[Job] = []
        for _ in range(count):
            common = self._common()
            made = MaintenanceRequest(
                **common, serial_number="UNS-PRESS-2", title="Benchmark", cause=f"bench {common['key']}"
            )
            jobs.append(Job(transaction=made))
        return jobs

    async def progress(self, count: int) -> list[Job]:
        """Piece after piece of a new order, each with what the bridge would know of those before it."""
        order = OrderRef(await self._planner.create_order(LARGE, press=1))
        stream = f"{order}/bench"
        jobs: list[Job] = []
        for upto in range(1, count + 1):
            before = Decimal(upto - 1)
            made = Progress(**self._common(), order=order, stream=stream, upto=Decimal(upto), unit=UNIT)
            jobs.append(Job(transaction=made, standing=Standing(quantity=before, streams={stream: before})))
        return jobs

    async def scrap(self, count: int) -> list[Job]:
        order = OrderRef(await self._planner.create_order(LARGE, press=1))
        one = Decimal(1)
        return [
            Job(
                transaction=Scrap(
                    **self._common(), order=order, quantity=one, unit=UNIT, reason="Benchmark", product="BOX"
                )
            )
            for _ in range(count)
        ]

    async def completion(self, count: int) -> list[Job]:
        jobs: list[Job] = []
        for _ in range(max(1, count // SLOWER)):
            order = OrderRef(await self._planner.create_order(PIECES, press=1))
            common = self._common()
            done = Complete(
                **common, order=order, quantity=Decimal(PIECES), unit=UNIT, lot=common["key"], consumed=(RESIN,)
            )
            jobs.append(Job(transaction=done))
        return jobs

    def _common(self) -> dict[str, Any]:
        self._number += 1
        key = IdempotencyKey(f"bench-{self._run}-{self._number}")
        return {"key": key, "equipment": "bench", "at_ms": self._base_ms, "provenance": FROM_HERE}


async def measure(home: Path, postings: int, rounds: int) -> Found:
    """Every kind, every way, in turns. Raises `BenchError` when a posting is not applied."""
    async with _odoo(home) as odoo:
        planner = await odoo.prepare(lambda _text: None)
        exchanges: list[str] = []
        connection = Connection(
            url=odoo.url, database=odoo.database, user=odoo.user, key=lambda: odoo.key, company=COMPANY
        )
        context = PlanContext(units={UNIT: "Units", "kg": "kg"})

        def note(path: str, _request: Mapping[str, object], _status: int, _answer: object) -> None:
            exchanges.append(path)

        api = OdooApi(connection, note)
        inbox = OdooServer(api, context)
        look_first = LookFirstOdoo(api, context, "")
        try:
            info = await inbox.check()
            rates = await _rates(inbox, look_first, _Facts(planner), exchanges, postings, rounds)
        finally:
            await inbox.close()
            await look_first.close()
        return Found(server=info.version, simulator=odoo.simulator, rates=rates)


async def _rates(
    inbox: Odoo, look_first: Odoo, facts: _Facts, exchanges: list[str], postings: int, rounds: int
) -> list[Rate]:
    kinds: dict[str, tuple[Callable[[int], Awaitable[list[Job]]], tuple[int, ...]]] = {
        "progress": (facts.progress, (1, 10, MOST)),
        "completion": (facts.completion, (1, MOST_WITH_STOCK)),
        "scrap": (facts.scrap, (1, MOST_WITH_STOCK)),
        "downtime": (facts.downtime, (1, 10, MOST)),
        "maintenance": (facts.maintenance, (1, 10, MOST)),
    }
    rates: list[Rate] = []
    for kind, (make, sizes) in kinds.items():
        ways = [_Way(name=f"inbox, {size} a call", odoo=inbox, size=size) for size in sizes]
        ways.append(_Way(name=CALL_BY_CALL, odoo=look_first, size=1))
        found: dict[str, list[Rate]] = defaultdict(list)
        for _ in range(rounds):
            for way in ways:
                found[way.name].append(await _post(kind, way, await make(postings), exchanges))
        for name, each in found.items():
            rates.append(_middle(each))
            sys.stderr.write(f"  {kind}, {name}: {rates[-1].per_s:.0f} a second\n")
    return rates


@asynccontextmanager
async def _odoo(home: Path) -> AsyncIterator[DemoOdoo]:
    url = os.environ.get("UNS_BRIDGE_ODOO_URL")
    async with real_odoo(url) if url else simulated_odoo(home) as odoo:
        yield odoo


async def _post(kind: str, way: _Way, jobs: Sequence[Job], exchanges: list[str]) -> Rate:
    exchanges.clear()
    began, cpu = time.perf_counter(), time.process_time()
    for at in range(0, len(jobs), way.size):
        wrong = [one for one in await way.odoo.post(jobs[at : at + way.size]) if not isinstance(one, Applied)]
        if wrong:
            raise BenchError(f"{kind}, {way.name}: not applied: {wrong[0]}")
    passed_s, own_s = time.perf_counter() - began, time.process_time() - cpu
    return Rate(
        kind=kind,
        way=way.name,
        per_s=len(jobs) / passed_s,
        calls=len(exchanges) / len(jobs),
        own_us=own_s / len(jobs) * 1e6,
        own_share=own_s / passed_s,
    )


def _middle(rates: Sequence[Rate]) -> Rate:
    """The round of the median speed."""
    middle = median(one.per_s for one in rates)
    return min(rates, key=lambda one: abs(one.per_s - middle))
