"""A real Odoo, named by UNS_BRIDGE_ODOO_URL, _DB, _USER, _KEY, _ADMIN_KEY. Only `make test-odoo` runs these.

With UNS_BRIDGE_ODOO_RECORD set to a folder, the exchanges of the integration user are written there, one file per test.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection, Recorder
from odoo_adapter.inbox.install import install
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from tests.odoo_adapter.situations import HOLD_LOCATION, LOSSES, Bench, opened

CONTEXT = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g", "l": "L"}, over=Decimal("0.05"), losses=LOSSES)


def connection(key: str) -> Connection:
    return Connection(
        url=os.environ["UNS_BRIDGE_ODOO_URL"],
        database=os.environ["UNS_BRIDGE_ODOO_DB"],
        user=os.environ.get(key.removesuffix("KEY") + "USER", "admin"),
        key=lambda: os.environ[key],
    )


@pytest.fixture
async def admin() -> AsyncIterator[OdooApi]:
    odoo = OdooApi(connection("UNS_BRIDGE_ODOO_ADMIN_KEY"))
    yield odoo
    await odoo.close()


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    exchanges: list[object] = []

    def record(path: str, body: Mapping[str, object], status: int, answer: object) -> None:
        if isinstance(answer, dict):
            answer = {name: value for name, value in answer.items() if name != "debug"}
        exchanges.append({"path": path, "body": body, "status": status, "answer": answer})

    yield record
    if folder := os.environ.get("UNS_BRIDGE_ODOO_RECORD"):
        name = request.node.name.removeprefix("test_").replace("inbox-", "").replace("[inbox]", "") + ".json"
        Path(folder, name).write_text(json.dumps(exchanges, indent=1, sort_keys=True) + "\n")


INSTALLED: list[str] = []


@pytest.fixture
async def planner(admin: OdooApi) -> Planner:
    if not INSTALLED:
        INSTALLED.extend((await install(admin, [os.environ["UNS_BRIDGE_ODOO_USER"]])).log)
    planner = Planner(admin)
    await planner.prepare()
    return planner


@pytest.fixture
def mode() -> str:
    """How postings happen; a module may have others."""
    return "inbox"


@pytest.fixture
async def integration(planner: Planner) -> AsyncIterator[OdooApi]:
    """The bridge's own user, calling by itself."""
    odoo = OdooApi(connection("UNS_BRIDGE_ODOO_KEY"))
    yield odoo
    await odoo.close()


@pytest.fixture
def fresh() -> str:
    """A word that no earlier run used, for keys and lots."""
    return uuid.uuid4().hex[:10]


@pytest.fixture
async def benches(planner: Planner, recorder: Recorder, fresh: str) -> AsyncIterator[Callable[..., Bench]]:
    """Makes a bench to which postings happen in a given way."""

    async def order(quantity: float) -> str:
        return await planner.create_order(quantity, press=1)

    async with AsyncExitStack() as opened_ones:

        def bench(mode: str, hold_location: str = HOLD_LOCATION) -> Bench:
            odoo = opened(mode, connection("UNS_BRIDGE_ODOO_KEY"), CONTEXT, recorder, hold_location)
            opened_ones.push_async_callback(odoo.close)
            return Bench(odoo=odoo, order=order, fresh=fresh, center=planner.create_work_center)

        yield bench


@pytest.fixture
def bench(benches: Callable[..., Bench], mode: str) -> Bench:
    return benches(mode)
