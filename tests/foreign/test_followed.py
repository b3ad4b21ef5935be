"""The bridge follows edge nodes that nobody here wrote: births, counters, rebirths, deaths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from bridge.clock import SystemClock
from bridge.demo.odoo import DemoOdoo, simulated_odoo
from bridge.demo.odoo_view import read_view
from bridge.plant import load_plant
from bridge.wiring import open_store
from sparkplug.snapshot import SessionSnapshot
from state.record import Table
from state.store import Store
from tests.foreign import nodes
from tests.foreign.nodes import LIBRARIES, Library, foreign_node
from tests.foreign.value import text, whole
from tests.integration.bridge_process import Bridge
from tests.integration.folder import SHIPPED_PLANT, OdooAccess, Sections, write_folder
from tests.integration.patience import until
from tests.servers import Mosquitto, StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

LIMIT_S = 30.0
NODE = f"{nodes.GROUP}/{nodes.NODE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A bridge that runs, with a released order and nobody on the floor."""

    bridge: Bridge
    broker: Mosquitto
    order: str
    odoo: DemoOdoo
    store: Store

    async def until_node(self, phase: str) -> None:
        """Wait until the bridge believes this of the node."""

        async def believes() -> bool:
            stored = await self.store.read_one(Table.NODE, NODE)
            return stored is not None and msgspec.json.decode(stored, type=SessionSnapshot).phase == phase

        await until(believes, lambda: f"{NODE} {phase}:\n{self.bridge.log[-3000:]}", LIMIT_S)

    async def until_progress(self, pieces: int) -> None:
        """Wait until so many pieces of the order stand in Odoo."""

        async def stand() -> bool:
            view = await read_view(self.odoo, [self.order], SystemClock().now_ms())
            return view.orders[self.order].producing == Decimal(pieces)

        await until(stand, lambda: f"{pieces} of {self.order} in Odoo:\n{self.bridge.log[-3000:]}", LIMIT_S)


def bind(assets: Path, library: Library) -> None:
    """Bind the packaging line to what this library publishes."""
    text = assets.read_text("utf-8")
    if library.device is None:
        text = text.replace("node: packaging, device: line-1}", "node: packaging}")
    presses, lines = text.split("  packaging-line:\n")
    assets.write_text(f"{presses}  packaging-line:\n{lines.replace('metric: ', f'metric: {library.prefix}')}", "utf-8")


@asynccontextmanager
async def site_for(library: Library, home: Path, broker: Mosquitto, start_redis: StartRedis) -> AsyncIterator[Site]:
    """The shipped plant, its packaging line bound to what this library publishes. No MES tells of starts."""
    async with simulated_odoo(home) as odoo:
        planner = await odoo.prepare(lambda _: None)
        access = OdooAccess(url=odoo.url, database=odoo.database, user=odoo.user, key=odoo.key)
        changes: Sections = {"sparkplug": {"strict_deaths": library.deaths_match}, "limits": {"start_within": "0s"}}
        folder = write_folder(home / "plant", broker, start_redis(), access, changes, SHIPPED_PLANT)
        bind(folder / "assets.yaml", library)
        store = open_store(load_plant(folder))
        bridge = Bridge(folder, home / "bridge.log")
        order = await planner.create_order(20, press=1)
        await bridge.start()
        try:
            await bridge.until_told("entry.delivered", key=f"order.publish:{order}:1")
            yield Site(bridge=bridge, broker=broker, order=order, odoo=odoo, store=store)
        finally:
            await bridge.remove()
            await store.close()


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.package)
async def test_a_foreign_node_is_believed_its_counter_is_posted_and_its_death_is_seen(
    library: Library, tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    shown = [text("State", "IDLE"), text("Fault", ""), text("Order", ""), whole("Counters/Good", 100)]
    async with site_for(library, tmp_path, start_mosquitto(), start_redis) as site:
        async with foreign_node(library, site.broker, shown, tmp_path / "node.log") as node:
            await site.until_node("ONLINE")
            await node.report(text("Order", site.order), whole("Counters/Good", 100))
            await node.report(text("State", "RUN"))
            await node.report(whole("Counters/Good", 107))
            await node.report(text("Order", ""))
            await site.until_progress(7)

            await site.bridge.kill()
            await site.bridge.start()
            await node.until_said("rebirth")
            await node.report(text("Order", site.order), whole("Counters/Good", 107))
            await node.report(whole("Counters/Good", 112))
            await node.report(text("Order", ""))
            await site.until_progress(12)

            await node.kill()
            await site.until_node("OFFLINE")
        assert await site.bridge.stop() == 0
        mismatches = site.bridge.told("sparkplug.finding", finding="death-bdseq-mismatch", node=NODE)
        assert bool(mismatches) is not library.deaths_match
