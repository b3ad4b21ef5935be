"""A plant folder whose Odoo is a simulator in the test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.clock import SystemClock
from bridge.plant import Plant, load_plant
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.seed import Planner
from odoo_adapter.simulator.server import open_service, serving
from tests.bridge.rig import PLANT

KEY = "the-bridges-key"
ADMIN_KEY = "the-administrators-key"
BRIDGE_YAML = """\
odoo:
  url: {url}
  database: plant
  user: uns-bridge
  key: {{file: odoo.secret}}
  {more}
"""


def write_plant(folder: Path, url: str, more: str = "", **changed: Callable[[str], str]) -> Plant:
    """The demonstration's plant with this Odoo; `changed` are changes of its files by their stems."""
    shutil.copytree(PLANT, folder)
    (folder / "bridge.yaml").write_text(BRIDGE_YAML.format(url=url, more=more))
    (folder / "odoo.secret").touch(mode=0o600)
    (folder / "odoo.secret").write_text(KEY)
    for stem, change in changed.items():
        file = folder / f"{stem}.yaml"
        file.write_text(change(file.read_text()))
    return load_plant(folder)


@asynccontextmanager
async def simulated(*, ahead_ms: int = 0, version: str = "19.0") -> AsyncIterator[str]:
    """The url of a simulator with the demonstration's master data, whose clock is so much ahead."""
    clock = SystemClock()
    service = open_service(
        "plant", administrator=ADMIN_KEY, bridge=KEY, now_ms=lambda: clock.now_ms() + ahead_ms, version=version
    )
    async with serving(service) as url:
        admin = OdooApi(Connection(url=url, database="plant", user="admin", key=lambda: ADMIN_KEY))
        try:
            await Planner(admin).prepare()
            yield url
        finally:
            await admin.close()
