"""What a demonstration under chaos does to its parts, as scheduled by `bridge.demo.chaos.plan`. All of it is real."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from redis.asyncio import Redis

from bridge.demo.chaos.disk import Disk
from bridge.demo.chaos.links import Links
from bridge.demo.chaos.plan import KILLS, ON_BROKER, ON_DISK, ON_ODOO_SERVER, ON_SIMULATED_ODOO, Abuse, AbuseKind
from bridge.demo.chaos.server import Server
from bridge.demo.odoo import DemoOdoo
from bridge.demo.process import Bridges
from bridge.demo.servers import DemoBroker, EmbeddedStore, MosquittoBroker
from state.survey.redis import Command

FULL: Final = "1"
"""Bytes of `maxmemory` that are always exceeded."""
DEAD_SERVER: Final = ("127.0.0.1", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An abuse that happened. `at_s` counts from the beginning of production."""

    at_s: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What can be abused. `disks` are the bridges' own, in their order; None where none could be mounted.

    `odoo_server`: Odoo's process; None where it is left alone.
    """

    bridges: Bridges
    broker: DemoBroker
    store: EmbeddedStore
    odoo: DemoOdoo
    links: Links
    odoo_server: Server | None = None
    disk_of_store: Disk | None = None
    disks: Sequence[Disk] = ()

    @property
    def possible(self) -> frozenset[AbuseKind]:
        """What can be done to them."""
        left_out: set[AbuseKind] = set() if self.odoo.simulator else set(ON_SIMULATED_ODOO)
        if self.odoo_server is None:
            left_out |= ON_ODOO_SERVER
        if not isinstance(self.broker, MosquittoBroker):
            left_out |= ON_BROKER
        if self.disk_of_store is None:
            left_out |= ON_DISK
        return frozenset(AbuseKind) - left_out


class Chaos:
    """Does what is planned. `odoo_turn` is held while Odoo is abused: who works in it as a person waits meanwhile."""

    def __init__(self, plan: Sequence[Abuse], parts: Parts, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._parts = parts
        self._say = say
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._began_s = time.monotonic()
        self.odoo_turn = self._turns["odoo"]
        self.happened: list[Happened] = []
        self.kills = 0

    async def run(self) -> None:
        """Return when the last abuse is over."""
        self._began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for nth, abuse in enumerate(self._plan):
                tasks.create_task(self._one(abuse), name=f"abuse-{nth}")

    def note(self, what: str) -> None:
        """List something that happened, and say it."""
        self.happened.append(Happened(at_s=round(time.monotonic() - self._began_s, 1), what=what))
        self._say(f"chaos: {what}")

    async def _one(self, abuse: Abuse) -> None:
        """Wait for its time and for the end of what is being done to the same part."""
        await asyncio.sleep(abuse.at_ms / 1000)
        async with self._turns[abuse.part]:
            self.note(abuse.what)
            self.kills += abuse.kind in KILLS
            await self._do(abuse, abuse.lasts_ms / 1000)

    async def _do(self, abuse: Abuse, lasts_s: float) -> None:
        match abuse.part:
            case "bridge" | "bridge-disk":
                await self._abuse_bridge(abuse.kind, lasts_s)
            case "store":
                await self._abuse_store(abuse.kind, lasts_s)
            case "odoo":
                await self._abuse_odoo(abuse, lasts_s)
            case "broker":
                await self._abuse_broker(abuse.kind, lasts_s)
            case _:
                await self._abuse_link(abuse, lasts_s)

    async def _abuse_bridge(self, kind: AbuseKind, lasts_s: float) -> None:
        bridges = self._parts.bridges
        match kind:
            case AbuseKind.KILL_STANDBY:
                await (await bridges.standing_by()).kill(lasts_s)
            case AbuseKind.PAUSE_BRIDGE:
                await (await bridges.leading()).pause(lasts_s)
            case AbuseKind.FILL_DISK_OF_BRIDGE:
                async with asyncio.TaskGroup() as tasks:
                    for nth, disk in enumerate(self._parts.disks):
                        tasks.create_task(disk.full(lasts_s), name=f"full-disk-{nth}")
            case _:
                await (await bridges.leading()).kill(lasts_s)

    async def _abuse_store(self, kind: AbuseKind, lasts_s: float) -> None:
        store = self._parts.store
        match kind:
            case AbuseKind.PAUSE_STORE:
                await store.child.pause(lasts_s)
            case AbuseKind.FILL_STORE:
                await self._tell_store("CONFIG SET maxmemory " + FULL, lasts_s, "CONFIG SET maxmemory 0")
            case AbuseKind.DEMAND_REPLICAS:
                demand = "CONFIG SET min-replicas-to-write "
                await self._tell_store(demand + "1", lasts_s, demand + "0")
            case AbuseKind.DEMOTE_STORE:
                await self._tell_store("REPLICAOF " + " ".join(DEAD_SERVER), lasts_s, "REPLICAOF NO ONE")
            case AbuseKind.FILL_DISK_OF_STORE if self._parts.disk_of_store:
                await self._parts.disk_of_store.full(lasts_s)
                await store.child.revive()  # a Redis that cannot write its append-only file ends
            case _:
                await store.child.kill_for(lasts_s)

    async def _tell_store(self, command: str, lasts_s: float, undo: str) -> None:
        async with Redis.from_url(self._parts.store.url) as redis:
            tell: Command = redis.execute_command
            await tell(*command.split())
            await asyncio.sleep(lasts_s)
            await tell(*undo.split())

    async def _abuse_broker(self, kind: AbuseKind, lasts_s: float) -> None:
        broker = self._parts.broker
        assert isinstance(broker, MosquittoBroker)
        match kind:
            case AbuseKind.PAUSE_BROKER:
                await broker.child.pause(lasts_s)
            case AbuseKind.KILL_BROKER:
                await broker.child.kill_for(lasts_s)
            case AbuseKind.EMPTY_BROKER:
                await broker.kill()
                broker.forget()
                await asyncio.sleep(lasts_s)
                await broker.start()
            case _:
                await broker.stop()
                await asyncio.sleep(lasts_s)
                await broker.start()

    async def _abuse_link(self, abuse: Abuse, lasts_s: float) -> None:
        link = self._parts.links[abuse.link]
        match abuse.kind:
            case AbuseKind.SILENCE:
                await link.silence(lasts_s)
            case AbuseKind.SILENCE_THERE:
                await link.silence(lasts_s, back=False)
            case AbuseKind.SILENCE_BACK:
                await link.silence(lasts_s, there=False)
            case _:
                await link.cut(lasts_s)

    async def _abuse_odoo(self, abuse: Abuse, lasts_s: float) -> None:
        odoo, server = self._parts.odoo, self._parts.odoo_server
        match abuse.kind:
            case AbuseKind.KILL_ODOO if server:
                await server.kill_for(lasts_s)
            case AbuseKind.PAUSE_ODOO if server:
                await server.pause(lasts_s)
            case AbuseKind.ODOO_AWAY:
                await self._fail({"away": True}, lasts_s, {"away": False})
            case AbuseKind.END_KEY if odoo.keys:
                key = odoo.keys.accept_new(also_old=False)
                await asyncio.sleep(lasts_s)
                odoo.keys.hand_out(key)
            case AbuseKind.REPLACE_KEY if odoo.keys:
                key = odoo.keys.accept_new(also_old=True)
                odoo.keys.hand_out(key)
                await asyncio.sleep(lasts_s)
                odoo.keys.end_old()
            case _:
                await self._fail({abuse.kind.value: abuse.calls}, lasts_s, {abuse.kind.value: 0})

    async def _fail(self, faults: Mapping[str, Any], lasts_s: float, mended: Mapping[str, Any]) -> None:
        """Set faults of the simulated Odoo, and take back after a while what did not strike until then."""
        await self._set_faults(faults)
        await asyncio.sleep(lasts_s)
        await self._set_faults(mended)

    async def _set_faults(self, faults: Mapping[str, Any]) -> None:
        connection = self._parts.odoo.admin.connection
        headers = {"Authorization": f"bearer {connection.key()}"}
        url = f"{connection.url}/simulator/faults"
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
            await session.post(url, json=dict(faults))
