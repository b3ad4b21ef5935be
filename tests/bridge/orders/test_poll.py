"""Asking for orders: all of them at first and from time to time, changes in between, at once where somebody wakes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from bridge.core.input import OrdersArrived
from bridge.loop import Entering
from bridge.orders.poll import OrderPoller
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import DELETED, OrdersRead
from odoo_adapter.plan import PlanContext
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import ManualClock

NEVER_MS = 3_600_000


@dataclass(slots=True)
class Asked(MemoryOdoo):
    """An Odoo that remembers with which cursor it was asked."""

    cursors: list[str] = field(default_factory=list)

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        self.cursors.append(cursor)
        return await MemoryOdoo.read_orders(self, cursor, known)


@pytest.fixture
def odoo() -> Asked:
    return Asked(context=PlanContext(over=Decimal(0)))


@pytest.fixture
def entered() -> asyncio.Queue[Entering]:
    return asyncio.Queue(1000)


def poller(
    odoo: MemoryOdoo,
    entered: asyncio.Queue[Entering],
    *,
    every_ms: int = 1,
    reconcile_every_ms: int = NEVER_MS,
    pace_s: float = 0.01,
) -> OrderPoller:
    return OrderPoller(
        odoo,
        entered.put,
        ManualClock(),
        cursor=lambda: "7",
        known=lambda: ["mo-9"],
        every_ms=every_ms,
        reconcile_every_ms=reconcile_every_ms,
        pace_s=pace_s,
    )


async def test_the_first_poll_reads_all_that_is_open_and_what_became_of_what_was(
    odoo: Asked, entered: asyncio.Queue[Entering]
) -> None:
    async with running(poller(odoo, entered).run()):
        await until(lambda: len(odoo.cursors) > 3)
    first = entered.get_nowait().input
    assert isinstance(first, OrdersArrived)
    assert [(one.order, one.state) for one in first.read.orders] == [("mo-9", DELETED)]
    assert (odoo.cursors[0], set(odoo.cursors[1:])) == ("", {"7"})


async def test_all_is_read_again_when_a_reconciliation_is_due(odoo: Asked, entered: asyncio.Queue[Entering]) -> None:
    async with running(poller(odoo, entered, reconcile_every_ms=1).run()):
        await until(lambda: odoo.cursors.count("") > 2)


async def test_orders_are_read_again_after_odoo_was_away_and_that_is_said_once(
    odoo: Asked, entered: asyncio.Queue[Entering]
) -> None:
    odoo.down = True
    with capture_logs() as logs:
        async with running(poller(odoo, entered).run()):
            await until(lambda: len(odoo.cursors) > 2)
            odoo.down = False
            entering = await asyncio.wait_for(entered.get(), 5)
    assert [line["event"] for line in logs] == ["orders.unreadable"]
    assert isinstance(entering.input, OrdersArrived)
    assert set(odoo.cursors[:3]) == {""}, "what could not be read is reconciled when it can"


async def test_who_wakes_it_has_two_polls_and_then_it_rests(odoo: Asked, entered: asyncio.Queue[Entering]) -> None:
    polling = poller(odoo, entered, every_ms=NEVER_MS)
    async with running(polling.run()):
        await until(lambda: len(odoo.cursors) == 1)
        polling.wake()
        await until(lambda: len(odoo.cursors) == 3)


async def test_waking_it_again_and_again_makes_no_more_polls_than_the_pace_allows(
    odoo: Asked, entered: asyncio.Queue[Entering]
) -> None:
    time_s = asyncio.get_running_loop().time
    polling = poller(odoo, entered, every_ms=NEVER_MS, pace_s=0.05)
    async with running(polling.run()):
        began_s = time_s()

        def woken() -> bool:
            polling.wake()
            return len(odoo.cursors) > 4

        await until(woken)
        assert time_s() - began_s >= 4 * 0.05
