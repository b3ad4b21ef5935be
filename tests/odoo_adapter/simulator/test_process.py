"""The simulator as a process of its own: killed at any moment, it has after its start what it had answered."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.odoo import Applied
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.__main__ import read_keys
from tests.odoo_adapter.simulator.conftest import CONTEXT
from tests.odoo_adapter.situations import Bench, complete, jobs


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator's process, which has said where it answers."""

    process: asyncio.subprocess.Process
    url: str
    database: str

    def connection(self, key: str) -> Connection:
        return Connection(url=self.url, database=self.database, key=lambda: key)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "odoo_adapter.simulator", "--port", "0", "--database", "demo"),
        *("--key-file", str(folder / "keys"), "--state", str(folder / "state.json")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = json.loads(await process.stdout.readline())
        assert said["simulator"] is True
        yield Running(process, said["url"], said["database"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        administrator, bridge = read_keys(tmp_path / "keys")
        admin, odoo = OdooApi(first.connection(administrator)), OdooServer(OdooApi(first.connection(bridge)), CONTEXT)
        planner = Planner(admin)
        await planner.prepare()
        bench = Bench(odoo=odoo, order=partial(planner.create_order, press=1), fresh="kill")
        order = await bench.order(10)
        transaction = complete(bench, order)
        (before,) = await odoo.post(jobs(transaction))
        assert isinstance(before, Applied)
        first.process.kill()
        await first.process.wait()
        await odoo.close()
        await admin.close()
    async with running(tmp_path) as second:
        odoo = OdooServer(OdooApi(second.connection(bridge)), CONTEXT)
        (after,) = await odoo.post(jobs(transaction))
        assert isinstance(after, Applied)
        assert (after.receipt.repeated, after.receipt.id) == (True, before.receipt.id)
        (read,) = (await odoo.read_orders("2020-01-01 00:00:00")).orders
        assert (read.order, read.state) == (order, "done")
        await odoo.close()


async def test_it_ends_when_asked_to(tmp_path: Path) -> None:
    async with running(tmp_path) as simulator:
        simulator.process.send_signal(signal.SIGTERM)
        assert await simulator.process.wait() == 0


def test_a_fresh_key_file_is_its_owners_only_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = read_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path) == keys
    assert keys[0] != keys[1]
