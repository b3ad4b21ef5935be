"""`uns-bridge demo`: a simulated plant on a real broker and a real store, the bridge, and an Odoo; then the comparison.

Everything but the plant is a process of its own. At the end the plant's ledger is compared with what stands in
Odoo, fact by fact.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.broker.link import LinkSettings
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.core.order import CURSOR_ID
from bridge.demo.chaos.act import Happened
from bridge.demo.compare import NamespaceView, Report, answers_of, compare
from bridge.demo.console import DemoConsole
from bridge.demo.odoo import DemoOdoo
from bridge.demo.odoo_view import InboxRow, read_view
from bridge.demo.posted import read_posted
from bridge.demo.progress import Progress, Standing
from bridge.demo.stage import DemoSettings, Servers, open_servers
from bridge.orders.record import OrderRecord
from bridge.plant import load_plant
from bridge.simulator.ledger import FactKind, Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.scenario import Scenario
from bridge.simulator.scenario_file import load_scenario
from bridge.simulator.simulation import Simulation
from odoo_adapter.odoo import INBOX, LOOK_FIRST
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from ruleset.codes import UNITS
from state.entry import EntryState, decode
from state.errors import StoreUnavailable
from state.record import Table

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
class Outcome:
    """How a run ended. `odoo` says what Odoo was, `kills` how often a process was killed."""

    report: Report
    odoo: Mapping[str, Any]
    abuses: tuple[Happened, ...]
    kills: int


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
        async with open_servers(settings, scenario, progress, console) as servers:
            planner = await servers.odoo.prepare(progress.say)
            foreign = await _open_orders(servers.odoo)
            await servers.bridges.start()
            demo = _Demo(settings, scenario, progress, servers, console, foreign)
            report = await demo.run(planner)
            chaos = servers.chaos
            return Outcome(
                report=report,
                odoo=await _odoo_facts(servers.odoo),
                abuses=tuple(chaos.happened) if chaos else (),
                kills=chaos.kills if chaos else 0,
            )


class _Demo:
    """One run: production, draining, comparison."""

    def __init__(
        self,
        settings: DemoSettings,
        scenario: Scenario,
        progress: Progress,
        servers: Servers,
        console: DemoConsole | None,
        foreign: Collection[str],
    ) -> None:
        self._settings = settings
        self._console = console
        self._scenario = scenario
        self._progress = progress
        self._odoo = servers.odoo
        self._bridges = servers.bridges
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
        return compare(
            self._ledger.facts,
            view,
            await self._namespace(),
            seed=self._scenario.seed,
            late=self._simulation.late,
        )

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
            self._progress.say(f"no more abuses, {len(self._chaos.happened)} were done; production goes on")

    def _invite(self) -> None:
        """Show the way to the console: a new bridge knows no log-ins."""
        if self._console:
            self._progress.say(self._console.invitation())

    async def _watch(self) -> None:
        """Show how it stands, and end the run when the bridge ends by itself."""
        kills = 0
        while True:
            if (reason := await self._bridges.check()) and self._chaos:
                self._chaos.note(f"a bridge had ended because {reason}, and was started again")
            if self._bridges.kills > kills:
                kills = self._bridges.kills
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
            kills=self._bridges.kills,
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
            answers=answers_of(record for record in records if record.order in self._orders),
        )


async def _open_orders(odoo: DemoOdoo) -> frozenset[str]:
    """The orders that stood in a real Odoo before: they are released like all others, but are none of this plant's."""
    domain = [["state", "in", ["confirmed", "progress", "to_close"]]]
    return frozenset(f"mo-{row['id']}" for row in await odoo.search_read("mrp.production", domain, ["id"]))


async def _odoo_facts(odoo: DemoOdoo) -> dict[str, Any]:
    mode = INBOX if odoo.limit_s is None else LOOK_FIRST
    return {"version": await odoo.admin.version(), "mode": mode, "simulator": odoo.simulator}
