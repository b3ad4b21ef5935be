"""The outside with a watch on it: the store, Odoo and the links as they are, and a note of how each call went."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bridge.broker.link import (
    BrokerLink,
    LinkDown,
    LinkEvent,
    LinkSettings,
    LinkUp,
    MayConnect,
    Subscriptions,
    WillSource,
)
from bridge.broker.observed import ObservedLink
from bridge.console.watch import Watch
from bridge.wiring import LinkFactory, Outside
from odoo_adapter.odoo import Applied, Job, Odoo, OdooInfo, OrdersRead, Outcome, Receipt
from ruleset.transaction import Complete, Correct, Progress, QualityHold, Transaction
from state.errors import StoreUnavailable
from state.record import Commit, Stored, Table
from state.store import Act, Leader, Lease, Store


def watched(outside: Outside, watch: Watch) -> Outside:
    """The same outside; what happens on it is noted."""
    return replace(
        outside,
        store=WatchedStore(outside.store, watch),
        odoo=WatchedOdoo(outside.odoo, watch),
        link=_watched_links(outside.link, watch),
    )


class WatchedStore:
    """A `Store` whose commits are noted."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store = store
        self._watch = watch

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        return await self._store.acquire(holder, ttl_ms)

    async def renew(self, lease: Lease) -> bool:
        return await self._store.renew(lease)

    async def release(self, lease: Lease) -> None:
        await self._store.release(lease)

    async def leader(self) -> Leader | None:
        return await self._store.leader()

    async def load(self) -> Stored:
        return await self._store.load()

    async def read(self, table: Table) -> dict[str, bytes]:
        return await self._store.read(table)

    async def read_one(self, table: Table, id: str) -> bytes | None:
        return await self._store.read_one(table, id)

    async def traced(self, prefix: str, limit: int) -> Sequence[str]:
        return await self._store.traced(prefix, limit)

    async def commit(self, lease: Lease, commit: Commit) -> None:
        began_ms = self._watch.clock.now_ms()
        try:
            await self._store.commit(lease, commit)
        except StoreUnavailable as error:
            self._watch.store_failed(str(error), began_ms)
            raise
        self._watch.committed(commit.number)

    async def submit(self, act: Act) -> None:
        await self._store.submit(act)

    async def acts(self) -> Sequence[Act]:
        return await self._store.acts()

    async def weaknesses(self) -> Sequence[str]:
        return await self._store.weaknesses()

    async def close(self) -> None:
        await self._store.close()


class WatchedOdoo:
    """An `Odoo` of which is noted what answers, what fails, and what receipts say of quantities."""

    def __init__(self, odoo: Odoo, watch: Watch) -> None:
        self._odoo = odoo
        self._watch = watch

    async def check(self) -> OdooInfo:
        with self._watch.asking("check"):
            info = await self._odoo.check()
        self._watch.odoo.info = info
        return info

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        with self._watch.asking("post"):
            outcomes = await self._odoo.post(batch)
        for job, outcome in zip(batch, outcomes, strict=False):
            if isinstance(outcome, Applied):
                self._applied(job.transaction, outcome)
        return outcomes

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        return await self._odoo.look_up(jobs)

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        return await self._odoo.foresee(jobs)

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        with self._watch.asking("orders"):
            return await self._odoo.read_orders(cursor, known)

    async def close(self) -> None:
        await self._odoo.close()

    def _applied(self, transaction: Transaction, outcome: Applied) -> None:
        now_ms = self._watch.clock.now_ms()
        self._watch.odoo.posted_ms = now_ms
        if transaction.order is not None and isinstance(transaction, Progress | Complete | QualityHold | Correct):
            self._watch.posted(transaction.order, outcome.receipt.details, now_ms)


def _watched_links(factory: LinkFactory, watch: Watch) -> LinkFactory:
    def make(
        settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        name = settings.client_id.rpartition("-")[2]
        watch.session(name, up=False)

        def note(event: LinkEvent) -> None:
            if isinstance(event, LinkUp):
                watch.session(name, up=True)
            elif isinstance(event, LinkDown):
                watch.session(name, up=False, reason=event.reason)

        return ObservedLink(factory(settings, subscriptions, will, may_connect), note)

    return make
