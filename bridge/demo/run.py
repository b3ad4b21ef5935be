"""`uns-bridge demo`: a simulated plant on a real broker and a real store, the bridge, and an Odoo; then the comparison.

Everything but the plant is a process of its own. At the end the plant's ledger is compared with what stands in
Odoo, fact by fact.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.broker.link import LinkSettings
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.core.order import CURSOR_ID, OrderRecord
from bridge.demo.compare import NamespaceView, Report, compare
from bridge.demo.console import DemoConsole
from bridge.demo.folder import write_plant
from bridge.demo.odoo import DemoOdoo, real_odoo, simulated_odoo
from bridge.demo.odoo_view import read_view
from bridge.demo.process import BridgeProcess
from bridge.demo.progress import Progress, Standing
from bridge.demo.servers import EmbeddedBroker, embedded_broker, embedded_store
from bridge.plant import load_plant
from bridge.simulator.ledger import FactKind, Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.scenario import Scenario
from bridge.simulator.scenario_file import load_scenario
from bridge.simulator.simulation import Simulation
from bridge.wiring import open_store
from odoo_adapter.seed import Planner
from state.entry import EntryState, decode
from state.errors import StoreUnavailable
from state.record import Table
from state.store import Store

QUIET_S: Final = 6.0
"""The run is over when nothing has been waiting for so long; longer than any rule of the plant waits."""
DRAIN_S: Final = 300.0
"""Longest time to come to rest after production, and again for the outbox to drain."""
LOOK_S: Final = 0.5
SCENARIO_S: Final = 60.0
"""The scenario's number of orders is meant for a run of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What the command was asked for. `odoo_url` None: the simulator."""

    seconds: float
    seed: int | None
    odoo_url: str | None
    kills: int
    headless: bool
    home: Path


async def run_demo(settings: DemoSettings) -> tuple[Report, dict[str, Any]]:
    """Run it all; returns the comparison and what Odoo was.

    Raises `DemoOdooError`, `EmbeddedServerError`, `BridgeEnded`, `OdooError`, or `TimeoutError` when the plant or
    the outbox does not come to rest.
    """
    scenario = load_scenario(Path(str(files("bridge.demo") / "scenario.yaml")))
    if settings.seed is not None:
        scenario = replace(scenario, seed=settings.seed)
    console = None if settings.headless else DemoConsole(settings.home / "plant")
    with Progress(headless=settings.headless) as progress:
        async with _servers(settings, progress, console) as (broker, odoo, bridge, store):
            planner = await odoo.prepare(progress.say)
            await bridge.start()
            demo = _Demo(settings, scenario, progress, broker, odoo, bridge, store, console)
            return await demo.run(planner), await _odoo_facts(odoo)


@asynccontextmanager
async def _servers(
    settings: DemoSettings, progress: Progress, console: DemoConsole | None
) -> AsyncIterator[tuple[EmbeddedBroker, DemoOdoo, BridgeProcess, Store]]:
    async with AsyncExitStack() as stack:
        progress.say("starting a broker and a store on free ports of this machine")
        broker = await stack.enter_async_context(embedded_broker(settings.home / "broker"))
        store_server = await stack.enter_async_context(embedded_store(settings.home / "store"))
        if settings.odoo_url:
            odoo = await stack.enter_async_context(real_odoo(settings.odoo_url))
        else:
            progress.say("starting the Odoo simulator (it is not an Odoo)")
            odoo = await stack.enter_async_context(simulated_odoo(settings.home))
        plant = write_plant(settings.home, broker, store_server, odoo, console)
        bridge = BridgeProcess(plant, settings.home / "bridge.log")
        stack.push_async_callback(bridge.stop)
        store = open_store(load_plant(plant))
        stack.push_async_callback(store.close)
        yield broker, odoo, bridge, store


