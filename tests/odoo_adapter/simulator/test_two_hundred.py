"""Two hundred mixed transactions under injected failures on the simulator; tests/live_odoo/test_thousand.py does it on
a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import Planner
from tests.bridge.site import plant_in
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, Simulated
from tests.odoo_adapter.situations import both_modes
from tests.thousand.ground import Ground
from tests.thousand.run import Server, run

mode = both_modes

COUNT, SEED, LIMIT_S = 200, 7, 600
TIMEOUT_MS, SERVER_LIMIT_MS = 1_500, 1_000
"""The simulator answers at once: who looks first need not wait long for what may still be carried out, even where the
machine is busy."""


@pytest.mark.slow
async def test_two_hundred_transactions_stand_once_each_whatever_fails(
    mode: str, simulated: Simulated, planner: Planner, admin: OdooApi, tmp_path: Path
) -> None:
    server = Server(
        ground=Ground(admin=admin, fresh="run"),
        connection=simulated.connection(BRIDGE_KEY),
        plant=plant_in(tmp_path),
        mode=mode,
        timeout_ms=TIMEOUT_MS,
        server_limit_ms=SERVER_LIMIT_MS,
        limit_s=LIMIT_S,
    )
    result = await run(server, COUNT, SEED)
    assert result.told == [], str(result)
    assert result.failures > 10
