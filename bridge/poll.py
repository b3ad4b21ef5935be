"""Asks the store, again and again, for the acts that people left there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from bridge.clock import Clock
from bridge.core.act import audited, read_act
from bridge.core.input import FromPerson, Input, Tick
from bridge.loop import Entering
from state.audit import AuditLog
from state.errors import StoreUnavailable
from state.store import Act, Store

Enter = Callable[[Entering], Awaitable[None]]

log = structlog.get_logger()


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
