"""The Odoo of a demonstration: the simulator as a child process, or a real server that is given."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge.demo.servers import HOST, Child, EmbeddedServerError, answers, free_ports
from bridge.settings.secret import write_privately
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.inbox.install import install
from odoo_adapter.seed import Planner
from odoo_adapter.versions import Capabilities

COMPANY: Final = 1
SIMULATOR_USER: Final = "uns-bridge"
SIMULATOR_DATABASE: Final = "demo"
ADMIN_USER: Final = "UNS_BRIDGE_ODOO_ADMIN_USER"
VARIABLES: Final = ("UNS_BRIDGE_ODOO_DB", "UNS_BRIDGE_ODOO_USER", "UNS_BRIDGE_ODOO_KEY", "UNS_BRIDGE_ODOO_ADMIN_KEY")
"""What a real server needs: the database, the integration user and its key, and an administrator's key.

The administrator's login is `admin` unless UNS_BRIDGE_ODOO_ADMIN_USER says otherwise.
"""


class DemoOdooError(Exception):
    """The Odoo of the demonstration cannot be used; the text says why and what to do."""


class SimulatorKeys:
    """The API keys that the simulator accepts: its file of them, which it reads again at a SIGHUP, and the bridges'."""

    def __init__(self, file: Path, server: Child) -> None:
        self._file = file
        self._server = server
        self._handed_out: list[Path] = []

    def handed_out(self, secret: Path) -> None:
        """A bridge reads its key here."""
        self._handed_out.append(secret)

    def accept_new(self, *, also_old: bool) -> str:
        """Accept a new key for the bridge from now on, and the one that it has or not."""
        admin, *old = self._file.read_text("utf-8").split()
        key = secrets.token_hex(20)
        self._accept([admin, *(old if also_old else ()), key])
        return key

    def hand_out(self, key: str) -> None:
        """Put it where the bridges read it."""
        for secret in self._handed_out:
            write_privately(secret, key)

    def end_old(self) -> None:
        """Accept no more than the newest key of the bridge."""
        admin, *_, newest = self._file.read_text("utf-8").split()
        self._accept([admin, newest])

    def _accept(self, keys: Sequence[str]) -> None:
        write_privately(self._file, "\n".join(keys) + "\n")
        self._server.send(signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOdoo:
    """Where Odoo is. `key` is the integration user's, `admin` a connection of the administrator.

    `limit_s` is how long a call may go on at the server, where it is posted to without the inbox; else None.
    """

    url: str
    database: str
    user: str
    key: str
    admin: OdooApi
    simulator: bool
    limit_s: int | None = None
    server: Child | None = None
    keys: SimulatorKeys | None = None

    async def prepare(self, say: Callable[[str], None]) -> Planner:
        """Install the inbox (on a real server, if it is used) and the master data. Raises `OdooError`."""
        if not self.simulator and self.limit_s is None:
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

    async def capabilities(self) -> Capabilities:
        """What the server's version can do. Raises `OdooError`."""
        return await self.admin.capabilities()


@asynccontextmanager
async def real_odoo(url: str, *, limit_s: int | None = None) -> AsyncIterator[DemoOdoo]:
    """A server that runs. Its database, users and keys come from the environment. Raises `DemoOdooError`."""
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise DemoOdooError(f"set {', '.join(missing)} to use the Odoo at {url}; docs/odoo.md says how to get them")
    database, user, key, admin_key = (os.environ[name] for name in VARIABLES)
    login = os.environ.get(ADMIN_USER) or "admin"
    admin = OdooApi(Connection(url=url, database=database, user=login, key=lambda: admin_key, company=COMPANY))
    try:
        yield DemoOdoo(url=url, database=database, user=user, key=key, admin=admin, simulator=False, limit_s=limit_s)
    finally:
        await admin.close()


@asynccontextmanager
async def simulated_odoo(home: Path, *, kept: bool = False, limit_s: int | None = None) -> AsyncIterator[DemoOdoo]:
    """The simulator on a free loopback port. Raises `DemoOdooError` when it does not come up.

    `kept`: its database is a file below `home`, so that it may be killed. `limit_s`: it is used without its inbox, and
    ends calls after so long.
    """
    keys, (port,) = home / "odoo-simulator.keys", free_ports(1)
    command = [sys.executable, "-m", "odoo_adapter.simulator", "--port", str(port), "--database", SIMULATOR_DATABASE]
    command += ["--key-file", str(keys), *(["--state", str(home / "odoo-simulator.state")] if kept else [])]
    command += ["--limit", str(limit_s)] if limit_s is not None else []
    server = Child("the Odoo simulator", command, home / "odoo-simulator.log", lambda: answers(port))
    try:
        try:
            await server.start()
        except EmbeddedServerError as error:
            raise DemoOdooError(str(error)) from error
        admin_key, key = keys.read_text("utf-8").split()
        url = f"http://{HOST}:{port}"
        connection = Connection(url=url, database=SIMULATOR_DATABASE, key=lambda: admin_key, company=COMPANY)
        admin = OdooApi(connection)
        try:
            yield DemoOdoo(
                url=url,
                database=SIMULATOR_DATABASE,
                user=SIMULATOR_USER,
                key=key,
                admin=admin,
                simulator=True,
                limit_s=limit_s,
                server=server,
                keys=SimulatorKeys(keys, server),
            )
        finally:
            await admin.close()
    finally:
        await server.stop()
