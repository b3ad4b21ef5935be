"""What a demonstration runs on: its servers and its bridge; under chaos also a standby, links, disks and the chaos."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.demo.chaos.act import Chaos, Parts
from bridge.demo.chaos.disk import Disk, open_disk
from bridge.demo.chaos.links import BRIDGE_TO_BROKER, Links, open_links
from bridge.demo.chaos.plan import plan_abuses
from bridge.demo.chaos.server import CommandedServer, Server
from bridge.demo.console import DemoConsole
from bridge.demo.folder import write_plant
from bridge.demo.odoo import DemoOdoo, real_odoo, simulated_odoo
from bridge.demo.process import BridgeProcess, Bridges
from bridge.demo.progress import Progress
from bridge.demo.servers import DemoBroker, embedded_broker, embedded_store, installed, mosquitto_broker
from bridge.plant import load_plant
from bridge.simulator.scenario import Scenario
from bridge.wiring import open_store
from state.errors import StoreUnavailable
from state.store import Store

PLANT: Final = "plant"
STANDBY: Final = "standby"
"""The plant folders of the two bridges."""
DATA: Final = "data"
"""What a bridge keeps on its own disk, below its plant folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What the command was asked for. `odoo_url` None: the simulator. `kills`: of the bridge, under chaos.

    `limit_s`: post without the inbox, to an Odoo that ends calls after so long. `odoo_control`: the command that kills,
    starts, pauses and continues a real Odoo under chaos; empty: it is left alone.
    """

    seconds: float
    seed: int | None
    odoo_url: str | None
    odoo_control: tuple[str, ...] = ()
    chaos: bool = False
    kills: int | None = None
    limit_s: int | None = None
    headless: bool
    home: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The parts of a run. `links` and `chaos` where chaos was asked for."""

    broker: DemoBroker
    odoo: DemoOdoo
    bridges: Bridges
    store: Store
    links: Links | None = None
    chaos: Chaos | None = None


@asynccontextmanager
async def open_servers(
    settings: DemoSettings, scenario: Scenario, progress: Progress, console: DemoConsole | None
) -> AsyncIterator[Servers]:
    """Start all but the bridges."""
    async with AsyncExitStack() as stack:
        progress.say("starting a broker and a store on free ports of this machine")
        broker = await stack.enter_async_context(_broker(settings, progress))
        disks = await _disks(stack, settings, progress)
        binary = installed("redis-server") if settings.chaos else None
        store_server = await stack.enter_async_context(embedded_store(settings.home / "store", binary))
        odoo = await stack.enter_async_context(_odoo(settings, progress))
        links = await stack.enter_async_context(open_links(scenario, broker, odoo)) if settings.chaos else None
        reached, broker_port = (links.for_bridge(odoo), links.port(BRIDGE_TO_BROKER)) if links else (odoo, None)
        plant = write_plant(settings.home, broker, store_server, reached, console, broker_port, recorded=settings.chaos)
        folders = [plant]
        if settings.chaos:
            folders.append(
                write_plant(
                    settings.home, broker, store_server, reached, None, broker_port, name=STANDBY, recorded=True
                )
            )
        store = open_store(load_plant(plant))
        stack.push_async_callback(store.close)
        bridges = _bridges(settings, folders, store)
        stack.push_async_callback(bridges.stop)
        chaos = None
        if links:
            parts = Parts(
                bridges=bridges,
                broker=broker,
                store=store_server,
                odoo=odoo,
                links=links,
                odoo_server=_odoo_server(settings, odoo),
                disk_of_store=disks[0] if disks else None,
                disks=disks[1:],
            )
            plan = plan_abuses(
                seed=scenario.seed,
                seconds=settings.seconds,
                kinds=parts.possible,
                links=links.names,
                kills=settings.kills,
            )
            chaos = Chaos(plan, parts, progress.say)
        yield Servers(broker=broker, odoo=odoo, bridges=bridges, store=store, links=links, chaos=chaos)


def _bridges(settings: DemoSettings, folders: list[Path], store: Store) -> Bridges:
    async def leader() -> int | None:
        try:
            found = await store.leader()
        except StoreUnavailable:
            return None
        return int(found.holder.split(":")[1]) if found else None

    bridges = [
        BridgeProcess(folder, settings.home / name, supervised=settings.chaos)
        for folder, name in zip(folders, ("bridge.log", "standby.log"), strict=False)
    ]
    return Bridges(bridges, leader)


async def _disks(stack: AsyncExitStack, settings: DemoSettings, progress: Progress) -> list[Disk]:
    """Of the store and of the two bridges; none where they cannot be mounted."""
    if not settings.chaos:
        return []
    folders = ("store", f"{PLANT}/{DATA}", f"{STANDBY}/{DATA}")
    opened = [await stack.enter_async_context(open_disk(settings.home / folder)) for folder in folders]
    disks = [disk for disk in opened if disk]
    if len(disks) < len(folders):
        progress.say("only root may mount small disks: none is filled")
        return []
    return disks


def _odoo(settings: DemoSettings, progress: Progress) -> AbstractAsyncContextManager[DemoOdoo]:
    if settings.odoo_url:
        return real_odoo(settings.odoo_url, limit_s=settings.limit_s)
    progress.say("starting the Odoo simulator (it is not an Odoo)")
    return simulated_odoo(settings.home, kept=settings.chaos, limit_s=settings.limit_s)


def _odoo_server(settings: DemoSettings, odoo: DemoOdoo) -> Server | None:
    if settings.odoo_control:
        return CommandedServer(settings.odoo_control, settings.home / "odoo-control.log", odoo.admin.version)
    return odoo.server


def _broker(settings: DemoSettings, progress: Progress) -> AbstractAsyncContextManager[DemoBroker]:
    """Under chaos one that keeps its sessions when it is stopped, where there is one."""
    if settings.chaos and (binary := installed("mosquitto")):
        return mosquitto_broker(binary, settings.home / "broker")
    if settings.chaos:
        progress.say("mosquitto is not installed: the broker is left alone, as the embedded one forgets its sessions")
    return embedded_broker(settings.home / "broker")
