"""Open a simulated server and serve it on the loopback interface: in its own process or inside a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from odoo_adapter.simulator.company import ADMINISTRATOR, BEHAVIOURS, INTEGRATION, furnish, mark_inbox
from odoo_adapter.simulator.face import models
from odoo_adapter.simulator.http import DEFAULT_LIMIT_S, DEFAULT_VERSION, Service
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.second import furnish_second
from odoo_adapter.simulator.state import StateFile
from odoo_adapter.versions import capabilities

HOST: Final = "127.0.0.1"
SECOND_COMPANY: Final = "Second Company"
SECOND_LOGIN: Final = "uns-bridge-2"
_SHUTDOWN_S: Final = 1.0


def open_service(
    name: str,
    *,
    administrator: str,
    bridge: str,
    now_ms: Callable[[], int],
    state: Path | None = None,
    version: str = DEFAULT_VERSION,
    limit_s: float = DEFAULT_LIMIT_S,
    second: str = "",
    quality: str = "",
) -> Service:
    """A server with the database `name` and two API keys: as kept in the file `state`, or else fresh and furnished.

    It answers as `version` does, and ends calls after `limit_s`. With `second`, which is the API key of its bridge's
    user, a fresh database has a second company. `quality` says what keeps inspections: `oca`, `enterprise`, or nothing.
    Raises `ValueError` for a state file that is none.
    """
    database = Database(models(capabilities(version), quality), BEHAVIOURS, now_ms)
    keys = {ADMINISTRATOR: administrator, INTEGRATION: bridge}
    file = None if state is None else StateFile(state)
    if file is not None and file.load(database):
        mark_inbox(database)
    else:
        furnish(database)
        if second:
            keys[furnish_second(database, SECOND_COMPANY, SECOND_LOGIN).id] = second
    if file is not None:
        file.save(database)
    return Service(database, name, keys, file, version, limit_s)


@asynccontextmanager
async def serving(service: Service, port: int = 0) -> AsyncIterator[str]:
    """Serve until the block is left; gives the URL. Port 0 takes a free one."""
    runner = web.AppRunner(service.app(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
