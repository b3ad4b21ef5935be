"""The bridge's real way from decisions to Odoo: outbox, lanes, commits and delivery, as a site has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bridge.clock import SystemClock
from bridge.core.input import Input, Notice, Request, Send
from bridge.delivery import Delivery, OdooCarrier
from bridge.loop import Entering, Loop, Stall
from bridge.plant import Plant
from bridge.settings import RetrySettings
from bridge.settings.odoo import InboxUse
from bridge.wiring import new_core
from odoo_adapter.odoo import Odoo
from ruleset.transaction import Transaction
from state.memory_store import MemoryStore
from tests.scenarios.bridge import Namespace

BATCH: Final = 4
RETRY: Final = RetrySettings(first_ms=20, longest_ms=1_000)
NEVER_ENDS_MS: Final = 10**12


class Poster:
    """One site that has transactions to post; the shell of its loop. It ends when all are posted, or one is not taken.

    `timeout_ms` is for one call, `server_limit_ms` how long one may go on after we have gone; only looking first waits.
    """

    def __init__(self, plant: Plant, odoo: Odoo, mode: str, *, timeout_ms: int, server_limit_ms: int) -> None:
        use = InboxUse.REQUIRED if mode == "inbox" else InboxUse.NEVER
        there = replace(plant.settings.odoo, inbox=use, timeout_ms=timeout_ms, server_limit_ms=server_limit_ms)
        self._core = new_core(replace(plant, settings=replace(plant.settings, odoo=there, retry=RETRY)))
        self._store = MemoryStore(weaknesses=())
        self._clock = SystemClock()
        carrier = OdooCarrier(
            odoo,
            batch=BATCH,
            per_second=1000,
            checked=lambda _: None,
            server_limit_ms=server_limit_ms if there.may_look_first else 0,
        )
        self._deliveries = [Delivery(carrier, self._enter), Delivery(Namespace(), self._enter)]
        self._loop: Loop | None = None
        self.posted = 0
        self.repeated = 0
        """How many were found to stand already when they were sent again."""
        self.complaints: list[str] = []
        self.is_over = False

    async def post(self, transactions: Iterable[Transaction]) -> None:
        """Post them as a bridge does that was away from Odoo for a while."""
        lease = await self._store.acquire("poster", NEVER_ENDS_MS)
        assert lease is not None
        for transaction in transactions:
            self._core.postings.post(transaction, self._clock.now_ms())
        self._loop = Loop(
            self._core,
            self._store,
            lease,
            number=0,
            clock=self._clock,
            shell=self,
            deliveries=self._deliveries,
            queue_size=1_000,
            patience_ms=NEVER_ENDS_MS,
            outbox_limit=NEVER_ENDS_MS,
        )
        delivering = [asyncio.create_task(one.run(), name=f"to-{one.destination}") for one in self._deliveries]
        try:
            await self._loop.run()
        finally:
            self.is_over = True
            for task in delivering:
                task.cancel()
            await asyncio.gather(*delivering, return_exceptions=True)

    @property
    def still_open(self) -> list[str]:
        """What is not posted, the oldest first, with what became of it so far."""
        return [
            f"{entry.key} is {entry.state}, {entry.attempts} attempts{f': {entry.reason}' if entry.reason else ''}"
            for entry in self._core.outbox.entries()
        ]

    def act(self, request: Request) -> None:
        match request:
            case Send():
                (delivery,) = (one for one in self._deliveries if one.destination == request.destination)
                delivery.send(request)
            case Notice(name="entry.delivered"):
                self.posted += 1
                self.repeated += bool(request.fields["repeated"])
            case Notice(name="entry.dead" | "entry.held"):
                self.complaints.append(f"{request.name}: {request.fields}")
            case _:
                return
        if self._loop is not None and (self.complaints or not self._core.outbox.depth()):
            self._loop.finish()

    def stalled(self, stall: Stall, reason: str) -> None:
        self.complaints.append(f"{stall}: {reason}")

    def recovered(self, stall: Stall) -> None:
        """Never: it would have been a complaint."""

    async def _enter(self, entered: Input) -> None:
        assert self._loop is not None
        await self._loop.enter(Entering(input=entered, at_ms=self._clock.now_ms()))
