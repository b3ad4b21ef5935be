"""A simulated Odoo inside the test, with the demonstration plant in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from odoo_adapter.simulator.http import Service
from odoo_adapter.simulator.server import open_service, serving
from tests.odoo_adapter.situations import AT_MS, HOLD_LOCATION, LOSSES, Bench, opened

ADMIN_KEY = "the-administrators-key"
BRIDGE_KEY = "the-bridges-key"
DATABASE = "plant"
CONTEXT = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g", "l": "L"}, over=Decimal("0.05"), losses=LOSSES)
TWO_HOURS_MS = 7_200_000


@dataclass(slots=True)
class Clock:
    """The simulator's time, which only a test moves."""

    now_ms: int = AT_MS + TWO_HOURS_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A server that answers at `url`."""

    url: str
    service: Service
    clock: Clock = field(default_factory=Clock)

    def connection(self, key: str) -> Connection:
        user = "admin" if key == ADMIN_KEY else "uns-bridge"
        return Connection(url=self.url, database=DATABASE, user=user, key=lambda: key)


@pytest.fixture
def version() -> str:
    """What the simulator answers as; a module may have others."""
    return "19.0"


@pytest.fixture
def quality() -> str:
    """What keeps inspections in the simulator; a module may have others."""
    return ""


@pytest.fixture
async def simulated(version: str, quality: str) -> AsyncIterator[Simulated]:
    clock = Clock()
    service = open_service(
        DATABASE, administrator=ADMIN_KEY, bridge=BRIDGE_KEY, now_ms=clock, version=version, quality=quality
    )
    async with serving(service) as url:
        yield Simulated(url=url, service=service, clock=clock)


@pytest.fixture
async def admin(simulated: Simulated) -> AsyncIterator[OdooApi]:
    odoo = OdooApi(simulated.connection(ADMIN_KEY))
    yield odoo
    await odoo.close()


@pytest.fixture
async def planner(admin: OdooApi) -> Planner:
    planner = Planner(admin)
    await planner.prepare()
    return planner


@pytest.fixture
def mode() -> str:
    """How postings happen; a module may have others."""
    return "inbox"


@pytest.fixture
async def benches(simulated: Simulated, planner: Planner) -> AsyncIterator[Callable[..., Bench]]:
    """Makes a bench to which postings happen in a given way."""

    async def order(quantity: float) -> str:
        return await planner.create_order(quantity, press=1)

    async with AsyncExitStack() as opened_ones:

        def bench(mode: str, hold_location: str = HOLD_LOCATION) -> Bench:
            odoo = opened(mode, simulated.connection(BRIDGE_KEY), CONTEXT, hold_location=hold_location)
            opened_ones.push_async_callback(odoo.close)
            return Bench(odoo=odoo, order=order, fresh="simulated", center=planner.create_work_center)

        yield bench


@pytest.fixture
def bench(benches: Callable[..., Bench], mode: str) -> Bench:
    return benches(mode)


@pytest.fixture
async def integration(simulated: Simulated, planner: Planner) -> AsyncIterator[OdooApi]:
    """The bridge's own user, calling by itself."""
    odoo = OdooApi(simulated.connection(BRIDGE_KEY))
    yield odoo
    await odoo.close()
