"""A real Odoo calls the bridge when an order is saved, and the bridge reads it long before its next poll is due."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from bridge.clock import SystemClock
from bridge.core.input import OrdersArrived
from bridge.loop import Entering
from bridge.orders.poll import OrderPoller
from bridge.orders.wake import Wake
from bridge.settings.secret import Secret
from bridge.settings.wake import WakeSettings
from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import Planner
from ruleset.problem import Problem
from tests.bridge.simulator.listener import running
from tests.odoo_adapter.situations import Bench

TOKEN: Final = "a-long-and-secret-word"
AN_HOUR_MS: Final = 3_600_000
WITHIN_S: Final = 60.0
"""However slow the server is: without a call it would take the hour."""


@dataclass(frozen=True, slots=True)
class Called:
    """Where Odoo calls, and what was read because it did."""

    wake: Wake
    url: str
    poller: OrderPoller
    arrived: asyncio.Queue[OrdersArrived]

    async def order_read(self, order: str) -> None:
        """Wait until a reading has the order."""
        while not any(one.order == order for one in (await self.arrived.get()).read.orders):
            pass


@pytest.fixture
async def called(bench: Bench, tmp_path: Path) -> AsyncIterator[Called]:
    """A poller that polls at its start and then only when it is woken, and the server that wakes it."""
    arrived: asyncio.Queue[OrdersArrived] = asyncio.Queue()
    cursor = ""

    async def enter(entering: Entering) -> None:
        nonlocal cursor
        assert isinstance(entering.input, OrdersArrived)
        cursor = entering.input.read.cursor
        arrived.put_nowait(entering.input)

    poller = OrderPoller(
        bench.odoo,
        enter,
        SystemClock(),
        cursor=lambda: cursor,
        known=tuple,
        every_ms=AN_HOUR_MS,
        reconcile_every_ms=AN_HOUR_MS,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (tmp_path / "token").write_text(TOKEN)
    place = Problem(file="bridge.yaml", text="the token is named here")
    settings = WakeSettings(listen=("127.0.0.1", port), token_file=Secret(place=place, file=tmp_path / "token"))
    wake = Wake(settings, poller.wake)
    async with running(wake.run()), running(poller.run()):
        await arrived.get()
        yield Called(wake, f"http://127.0.0.1:{port}/wake", poller, arrived)


async def automate(admin: OdooApi, url: str) -> tuple[int, int]:
    """The automation rule of docs/odoo.md, made as an administrator makes it; its id and that of its action."""
    (module,) = await admin.call(
        "ir.module.module",
        "search_read",
        writes=False,
        domain=[["name", "=", "base_automation"]],
        fields=["state"],
    )
    if module["state"] != "installed":
        await admin.call("ir.module.module", "button_immediate_install", writes=True, ids=[module["id"]])
    (model,) = await admin.call("ir.model", "search", writes=False, domain=[["model", "=", "mrp.production"]])
    action = {"name": "Wake", "model_id": model, "state": "webhook", "webhook_url": url, "usage": "base_automation"}
    values = {"name": "Wake the bridge", "model_id": model, "trigger": "on_create_or_write"}
    (rule,) = await admin.call(
        "base.automation", "create", writes=True, vals_list=[{**values, "action_server_ids": [[0, 0, action]]}]
    )
    (row,) = await admin.call("base.automation", "read", writes=False, ids=[rule], fields=["action_server_ids"])
    return rule, row["action_server_ids"][0]


@pytest.fixture
async def rules(admin: OdooApi) -> AsyncIterator[list[tuple[int, int]]]:
    """The rules that a test made; they are gone afterwards."""
    made: list[tuple[int, int]] = []
    yield made
    for rule, action in made:
        await admin.call("base.automation", "unlink", writes=True, ids=[rule])
        if await admin.call("ir.actions.server", "search", writes=False, domain=[["id", "=", action]]):
            await admin.call("ir.actions.server", "unlink", writes=True, ids=[action])


async def test_an_order_that_is_saved_in_odoo_is_read_at_once(
    admin: OdooApi, planner: Planner, called: Called, rules: list[tuple[int, int]]
) -> None:
    rules.append(await automate(admin, f"{called.url}/{TOKEN}"))
    order = await planner.create_order(7, press=1)
    async with asyncio.timeout(WITHIN_S):
        await called.order_read(order)
    assert called.wake.refused == 0


async def test_a_rule_with_another_token_wakes_nobody_and_keeps_nobody_from_saving(
    admin: OdooApi, planner: Planner, called: Called, rules: list[tuple[int, int]]
) -> None:
    rules.append(await automate(admin, f"{called.url}/another"))
    order = await planner.create_order(7, press=1)
    assert (called.wake.refused > 0, called.arrived.empty()) == (True, True)
    called.poller.wake()
    async with asyncio.timeout(WITHIN_S):
        await called.order_read(order)
