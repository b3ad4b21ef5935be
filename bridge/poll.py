"""What the bridge asks for by itself, again and again: Odoo's orders, and the acts of people in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from bridge.clock import Clock
from bridge.core.act import audited, read_act
from bridge.core.input import FromPerson, Input, OrdersArrived, Tick
from bridge.loop import Entering
from odoo_adapter.client.pace import giving_way
from odoo_adapter.errors import OdooError, Unavailable
from odoo_adapter.odoo import Odoo
from state.audit import AuditLog
from state.errors import StoreUnavailable
from state.store import Act, Store

Enter = Callable[[Entering], Awaitable[None]]

log = structlog.get_logger()


class OrderPoller:
    """Reads Odoo's released orders with a cursor that the core commits."""

    def __init__(self, odoo: Odoo, enter: Enter, clock: Clock, *, cursor: Callable[[], str], every_ms: int) -> None:
        self._odoo = odoo
        self._enter = enter
        self._clock = clock
        self._cursor = cursor
        self._every_s = every_ms / 1000
        self._failing = False

    async def run(self) -> None:
        """Poll until cancelled. A failure is logged once, and the poll goes on."""
        while True:
            try:
                with giving_way():
                    read = await self._odoo.read_orders(self._cursor())
            except OdooError as error:
                if not self._failing:
                    log.warning("orders.unreadable", reason=str(error))
                self._failing = True
                if isinstance(error, Unavailable) and error.retry_after_ms:
                    await asyncio.sleep(error.retry_after_ms / 1000)
            else:
                self._failing = False
                await self._enter(Entering(input=OrdersArrived(read), at_ms=self._clock.now_ms()))
            await asyncio.sleep(self._every_s)


class ActPoller:
    """Takes the acts that commands left in the store, each once, and writes who wants what into the audit log.

    An act is in the audit log before the core has it: what cannot be audited is not done. After a crash between the
    two it stands there twice, with the same id.
    """

    def __init__(self, store: Store, enter: Enter, clock: Clock, audit: AuditLog, *, every_s: float = 0.5) -> None:
        self._store = store
        self._enter = enter
        self._clock = clock
        self._audit = audit
        self._every_s = every_s
        self._entered: set[str] = set()
        self._failing = False

    async def run(self) -> None:
        """Poll until cancelled. An act leaves the store with the commit that holds its effect."""
        while True:
            try:
                acts = await self._store.acts()
            except StoreUnavailable:
                acts = None  # the commits say so
            if acts is not None:
                self._entered &= {act.id for act in acts}
                for act in acts:
                    if act.id not in self._entered:
                        await self._take(act)
            await asyncio.sleep(self._every_s)

    async def _take(self, act: Act) -> None:
        now_ms = self._clock.now_ms()
        entered: Input
        try:
            entered = acted = read_act(act)
        except msgspec.MsgspecError as error:
            log.error("act.unreadable", act=act.id, reason=str(error))
            entered = Tick()
        else:
            if not await self._is_audited(acted, now_ms):
                return
        self._entered.add(act.id)
        await self._enter(Entering(input=entered, at_ms=now_ms, act=act.id))

    async def _is_audited(self, acted: FromPerson, now_ms: int) -> bool:
        try:
            await asyncio.to_thread(self._write, acted, now_ms)
        except OSError as error:
            if not self._failing:
                log.error("audit.not_written", reason=str(error), effect="acts wait until it can be")
            self._failing = True
            return False
        self._failing = False
        return True

    def _write(self, acted: FromPerson, now_ms: int) -> None:
        for kind, fields in audited(acted):
            self._audit.append(kind, acted.by, fields, now_ms)
