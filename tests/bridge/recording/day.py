"""A recorded day: the simulated plant on the real bridge, in memory and twenty times as fast, with recording on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from bridge.plant import Plant, load_plant
from bridge.recording.reader import Began, Read, Recorded, read
from bridge.recording.span import Lost
from bridge.service import Service
from bridge.simulator.ledger import Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.simulation import Simulation
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import OrderRead
from odoo_adapter.plan import PlanContext
from ruleset.codes import UNITS
from state.entry import Entry, decode
from state.record import Stored, Table
from tests.bridge.simulator.day import demonstration, release
from tests.bridge.simulator.listener import running, settings
from tests.bridge.site import ManualClock, Site, plant_in

FASTER = 20
ORDERS = 14


class FastClock(ManualClock):
    """Goes by itself, faster than the wall's."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def now_ms(self) -> int:
        return super().now_ms() + round((time.monotonic() - self._began) * 1000 * FASTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is left of a day: the plant, its recordings, what the store loads, and what was delivered or skipped."""

    plant: Plant
    stored: Stored
    done: tuple[Entry, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        assert self.plant.settings.recording is not None
        return tuple(sorted(self.plant.settings.recording.folder.iterdir()))

    def recording(self) -> list[Read]:
        return list(read(self.files))


def recording_plant(folder: Path, recording: str = "{}") -> Plant:
    """The demonstration's plant with recording on."""
    plant = plant_in(folder)
    with (plant.folder / "bridge.yaml").open("a") as file:
        file.write(f"recording: {recording}\n")
    return load_plant(plant.folder)


def site_of(plant: Plant) -> Site:
    """A site with the orders of the scenario released, whose clock runs."""
    odoo = MemoryOdoo(context=PlanContext(units=plant.assets.codes[UNITS], over=Decimal("0.05")))
    site = Site(plant, clock=FastClock(), odoo=odoo)
    for nth in range(1, ORDERS + 1):
        document = release(nth, order_quantity(demonstration(), nth))
        content = {name: document[name] for name in ("quantity", "operations", "components")}
        read = OrderRead(
            order=str(document["order"]),
            name=str(document["name"]),
            state="confirmed",
            document={"unit": "Units"} | content,
        )
        site.odoo.put_order(read)
    return site


async def live(site: Site, plant: Plant, *, lives: Iterable[float]) -> Day:
    """Let the plant work, and the bridge beside it for each of these times, in seconds of the wall. Between two lives
    it is started anew."""
    scenario = replace(demonstration(), primary_host="acme-bridge")
    simulation = Simulation(scenario, broker=settings("plant"), link=site.link, ledger=Ledger(7), clock=site.clock)
    async with running(simulation.run()):
        for seconds in lives:
            stop = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds + 10):
                    bridge = asyncio.create_task(Service(plant, site.outside).run(stop))
                    await asyncio.wait([bridge], timeout=seconds)
                    stop.set()
                    await bridge
    done = await site.store.read(Table.DONE)
    return Day(plant=plant, stored=await site.store.load(), done=tuple(decode(body) for body in done.values()))


def inputs(recording: Iterable[Read]) -> list[Recorded]:
    return [each for each in recording if isinstance(each, Recorded)]


def gaps(recording: Iterable[Read]) -> list[Lost]:
    return [each for each in recording if isinstance(each, Lost)]


def beginnings(recording: Iterable[Read]) -> list[Began]:
    return [each for each in recording if isinstance(each, Began)]