class _Demo:
    """One run: production, draining, comparison."""

    def __init__(
        self,
        settings: DemoSettings,
        scenario: Scenario,
        progress: Progress,
        broker: EmbeddedBroker,
        odoo: DemoOdoo,
        bridge: BridgeProcess,
        store: Store,
        console: DemoConsole | None,
    ) -> None:
        self._settings = settings
        self._console = console
        self._scenario = scenario
        self._progress = progress
        self._odoo = odoo
        self._bridge = bridge
        self._store = store
        self._clock = SystemClock()
        self._ledger = Ledger(scenario.seed, settings.home / "ledger.jsonl")
        self._simulation = Simulation(
            scenario,
            broker=LinkSettings(
                host=broker.host,
                port=broker.port_5,
                client_id="demo-plant",
                user=broker.user,
                password=lambda: broker.password,
            ),
            link=PahoLink,
            ledger=self._ledger,
            clock=self._clock,
        )
        self._orders: list[str] = []

    async def run(self, planner: Planner) -> Report:
        began_ms = self._clock.now_ms()
        self._invite()
        async with asyncio.TaskGroup() as tasks:
            plant = tasks.create_task(self._simulation.run(), name="plant")
            watch = tasks.create_task(self._watch(), name="watch")
            killer = tasks.create_task(self._kill(), name="kill")
            plan = tasks.create_task(self._plan(planner), name="planner")
            await asyncio.sleep(self._settings.seconds)
            await asyncio.gather(plan, killer)
            self._progress.say("the plant finishes what it began")
            self._simulation.wind_down()
            await asyncio.wait_for(self._simulation.rest(), DRAIN_S)
            self._progress.say("waiting until nothing is left to post")
            await asyncio.wait_for(self._drained(), DRAIN_S)
            watch.cancel()
            plant.cancel()
        self._ledger.close()
        self._progress.say("comparing the plant's ledger with Odoo")
        view = await read_view(self._odoo, self._orders, began_ms)
        return compare(self._ledger.facts, view, await self._namespace(), seed=self._scenario.seed)

    async def _plan(self, planner: Planner) -> None:
        """Release orders one after the other, as a planner would."""
        share = self._settings.seconds / SCENARIO_S
        for nth in range(1, max(1, round(self._scenario.orders.count * share)) + 1):
            quantity = order_quantity(self._scenario, nth)
            order = await planner.create_order(quantity, press=1 + nth % 2)
            self._orders.append(order)
            self._ledger.add(
                FactKind.RELEASE,
                f"release:{order}",
                at_ms=self._clock.now_ms(),
                order=order,
                values={"quantity": str(quantity)},
            )
            await asyncio.sleep(self._scenario.orders.every_ms / 1000)

    async def _kill(self) -> None:
        """Kill the bridge at random moments of the run, the same ones for a seed."""
        chance = random.Random(f"{self._scenario.seed}/kills")
        moments_s = sorted(chance.uniform(2, self._settings.seconds) for _ in range(self._settings.kills))
        passed_s = 0.0
        for moment_s in moments_s:
            await asyncio.sleep(moment_s - passed_s)
            passed_s = moment_s
            await self._bridge.kill()
            self._invite()

    def _invite(self) -> None:
        """Show the way to the console: a new bridge knows no log-ins."""
        if self._console:
            self._progress.say(self._console.invitation())

    async def _watch(self) -> None:
        """Show how it stands, and end the run when the bridge ends by itself."""
        while True:
            self._bridge.check()
            with suppress(StoreUnavailable):
                self._progress.show(await self._standing())
            await asyncio.sleep(LOOK_S)

    async def _standing(self) -> Standing:
        counts = Counter(decode(entry).state for entry in (await self._store.read(Table.ENTRY)).values())
        facts = self._ledger.facts
        return Standing(
            facts=len(facts),
            releases=len(self._orders),
            delivered=len(await self._store.read(Table.DONE)),
            waiting=counts[EntryState.PENDING] + counts[EntryState.CLAIMED],
            held=counts[EntryState.HELD],
            dead=counts[EntryState.DEAD],
            stored=self._simulation.stored,
            kills=self._bridge.kills,
        )

    async def _drained(self) -> None:
        """Return when the edge nodes have sent what they stored and nothing has waited for a while."""
        last, since_s = None, time.monotonic()
        while True:
            standing = await self._standing()
            if standing != last or standing.waiting or standing.stored:
                last, since_s = standing, time.monotonic()
            if time.monotonic() - since_s >= QUIET_S:
                return
            await asyncio.sleep(LOOK_S)

    async def _namespace(self) -> NamespaceView:
        stored = await self._store.read(Table.ORDER)
        records = [msgspec.json.decode(body, type=OrderRecord) for id, body in stored.items() if id != CURSOR_ID]
        return NamespaceView(
            releases=tuple(one for one in self._simulation.releases if one[0] in self._orders),
            answers={
                record.order: (record.answered_version or 0, str(record.answer))
                for record in records
                if record.order in self._orders
            },
        )


async def _odoo_facts(odoo: DemoOdoo) -> dict[str, Any]:
    return {"version": await odoo.admin.version(), "mode": "inbox", "simulator": odoo.simulator}
