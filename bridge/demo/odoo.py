"""The Odoo of a demonstration: the simulator as a child process, or a real server that is given."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from odoo_adapter.inbox.install import install
from odoo_adapter.json2 import Connection, Json2
from odoo_adapter.seed import Planner

COMPANY: Final = 1
SIMULATOR_USER: Final = "uns-bridge"
READY_TIMEOUT_S: Final = 20.0
VARIABLES: Final = ("UNS_BRIDGE_ODOO_DB", "UNS_BRIDGE_ODOO_USER", "UNS_BRIDGE_ODOO_KEY", "UNS_BRIDGE_ODOO_ADMIN_KEY")
"""What a real server needs: the database, the integration user and its key, and an administrator's key."""


class DemoOdooError(Exception):
    """The Odoo of the demonstration cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOdoo:
    """Where Odoo is. `key` is the integration user's, `admin` a connection of the administrator."""

    url: str
    database: str
    user: str
    key: str
    admin: Json2
    simulator: bool

    async def prepare(self, say: Callable[[str], None]) -> Planner:
        """Install the inbox (on a real server) and the master data. Raises `OdooError`."""
        if not self.simulator:
            say("installing the inbox in Odoo")
            await install(self.admin, [self.user])
        say("preparing products, bills of materials and stock in Odoo")
        planner = Planner(self.admin)
        await planner.prepare()
        return planner

    async def search_read(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Read as the administrator, for the comparison at the end. Raises `OdooError`."""
        rows: list[dict[str, Any]] = await self.admin.call(
            model, "search_read", writes=False, domain=list(domain), fields=list(fields)
        )
        return rows


@asynccontextmanager
async def real_odoo(url: str) -> AsyncIterator[DemoOdoo]:
    """A server that runs. Its database, users and keys come from the environment. Raises `DemoOdooError`."""
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise DemoOdooError(f"set {', '.join(missing)} to use the Odoo at {url}; docs/odoo.md says how to get them")
    database, user, key, admin_key = (os.environ[name] for name in VARIABLES)
    admin = Json2(Connection(url=url, database=database, key=lambda: admin_key, company=COMPANY))
    try:
        yield DemoOdoo(url=url, database=database, user=user, key=key, admin=admin, simulator=False)
    finally:
        await admin.close()


@asynccontextmanager
async def simulated_odoo(home: Path) -> AsyncIterator[DemoOdoo]:
    """The simulator on a free loopback port. Raises `DemoOdooError` when it does not come up."""
    keys = home / "odoo-simulator.keys"
    command = ["-m", "odoo_adapter.simulator", "--port", "0", "--database", "demo", "--key-file", str(keys)]
    with (home / "odoo-simulator.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True
        )
    try:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), READY_TIMEOUT_S)
            ready = msgspec.json.decode(line)
        except (TimeoutError, msgspec.DecodeError) as error:
            raise DemoOdooError(f"the Odoo simulator did not start; see {log.name}") from error
        admin_key, key = keys.read_text("utf-8").split()
        connection = Connection(url=ready["url"], database=ready["database"], key=lambda: admin_key, company=COMPANY)
        admin = Json2(connection)
        try:
            yield DemoOdoo(
                url=ready["url"],
                database=ready["database"],
                user=SIMULATOR_USER,
                key=key,
                admin=admin,
                simulator=True,
            )
        finally:
            await admin.close()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
