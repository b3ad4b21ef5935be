"""The service: one process, one site. Wires the core to its links, its store and Odoo, and stops in stages.

Start: take the lease, load what was committed, connect. Stop, upstream to downstream: the host says that it goes
offline (nodes begin to store), reading stops, what was read is committed, the lease is given up. A crash at
any point is a start like any other: what was claimed is sent again first.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Final

import structlog

from bridge.broker.link import BrokerLink
from bridge.core.input import AnnounceHost, Command, Destination, Input, Notice, Request, Send, ShowOrder
from bridge.delivery import BrokerDelivery, Delivery, OdooDelivery
from bridge.errors import NotDurable
from bridge.loop import Entering, Loop
from bridge.pipeline import Core, restore
from bridge.plant import Plant
from bridge.poll import ActPoller, OrderPoller
from bridge.release import ReleaseSession, release_node
from bridge.session import DocumentSession, HostSession
from bridge.wiring import Outside, Sessions, new_core
from odoo_adapter.odoo import OdooInfo
from sparkplug.fact import NodeId
from state.errors import Fenced, StoreUnavailable
from state.store import Lease

log = structlog.get_logger()

STOP_STAGE_S: Final = 10.0
"""Longest time for one stage of stopping."""


class Service:
    """The bridge of one plant folder. `run` works until `stop` is set."""

    def __init__(self, plant: Plant, outside: Outside) -> None:
        self._plant = plant
        self._outside = outside

    async def run(self, stop: asyncio.Event) -> None:
        """Start, work, stop. Raises `NotDurable`, or `Fenced` when another bridge took over the site."""
        await self._refuse_weak_store()
        lease = await self._take_lease()
        try:
            stored = await self._outside.store.load()
            core = new_core(self._plant)
            restore(core, stored.records)
            log.info("bridge.started", site=self._plant.assets.path, commit=stored.number, records=len(stored.records))
            running = _Running(self._plant, self._outside, core, lease, stored.number)
            await running.run(stop)
        finally:
            await self._outside.store.release(lease)
            log.info("bridge.stopped")

    async def _refuse_weak_store(self) -> None:
        weaknesses = await self._outside.store.weaknesses()
        for weakness in weaknesses:
            log.warning("store.weak", weakness=weakness)
        if weaknesses and not self._plant.settings.redis.accept_weak_durability:
            raise NotDurable(tuple(weaknesses))

    async def _take_lease(self) -> Lease:
        holder = f"{socket.gethostname()}:{os.getpid()}"
        waiting = False
        while True:
            lease = await self._outside.store.acquire(holder, self._plant.settings.redis.lease_ms)
            if lease is not None:
                return lease
            if not waiting:
                log.info("lease.held_by_another", site=self._plant.assets.path)
                waiting = True
            await asyncio.sleep(self._plant.settings.redis.lease_ms / 4000)


class _Running:
    """The parts of one run, and the order in which they stop. Also the shell that the loop's requests go to."""

    def __init__(self, plant: Plant, outside: Outside, core: Core, lease: Lease, number: int) -> None:
        self._plant = plant
        self._outside = outside
        self._lease = lease
        self._committing = True
        self._renewed_ms = outside.clock.now_ms()
        settings, clock = plant.settings, outside.clock
        sessions = Sessions(plant, outside, self._may_connect)
        host_link = sessions.host(core.host)
        document_link = sessions.documents()
        self._links: list[tuple[str, BrokerLink]] = [("host", host_link), ("documents", document_link)]
        self._host = HostSession(host_link, core.host, self._enter, clock)
        self._documents = DocumentSession(document_link, self._enter)
        self._release = self._release_session(sessions, core)
        odoo_delivery = OdooDelivery(outside.odoo, self._entered, batch=settings.odoo.batch, checked=_say_odoo)
        self._deliveries: Mapping[Destination, Delivery] = {
            Destination.ODOO: odoo_delivery,
            Destination.BROKER: BrokerDelivery(document_link, self._entered),
        }
        self._orders = OrderPoller(
            outside.odoo, self._enter, clock, cursor=lambda: core.book.cursor, every_ms=settings.odoo.poll_every_ms
        )
        self._acts = ActPoller(outside.store, self._enter, clock)
        self._loop = Loop(
            core,
            outside.store,
            lease,
            number=number,
            clock=clock,
            shell=self,
            deliveries=tuple(self._deliveries.values()),
            queue_size=settings.limits.inbox_queue,
            patience_ms=settings.limits.commit_patience_ms,
        )

    def _release_session(self, sessions: Sessions, core: Core) -> ReleaseSession | None:
        """Our own edge node, where the plant folder names one."""
        named = self._plant.settings.edge_node
        if named is None:
            return None
        node = release_node(NodeId(named.group, named.node))
        link = sessions.release(node)
        self._links.append(("orders", link))
        return ReleaseSession(link, node, self._outside.clock, core.book.records.values())

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            start = tasks.create_task
            loop = start(self._loop.run(), name="core")
            background = [start(self._keep_lease(), name="lease")]
            background += [
                start(delivery.run(), name=f"delivery-{name}") for name, delivery in self._deliveries.items()
            ]
            background += [start(link.run(), name=f"link-{name}") for name, link in self._links]
            background += [start(self._host.send(), name="host-send")]
            reading = [
                start(self._host.run(), name="host"),
                start(self._documents.run(), name="documents"),
                start(self._orders.run(), name="orders"),
                start(self._acts.run(), name="acts"),
            ]
            if self._release:
                background += [
                    start(self._release.run(), name="orders-run"),
                    start(self._release.send(), name="orders-send"),
                ]
            await stop.wait()
            await self._stop(loop, reading, background)

    async def _stop(
        self, loop: asyncio.Task[None], reading: list[asyncio.Task[None]], background: list[asyncio.Task[None]]
    ) -> None:
        self._committing = False
        try:
            await asyncio.wait_for(self._host.leave(), STOP_STAGE_S)
        except TimeoutError:
            log.warning("stop.host_did_not_leave")
        for task in reading:
            task.cancel()
        self._loop.finish()
        await asyncio.wait([loop], timeout=STOP_STAGE_S)
        for task in (loop, *background):
            task.cancel()

    def act(self, request: Request) -> None:
        match request:
            case Command():
                self._host.command(request)
            case AnnounceHost():
                self._host.announce()
            case Send():
                self._deliveries[request.destination].send(request)
            case ShowOrder():
                if self._release:
                    self._release.show(request.record)
            case Notice():
                _say(request)

    def stalled(self, reason: str) -> None:
        self._committing = False
        log.error("store.refuses_commits", reason=reason, effect="the host goes offline; nodes store")
        self._host.leave_soon()

    def recovered(self) -> None:
        self._committing = True
        log.info("store.takes_commits")

    async def _keep_lease(self) -> None:
        """Renew the lease. While the store is silent the commits' own check keeps a successor safe from us."""
        while True:
            await asyncio.sleep(self._lease.ttl_ms / 3000)
            try:
                renewed = await self._outside.store.renew(self._lease)
            except StoreUnavailable as error:
                log.warning("lease.not_renewed", reason=str(error))
                continue
            if not renewed:
                raise Fenced(f"another bridge took over the site {self._plant.assets.path}")
            self._renewed_ms = self._outside.clock.now_ms()

    async def _may_connect(self) -> bool:
        """A host that cannot commit, or whose lease may be another's by now, stays off the broker."""
        return self._committing and self._outside.clock.now_ms() - self._renewed_ms < self._lease.ttl_ms

    async def _enter(self, entering: Entering) -> None:
        await self._loop.enter(entering)

    async def _entered(self, entered: Input) -> None:
        await self._loop.enter(Entering(input=entered, at_ms=self._outside.clock.now_ms()))


def _say(notice: Notice) -> None:
    """Log a notice of the core. An alert is an error: a person must act."""
    match notice.level:
        case "alert":
            log.error(notice.name, **notice.fields)
        case "warning":
            log.warning(notice.name, **notice.fields)
        case _:
            log.info(notice.name, **notice.fields)


def _say_odoo(info: OdooInfo) -> None:
    log.info("odoo.ready", version=info.version, mode=info.mode, simulator=info.simulator, user=info.user)
