"""Asks Odoo for orders: what changed, every few seconds; all that are open, at the start and from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from math import inf
from typing import Final

import structlog

from bridge.clock import Clock
from bridge.core.input import OrdersArrived
from bridge.loop import Entering
from odoo_adapter.client.pace import giving_way, leave_alone
from odoo_adapter.errors import OdooError
from odoo_adapter.odoo import Odoo

PACE_S: Final = 1.0
"""Between two polls that somebody woke, at least."""

Enter = Callable[[Entering], Awaitable[None]]

log = structlog.get_logger()


class OrderPoller:
    """Reads Odoo's released orders with a cursor that the core commits.

    A reconciliation reads all orders that are open, and what became of those that the core takes for open (`known`):
    so an order that was deleted, or a change that no poll saw, is found after `reconcile_every_ms` at the latest.
    """

    def __init__(
        self,
        odoo: Odoo,
        enter: Enter,
        clock: Clock,
        *,
        cursor: Callable[[], str],
        known: Callable[[], Collection[str]],
        every_ms: int,
        reconcile_every_ms: int,
        pace_s: float = PACE_S,
    ) -> None:
        self._odoo = odoo
        self._enter = enter
        self._clock = clock
        self._cursor = cursor
        self._known = known
        self._every_s = every_ms / 1000
        self._reconcile_every_s = reconcile_every_ms / 1000
        self._pace_s = pace_s
        self._reconciled_s = -inf
        self._woken = asyncio.Event()
        self._was_woken = False
        self._failing = False

    def wake(self) -> None:
        """Poll soon: now, and once more after the pace, because Odoo 17 and 18 call before they commit."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled. A failure is logged once, and the poll goes on."""
        time_s = asyncio.get_running_loop().time
        while True:
            began_s = time_s()
            is_due = began_s - self._reconciled_s >= self._reconcile_every_s
            if await self._poll(reconcile=is_due) and is_due:
                self._reconciled_s = began_s
            await self._pause(began_s)

    async def _poll(self, *, reconcile: bool) -> bool:
        try:
            with giving_way():
                cursor, known = ("", self._known()) if reconcile else (self._cursor(), ())
                read = await self._odoo.read_orders(cursor, known)
        except OdooError as error:
            if not self._failing:
                log.warning("orders.unreadable", reason=str(error))
            self._failing = True
            await leave_alone(error)
            return False
        self._failing = False
        await self._enter(Entering(input=OrdersArrived(read), at_ms=self._clock.now_ms()))
        return True

    async def _pause(self, began_s: float) -> None:
        wait_s = min(self._every_s, self._pace_s) if self._was_woken else self._every_s
        try:
            async with asyncio.timeout(wait_s):
                await self._woken.wait()
        except TimeoutError:
            self._was_woken = False
            return
        self._woken.clear()
        self._was_woken = True
        await asyncio.sleep(began_s + self._pace_s - asyncio.get_running_loop().time())
