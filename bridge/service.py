"""The service: one process, one site. Wires the core to its links, its store and Odoo, and stops in stages.

Start: take the lease, load what was committed, connect. Stop, upstream to downstream: the host says that it goes
offline (nodes begin to store), what it received before that is read, reading stops, what was read is committed, the
lease is given up. Each stage has its time limit. A part that fails ends the run in the same order, as far as that
still goes. A crash at any point is a start like any other: what was claimed is sent again first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

import structlog

from bridge.broker.link import BrokerLink
from bridge.clock import Pulse
from bridge.console.server import Console
from bridge.core.input import AnnounceHost, Command, Input, Notice, ReconnectHost, Request, Send, ShowOrder
from bridge.core.site import Core, restore
from bridge.core.topic import master_prefix
from bridge.delivery import BrokerCarrier, Delivery, OdooCarrier
from bridge.doctor.clock_watch import ClockWatch
from bridge.doctor.key import KeyWatch
from bridge.errors import ConfigError, PartFailed, SecretMissing, first_of
from bridge.leadership.lease import Leadership, lead
from bridge.leadership.refusal import refuse_unfit
from bridge.leadership.retained import CommitMark, Retained, open_mark
from bridge.legacy_state import LegacyState
from bridge.lifecycle.live import live_now, refuse_left_behind, shadow_of
from bridge.lifecycle.watch import VersionWatch
from bridge.log import say
from bridge.loop import AUDIT_HEAD, Entering, Loop, Stall
from bridge.master.poll import MasterPoller
from bridge.orders.poll import OrderPoller
from bridge.orders.wake import Wake
from bridge.plant import Plant
from bridge.poll import ActPoller
from bridge.recording.recorder import new_recorder
from bridge.release import ReleaseSession, open_releases, release_node
from bridge.session import DocumentSession, HostSession
from bridge.wiring import Outside, Sessions, new_core, open_audit, servers, weaker
from odoo_adapter.odoo import OdooInfo
from sparkplug.fact import NodeId
from state.audit import OURSELVES, AuditLog, decode_head
from state.errors import Fenced, StateError
from state.record import Stored

log = structlog.get_logger()

STOP_STAGE_S: Final = 10.0
"""Longest time for one stage of stopping."""


class Service:
    """The bridge of one plant folder. `run` works until `stop` is set."""

    def __init__(self, plant: Plant, outside: Outside, *, stage_s: float = STOP_STAGE_S) -> None:
        self._plant = plant
        self._outside = outside
        self._stage_s = stage_s

    async def run(self, stop: asyncio.Event) -> None:
        """Start, work, stop. Raises what ended it by itself, never a group: `StartRefused`, `ConfigError`, a
        `StateError` (`Fenced` when another bridge took over the site), or `PartFailed` for a defect."""
        await refuse_unfit(self._plant, self._outside)
        leadership = await lead(self._plant, self._outside, stop)
        if leadership is None:
            return
        try:
            await self._run(leadership, stop)
        except ExceptionGroup as group:
            raise first_of(group) from None
        finally:
            await leadership.give_back()
            log.info("bridge.stopped")

    async def _run(self, leadership: Leadership, stop: asyncio.Event) -> None:
        plant, core, stored = await leadership.while_kept(self._recall())
        audit = open_audit(plant)
        if (kept := stored.records.get(AUDIT_HEAD)) is not None:
            audit.expect(decode_head(kept))
        if accepted := weaker(plant):
            self._note_weaker(audit, accepted)
        with open_mark(plant.settings.data_dir) as mark:
            mark.refuse_less(stored.number, plant.assets.path)
            found = {"records": len(stored.records), "inbox": plant.settings.odoo.inbox}
            log.info("bridge.started", site=plant.assets.path, commit=stored.number, **found)
            running = _Running(plant, self._outside, core, audit, mark, leadership, stored)
            await running.run(stop, self._stage_s)

    def _note_weaker(self, audit: AuditLog, accepted: Sequence[str]) -> None:
        try:
            audit.append("settings.weaker", OURSELVES, {"accepts": ", ".join(accepted)}, self._outside.clock.now_ms())
        except OSError as error:
            log.error("audit.not_written", reason=str(error), effect="the bridge goes on")

    async def _recall(self) -> tuple[Plant, Core, Stored]:
        """The plant as it is live now that the lease is ours, and the core as it was committed. In a thread, so that a
        large site does not lose its lease meanwhile."""
        stored = await self._outside.store.load()
        plant = await asyncio.to_thread(live_now, self._plant)
        core = new_core(plant, shadow_of(plant.folder))
        await asyncio.to_thread(restore, core, stored.records)
        refuse_left_behind(plant.folder, core.in_force)
        return plant, core, stored


class _Running:
    """The parts of one run, and the order in which they stop. Also the shell that the loop's requests go to."""

    def __init__(
        self,
        plant: Plant,
        outside: Outside,
        core: Core,
        audit: AuditLog,
        mark: CommitMark,
        leadership: Leadership,
        stored: Stored,
    ) -> None:
        self._console: Console | None = None
        if plant.settings.console is not None:
            self._console = Console(plant, core, outside, self._enter, audit, number=stored.number)
            outside = self._console.outside
        self._plant = plant
        self._outside = outside
        self._leadership = leadership
        self._stopping = False
        self._is_fenced = False
        self._stalls: set[Stall] = set()
        settings, clock = plant.settings, outside.clock
        sessions = Sessions(plant, outside, self._may_connect)
        document_link = sessions.documents()
        self._links: list[tuple[str, BrokerLink]] = [("documents", document_link)]
        self._legacy: dict[str, LegacyState] = {}
        self._hosts = {server: self._host_session(sessions, core, server) for server in servers(plant)}
        self._master = self._master_poller(core, document_link)
        self._documents = DocumentSession(
            document_link,
            self._enter,
            own=master_prefix(plant.assets.path),
            retained=partial(open_releases, core.book, plant.assets.path),
            forgotten=self._master.publish_again if self._master else None,
        )
        self._release = self._release_session(sessions, core)
        odoo = OdooCarrier(
            outside.odoo,
            batch=settings.odoo.batch,
            per_second=settings.odoo.calls_per_second,
            checked=_say_odoo,
            confirmed=leadership.confirm,
            server_limit_ms=settings.odoo.server_limit_ms if settings.odoo.may_look_first else 0,
        )
        self._deliveries = [Delivery(one, self._entered) for one in (odoo, BrokerCarrier(document_link))]
        self._orders = OrderPoller(
            outside.odoo,
            self._enter,
            clock,
            cursor=lambda: core.book.cursor,
            known=core.book.open_orders,
            every_ms=settings.odoo.poll_every_ms,
            reconcile_every_ms=settings.odoo.reconcile_every_ms,
        )
        self._wake = Wake(settings.odoo.wake, self._orders.wake) if settings.odoo.wake else None
        self._acts = ActPoller(outside.store, self._enter, clock, audit)
        self._key = KeyWatch(outside.odoo, clock, self.act)
        clocks = [one for one in (outside.store_clock, outside.odoo_clock) if one is not None]
        self._clocks = ClockWatch(clocks, clock, settings.limits.clock_off_ms, self.act)
        self._versions = VersionWatch(plant, core, self._enter, clock, audit, self.act)
        self._recorder = new_recorder(plant, stored, self.act)
        self._pulse = Pulse()
        self._loop = Loop(
            core,
            Retained(outside.store, mark),
            leadership.lease,
            number=stored.number,
            clock=clock,
            shell=self,
            deliveries=self._deliveries,
            queue_size=settings.limits.inbox_queue,
            patience_ms=settings.limits.commit_patience_ms,
            outbox_limit=settings.limits.outbox,
            recorder=self._recorder,
            audit=audit,
            pulse=self._pulse,
        )

    def _host_session(self, sessions: Sessions, core: Core, server: str) -> HostSession:
        """The host on one server. Each has its own STATE."""
        presence = core.host.presence(server)
        link = sessions.host(core.host, server, presence, self._may_be_online)
        self._links.append((_named("host", server), link))
        legacy = self._legacy_state(sessions, core.host.host_id, server)
        return HostSession(link, presence, self._enter, self._outside.clock, server=server, legacy=legacy)

    def _legacy_state(self, sessions: Sessions, host_id: str, server: str) -> LegacyState | None:
        """The host's STATE for nodes of Sparkplug 2.2, where the plant has such."""
        if not self._plant.settings.sparkplug.legacy_state:
            return None
        link = sessions.legacy_state(host_id, server, self._may_be_online)
        self._links.append((_named("legacy-state", server), link))
        self._legacy[server] = LegacyState(link, host_id)
        return self._legacy[server]

    def _release_session(self, sessions: Sessions, core: Core) -> ReleaseSession | None:
        """Our own edge node, where the plant folder names one. It is born when our host there can hear it."""
        named = self._plant.settings.edge_node
        if named is None:
            return None
        node = release_node(NodeId(named.group, named.node))
        link = sessions.release(node, self._may_be_born)
        self._links.append(("orders", link))
        return ReleaseSession(link, node, self._outside.clock, core.book.records.values())

    def _master_poller(self, core: Core, link: BrokerLink) -> MasterPoller | None:
        """Where the plant folder asks for Odoo's master data. It is published beside the orders."""
        wanted, master_of = self._plant.settings.master_data, self._outside.master
        if wanted is None or master_of is None:
            return None
        return MasterPoller(
            master_of(lambda: core.content),
            self._enter,
            self._outside.clock,
            site=self._plant.assets.path,
            known=lambda: core.master.kinds,
            publish=link.publish if wanted.publish else None,
            every_ms=wanted.every_ms,
        )

    async def run(self, stop: asyncio.Event, stage_s: float) -> None:
        """Work until `stop` is set. However it ends, nodes hear it first: the links outlive all other parts."""
        async with asyncio.TaskGroup() as links:
            running = [
                links.create_task(_part(f"link-{name}", link.run), name=f"link-{name}") for name, link in self._links
            ]
            try:
                await self._run_parts(stop, stage_s)
            except BaseExceptionGroup as group:
                self._is_fenced = group.subgroup(Fenced) is not None
                raise
            finally:
                await self._leave(stage_s)
                await _end(running, stage_s)

    async def _run_parts(self, stop: asyncio.Event, stage_s: float) -> None:
        async with asyncio.TaskGroup() as tasks:

            def start(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
                return tasks.create_task(_part(name, work), name=name)

            loop = tasks.create_task(_part("core", self._loop.run, ends=True), name="core")
            background = [start("lease", self._leadership.keep), start("odoo-key", self._key.run)]
            background += [start("pulse", self._pulse.run), start("clocks", self._clocks.run)]
            background += [start(_named("host-send", server), host.send) for server, host in self._hosts.items()]
            for server, legacy in self._legacy.items():
                background.append(start(_named("legacy-state", server), legacy.run))
                background.append(start(_named("legacy-state-send", server), legacy.send))
            background += [start(f"delivery-{each.destination}", each.run) for each in self._deliveries]
            for name, part in (("console", self._console), ("recording", self._recorder), ("wake", self._wake)):
                if part:
                    background.append(start(name, part.run))
            if self._release:
                background += [start("orders-run", self._release.run), start("orders-send", self._release.send)]
            reading = [start(_named("host", server), host.run) for server, host in self._hosts.items()]
            reading += [start("documents", self._documents.run), start("documents-send", self._documents.send)]
            reading += [start("orders", self._orders.run), start("acts", self._acts.run)]
            reading.append(start("versions", self._versions.run))
            if self._master:
                reading.append(start("master-data", self._master.run))
            try:
                await stop.wait()
                await self._stop(loop, reading, stage_s)
            finally:
                await _end((*reading, loop, *background), stage_s)

    async def _stop(self, loop: asyncio.Task[None], reading: Sequence[asyncio.Task[None]], stage_s: float) -> None:
        await self._leave(stage_s)
        await _within("host", asyncio.gather(*(host.ended() for host in self._hosts.values())), stage_s)
        for task in reading:
            task.cancel()
        self._loop.finish()
        await _within("core", asyncio.wait([loop]), stage_s)
        if self._recorder:
            await _within("recording", self._recorder.finish(), stage_s)

    async def _leave(self, stage_s: float) -> None:
        """Say on the namespace that we go: STATE offline, and the death of our own edge node.

        Where another bridge leads by now, it is not ours to say. A session that is still ours has nobody of the new one
        before it: it ends as a killed one does, so that its will says it, with the timestamp of our birth.
        """
        self._stopping = True
        if self._is_fenced:
            spoken = (link for name, link in self._links if name != "documents")
            await _within("links", asyncio.gather(*(link.drop(with_will=True) for link in spoken)), stage_s)
            return
        await _within("host", asyncio.gather(*(host.leave() for host in self._hosts.values())), stage_s)
        await _within("legacy-state", asyncio.gather(*(legacy.leave() for legacy in self._legacy.values())), stage_s)
        if self._release:
            await _within("edge-node", self._release.leave(), stage_s)

    def act(self, request: Request) -> None:
        match request:
            case Command():
                self._hosts[request.server].command(request)
            case AnnounceHost():
                self._hosts[request.server].announce(request.will_ms)
            case ReconnectHost():
                self._hosts[request.server].reconnect(request.will_ms, request.after_ms)
            case Send():
                next(one for one in self._deliveries if one.destination == request.destination).send(request)
            case ShowOrder():
                if self._release:
                    self._release.show(request.record)
            case Notice():
                say(request)
                if self._console:
                    self._console.notice(request)

    def stalled(self, stall: Stall, reason: str) -> None:
        self._stalls.add(stall)
        log.error("host.offline", because=stall, reason=reason, effect="nodes with this primary host store")
        if self._console:
            self._console.stalled(stall, reason)
        for host in self._hosts.values():
            host.leave_soon()
        if stall is Stall.OUTBOX:
            self._documents.pause()

    def recovered(self, stall: Stall) -> None:
        self._stalls.discard(stall)
        log.info("host.may_return", because=f"no longer: {stall}")
        if self._console:
            self._console.recovered(stall)
        if stall is Stall.OUTBOX:
            self._documents.resume()

    async def _may_connect(self) -> bool:
        """A bridge that cannot commit, or whose lease may be another's by now, stays off the broker."""
        return not self._stopping and Stall.STORE not in self._stalls and await self._leadership.is_ours()

    async def _may_be_born(self) -> bool:
        return next(iter(self._hosts.values())).is_up and await self._may_connect()

    async def _may_be_online(self) -> bool:
        """A host that can take no more from the plant stays offline."""
        return not self._stalls and await self._may_connect()

    async def _enter(self, entering: Entering) -> None:
        await self._loop.enter(entering)

    async def _entered(self, entered: Input) -> None:
        await self._loop.enter(Entering(input=entered, at_ms=self._outside.clock.now_ms()))


def _named(part: str, server: str) -> str:
    """A part's name; with the server where there are several."""
    return f"{part} {server}" if server else part


async def _part(name: str, work: Callable[[], Awaitable[None]], *, ends: bool = False) -> None:
    """Let one part work. One that ends by itself, or by an error that has no meaning, is a defect, and is named."""
    try:
        await work()
    except (StateError, ConfigError, SecretMissing):
        raise
    except Exception as error:
        raise PartFailed(name, error) from error
    if not ends:
        raise PartFailed(name)


async def _within(stage: str, work: Awaitable[object], stage_s: float) -> None:
    """Wait for one stage of stopping, not longer than it may take."""
    try:
        async with asyncio.timeout(stage_s):
            await work
    except TimeoutError:
        log.warning("stop.took_too_long", stage=stage)


async def _end(tasks: Collection[asyncio.Task[None]], stage_s: float) -> None:
    """Cancel these and wait for their end. One that swallowed it, as `wait_for` of 3.11 can, is cancelled again."""
    for task in tasks:
        if not task.cancelling():
            task.cancel()
    while tasks:
        _, tasks = await asyncio.wait(tasks, timeout=stage_s)
        for task in tasks:
            log.warning("stop.took_too_long", stage=task.get_name())
            task.cancel()


def _say_odoo(info: OdooInfo) -> None:
    log.info("odoo.ready", version=info.version, mode=info.mode, simulator=info.simulator, user=info.user)
