"""The scenarios' plant on a simulated Odoo. What is shown on real servers is in tests/live_odoo/test_scenarios.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.seed import Planner
from odoo_adapter.simulator.server import SECOND_LOGIN, open_service, serving
from tests.odoo_adapter.situations import AT_MS
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import Ground
from tests.scenarios.ways import both_ways, other_plant, plant

__all__ = ["both_ways", "other_plant", "plant"]

ADMIN_KEY = "the-administrators-key"
BRIDGE_KEY = "the-bridges-key"
SECOND_KEY = "the-second-bridges-key"
SECOND_COMPANY = 2


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    clock = Clock(AT_MS)
    service = open_service("plant", administrator=ADMIN_KEY, bridge=BRIDGE_KEY, second=SECOND_KEY, now_ms=clock.now_ms)
    async with serving(service) as url:
        admin = OdooApi(Connection(url=url, database="plant", user="admin", key=lambda: ADMIN_KEY))
        await Planner(admin).prepare()
        yield Ground(admin=admin, user="uns-bridge", key=BRIDGE_KEY, clock=clock, suffix="-SIM")
        await admin.close()


@pytest.fixture
async def second_ground(ground: Ground) -> AsyncIterator[Ground]:
    """The same server, the other company."""
    admin = OdooApi(replace(ground.admin.connection, company=SECOND_COMPANY))
    yield replace(ground, admin=admin, user=SECOND_LOGIN, key=SECOND_KEY)
    await admin.close()
