"""A thousand mixed transactions under injected failures on a real Odoo, and what stands is the reference, once each.

UNS_BRIDGE_ODOO_TRANSACTIONS says how many (300 where nothing is said), UNS_BRIDGE_ODOO_SEED which; with a command in
UNS_BRIDGE_ODOO_RESTART that kills the server and starts it again, that happens twice meanwhile. What is not posted
after UNS_BRIDGE_ODOO_MINUTES (60) is named.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import Planner
from tests.bridge.site import plant_in
from tests.live_odoo.conftest import connection
from tests.odoo_adapter.situations import both_modes
from tests.thousand.ground import Ground
from tests.thousand.run import Server, run

mode = both_modes

TIMEOUT_MS, SERVER_LIMIT_MS = 20_000, 10_000
"""No call of the test takes that long, so who looks first may look after fifty seconds."""
RESTART_S = 300
DEFAULTS = (("TRANSACTIONS", "300"), ("SEED", "7"), ("MINUTES", "60"))


async def restart() -> None:
    """Kill the server and wait until it is there again."""
    process = await asyncio.create_subprocess_shell(
        os.environ["UNS_BRIDGE_ODOO_RESTART"], stdout=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), RESTART_S) == 0


async def test_mixed_transactions_stand_once_each_whatever_fails(
    mode: str,
    planner: Planner,
    admin: OdooApi,
    fresh: str,
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    count, seed, minutes = (int(os.environ.get(f"UNS_BRIDGE_ODOO_{name}", said)) for name, said in DEFAULTS)
    server = Server(
        ground=Ground(admin=admin, fresh=fresh),
        connection=connection("UNS_BRIDGE_ODOO_KEY"),
        plant=plant_in(tmp_path),
        mode=mode,
        timeout_ms=TIMEOUT_MS,
        server_limit_ms=SERVER_LIMIT_MS,
        limit_s=minutes * 60,
        restart=restart if os.environ.get("UNS_BRIDGE_ODOO_RESTART") else None,
    )
    result = await run(server, count, seed)
    record_testsuite_property(f"thousand, {mode}", str(result))
    assert result.told == [], f"{result}: {'; '.join(result.told)}"
