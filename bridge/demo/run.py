"""`uns-bridge demo`: a simulated plant on a real broker and a real store, the bridge, and an Odoo; then the comparison.

Everything but the plant is a process of its own. At the end the plant's ledger is compared with what stands in
Odoo, fact by fact.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.broker.link import LinkSettings
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.core.order import CURSOR_ID
from bridge.demo.chaos import plan_abuses
from bridge.demo.chaos_acts import BRIDGE_TO_BROKER, Chaos, Happened, Links, open_links, possible_kinds
from bridge.demo.compare import NamespaceView, Report, compare
from bridge.demo.console import DemoConsole
from bridge.demo.folder import write_plant
from bridge.demo.odoo import DemoOdoo, real_odoo, simulated_odoo
from bridge.demo.odoo_view import InboxRow, read_view
from bridge.demo.posted import read_posted
from bridge.demo.process import BridgeProcess
from bridge.demo.progress import Progress, Standing
from bridge.demo.servers import DemoBroker, embedded_broker, embedded_store, mosquitto_binary, mosquitto_broker
from bridge.orders.record import OrderRecord
from bridge.plant import load_plant
from bridge.simulator.ledger import FactKind, Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.scenario import Scenario
from bridge.simulator.scenario_file import load_scenario
from bridge.simulator.simulation import Simulation
from bridge.wiring import open_store
from odoo_adapter.odoo import INBOX, LOOK_FIRST
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from ruleset.codes import UNITS
from state.entry import EntryState, decode
from state.errors import StoreUnavailable
from state.record import Table
from state.store import Store

QUIET_S: Final = 6.0
"""The run is over when nothing has been waiting for so long; longer than any rule of the plant waits."""
DRAIN_S: Final = 300.0
"""Longest time to come to rest after production, and then in which nothing is posted although it waits: beside the
wait before a look, where there is no inbox."""
LOOK_S: Final = 0.5
RESEND_MS: Final = 15_000
"""What a node may have sent into a dead link: longer than a link is silent before it is reset, with room."""
SCENARIO_S: Final = 60.0
"""The scenario's number of orders is meant for a run of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What the command was asked for. `odoo_url` None: the simulator. `kills`: of the bridge, under chaos.

    `limit_s`: post without the inbox, to an Odoo that ends calls after so long.
    """

    seconds: float
    seed: int | None
    odoo_url: str | None
    chaos: bool = False
    kills: int | None = None
    limit_s: int | None = None
    headless: bool
    home: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `odoo` says what Odoo was."""

    report: Report
    odoo: Mapping[str, Any]
    abuses: tuple[Happened, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Servers:
    """The parts of a run. `links` and `chaos` where chaos was asked for."""

    broker: DemoBroker
    odoo: DemoOdoo
    bridge: BridgeProcess
    store: Store
    links: Links | None = None
    chaos: Chaos | None = None


async def run_demo(settings: DemoSettings) -> Outcome:
    """Run it all, and compare.

    Raises `DemoOdooError`, `EmbeddedServerError`, `BridgeEnded`, `OdooError`, or `TimeoutError` when the plant or
    the outbox does not come to rest.
    """
    scenario = load_scenario(Path(str(files("bridge.demo") / "scenario.yaml")))
    if settings.seed is not None:
        scenario = replace(scenario, seed=settings.seed)
    console = None if settings.headless else DemoConsole(settings.home / "plant")
    with Progress(headless=settings.headless) as progress:
        async with _servers(settings, scenario, progress, console) as servers:
            planner = await servers.odoo.prepare(progress.say)
            foreign = await _open_orders(servers.odoo)
            await servers.bridge.start()
            demo = _Demo(settings, scenario, progress, servers, console, foreign)
            report = await demo.run(planner)
            abuses = tuple(servers.chaos.happened) if servers.chaos else ()
            return Outcome(report=report, odoo=await _odoo_facts(servers.odoo), abuses=abuses)


@asynccontextmanager
async def _servers(
    settings: DemoSettings, scenario: Scenario, progress: Progress, console: DemoConsole | None
) -> AsyncIterator[_Servers]:
    async with AsyncExitStack() as stack:
        progress.say("starting a broker and a store on free ports of this machine")
        broker = await stack.enter_async_context(_broker(settings, progress))
        store_server = await stack.enter_async_context(embedded_store(settings.home / "store"))
        if settings.odoo_url:
            odoo = await stack.enter_async_context(real_odoo(settings.odoo_url, limit_s=settings.limit_s))
        else:
            progress.say("starting the Odoo simulator (it is not an Odoo)")
            simulated = simulated_odoo(settings.home, kept=settings.chaos, limit_s=settings.limit_s)
            odoo = await stack.enter_async_context(simulated)
        links = await stack.enter_async_context(open_links(scenario, broker, odoo)) if settings.chaos else None
        reached, broker_port = (links.for_bridge(odoo), links.port(BRIDGE_TO_BROKER)) if links else (odoo, None)
        plant = write_plant(settings.home, broker, store_server, reached, console, broker_port)
        bridge = BridgeProcess(plant, settings.home / "bridge.log", supervised=settings.chaos)
        stack.push_async_callback(bridge.stop)
        store = open_store(load_plant(plant))
        stack.push_async_callback(store.close)
        chaos = None
        if links:
            plan = plan_abuses(
                seed=scenario.seed,
                seconds=settings.seconds,
                kinds=possible_kinds(broker, simulator=odoo.simulator),
                links=links.by_kind,
                kills=settings.kills,
            )
            chaos = Chaos(
                plan, bridge=bridge, broker=broker, store=store_server, odoo=odoo, links=links, say=progress.say
            )
        yield _Servers(broker=broker, odoo=odoo, bridge=bridge, store=store, links=links, chaos=chaos)


def _broker(settings: DemoSettings, progress: Progress) -> AbstractAsyncContextManager[DemoBroker]:
    """Under chaos one that keeps its sessions when it is stopped, where there is one."""
    if settings.chaos and (binary := mosquitto_binary()):
        return mosquitto_broker(binary, settings.home / "broker")
    if settings.chaos:
        progress.say(
            "mosquitto is not installed: the broker is not restarted, as the embedded one forgets its sessions"
        )
    return embedded_broker(settings.home / "broker")


class _Demo:
    """One run: production, draining, comparison."""

    def __init__(
        self,
        settings: DemoSettings,
        scenario: Scenario,
        progress: Progress,
        servers: _Servers,
        console: DemoConsole | None,
        foreign: Collection[str],
    ) -> None:
        self._settings = settings
        self._console = console
        self._scenario = scenario
        self._progress = progress
        self._odoo = servers.odoo
        self._bridge = servers.bridge
        self._store = servers.store
        self._chaos = servers.chaos
        self._clock = SystemClock()
        broker = servers.broker
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
            link=servers.links.of_plant if servers.links else PahoLink,
            ledger=self._ledger,
            clock=self._clock,
            foreign=foreign,
            resend_ms=RESEND_MS if servers.links else 0,
        )
        self._orders: list[str] = []

    async def run(self, planner: Planner) -> Report:
        began_ms = self._clock.now_ms()
        self._invite()
        async with asyncio.TaskGroup() as tasks:
            plant = tasks.create_task(self._simulation.run(), name="plant")
            watch = tasks.create_task(self._watch(), name="watch")
            abuse = tasks.create_task(self._abuse(), name="chaos")
            plan = tasks.create_task(self._plan(planner), name="planner")
            await asyncio.sleep(self._settings.seconds)
            await asyncio.gather(plan, abuse)
            self._progress.say("the plant finishes what it began")
            self._simulation.wind_down()
            async with asyncio.timeout(DRAIN_S):
                await self._simulation.rest()
            self._progress.say("waiting until nothing is left to post")
            await self._drained()
            watch.cancel()
            plant.cancel()
        self._ledger.close()
        self._progress.say("comparing the plant's ledger with Odoo")
        posted = None if self._settings.limit_s is None else await self._posted()
        view = await read_view(self._odoo, self._orders, began_ms, posted)
        return compare(self._ledger.facts, view, await self._namespace(), seed=self._scenario.seed)

    async def _posted(self) -> tuple[InboxRow, ...]:
        units = load_plant(self._settings.home / "plant").assets.codes.get(UNITS, {})
        return await read_posted(self._store, PlanContext(units=units))

    async def _plan(self, planner: Planner) -> None:
        """Release orders one after the other, as a planner would."""
        share = self._settings.seconds / SCENARIO_S
        for nth in range(1, max(1, round(self._scenario.orders.count * share)) + 1):
            quantity = order_quantity(self._scenario, nth)
            async with self._chaos.odoo_turn if self._chaos else nullcontext():
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

    async def _abuse(self) -> None:
        if self._chaos:
            await self._chaos.run()
            self._progress.say(f"{len(self._chaos.happened)} abuses are over")

    def _invite(self) -> None:
        """Show the way to the console: a new bridge knows no log-ins."""
        if self._console:
            self._progress.say(self._console.invitation())

    async def _watch(self) -> None:
        """Show how it stands, and end the run when the bridge ends by itself."""
        kills = 0
        while True:
            if await self._bridge.check() and self._chaos:
                self._chaos.note("the bridge had ended because its store did not answer, and was started again")
            if self._bridge.kills > kills:
                kills = self._bridge.kills
                self._invite()
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
        """Return when the edge nodes have sent what they stored and nothing has waited for a while.

        Raises `TimeoutError` where something waits and nothing moves.
        """
        last, since_s = None, time.monotonic()
        while True:
            standing = await self._standing()
            if standing != last:
                last, since_s = standing, time.monotonic()
            unmoved_s = time.monotonic() - since_s
            if unmoved_s >= QUIET_S and not (standing.waiting or standing.stored):
                return
            if unmoved_s >= DRAIN_S + (self._settings.limit_s or 0):
                raise TimeoutError
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


async def _open_orders(odoo: DemoOdoo) -> frozenset[str]:
    """The orders that stood in a real Odoo before: they are released like all others, but are none of this plant's."""
    domain = [["state", "in", ["confirmed", "progress", "to_close"]]]
    return frozenset(f"mo-{row['id']}" for row in await odoo.search_read("mrp.production", domain, ["id"]))


async def _odoo_facts(odoo: DemoOdoo) -> dict[str, Any]:
    mode = INBOX if odoo.limit_s is None else LOOK_FIRST
    return {"version": await odoo.admin.version(), "mode": mode, "simulator": odoo.simulator}
