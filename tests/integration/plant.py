"""A plant under test: the simulated plant on a real broker, the bridge as a process, a real Redis, a simulated Odoo.

What happens on the floor is in a ledger; at the end it is compared with what stands in Odoo, fact by fact.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import aiohttp
import msgspec
from paho.mqtt.publish import single

from bridge.broker.link import LinkSettings
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.core.input import Destination
from bridge.core.order import CURSOR_ID
from bridge.demo.compare import NamespaceView, Report, answers_of, compare
from bridge.demo.odoo import DemoOdoo, simulated_odoo
from bridge.demo.odoo_view import InboxRow, OdooView, read_view
from bridge.demo.posted import read_posted
from bridge.demo.run import RESEND_MS
from bridge.lifecycle.shadow import Seen, seen
from bridge.orders.record import OrderRecord
from bridge.plant import load_plant
from bridge.simulator.ledger import FactKind, Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.scenario import FailedCheck, Scenario, Span, StopIncident, UnmappedScrap
from bridge.simulator.scenario_file import load_scenario
from bridge.simulator.simulation import Simulation
from bridge.wiring import open_store
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from ruleset.codes import UNITS
from ruleset.transaction import Provenance
from ruleset.transaction import decode as transaction
from state.entry import Entry, EntryState, decode
from state.record import Table
from state.store import Store
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, Sections, write_folder, write_secret
from tests.integration.patience import until
from tests.servers import Mosquitto, Redis

FLOOR_LIMIT_S = 60.0
POSTED_LIMIT_S = 90.0
WAITING = {EntryState.PENDING, EntryState.CLAIMED}


def short_day(seed: int) -> Scenario:
    """The demonstration's plant in small: an order takes about two seconds, one of the first three is rejected.

    Long stops come by incident only, and outlast the outages of these tests.
    """
    day = load_scenario(Path(str(files("bridge.demo") / "scenario.yaml")))
    press = day.stations[0].equipment
    return replace(
        day,
        seed=seed,
        settle_ms=100,
        orders=replace(day.orders, quantity=Span(8, 16)),
        stations=tuple(replace(station, piece_ms=25) for station in day.stations),
        stops=tuple(stop for stop in day.stops if stop.loss is None),
        quality=replace(day.quality, rejects=frozenset({3}), decides_ms=Span(100, 600)),
        mes=replace(day.mes, refuses={4: "unknown tool"}, reports_ms=Span(100, 600)),
        incidents=(
            StopIncident(at_ms=1_000, station=press, fault="E20", lasts_ms=7_000, loss="breakdown"),
            FailedCheck(at_ms=500, check="torque"),
            UnmappedScrap(at_ms=1_500, station=press, reason="S99"),
        ),
    )


class PlantUnderTest:
    """One plant and its bridge, in words of what happens to them."""

    def __init__(
        self,
        bridge: Bridge,
        folder: Path,
        simulation: Simulation,
        ledger: Ledger,
        odoo: DemoOdoo,
        planner: Planner,
        store: Store,
        quantities: Scenario,
        broker: LinkSettings,
    ) -> None:
        self.bridge = bridge
        self.simulation = simulation
        self.folder = folder
        self._ledger = ledger
        self._odoo = odoo
        self._planner = planner
        self._store = store
        self._scenario = quantities
        self._began_ms = SystemClock().now_ms()
        self.broker = broker
        self.orders: list[str] = []

    # What people do

    async def release_orders(self, count: int) -> None:
        """A planner confirms orders in Odoo."""
        for nth in range(len(self.orders) + 1, len(self.orders) + count + 1):
            quantity = order_quantity(self._scenario, nth)
            order = await self._planner.create_order(quantity, press=1 + nth % 2)
            self.orders.append(order)
            self._ledger.add(
                FactKind.RELEASE,
                f"release:{order}",
                at_ms=SystemClock().now_ms(),
                order=order,
                values={"quantity": str(quantity)},
            )

    async def cut_power_of_the_bridge(self) -> None:
        """kill -9, and a new start."""
        await self.bridge.kill()
        await self.bridge.start()

    async def odoo_fails(self, **faults: bool | int) -> Mapping[str, bool | int]:
        """Set the simulated Odoo's faults; returns all that are set then."""
        connection = self._odoo.admin.connection
        headers = {"Authorization": f"bearer {connection.key()}"}
        async with (
            aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
            session.post(f"{connection.url}/simulator/faults", json=faults) as answer,
        ):
            shown: Mapping[str, bool | int] = await answer.json()
            return shown

    def change_setting(self, section: str, key: str, value: object) -> None:
        """Change bridge.yaml, for the next start."""
        file = self.folder / "bridge.yaml"
        lines = file.read_text("utf-8").splitlines()
        place = next(nth for nth, line in enumerate(lines) if line.startswith(f"{section}:"))
        settings = json.loads(lines[place].removeprefix(f"{section}:"))
        lines[place] = f"{section}: {json.dumps(settings | {key: value})}"
        file.write_text("\n".join(lines), "utf-8")

    async def send(self, topic: str, payload: bytes) -> None:
        """Somebody publishes this, at QoS 1, so that the broker has it afterwards."""
        broker = self.broker
        await asyncio.to_thread(
            single,
            topic,
            payload,
            qos=1,
            hostname=broker.host,
            port=broker.port,
            client_id=f"somebody-{uuid4()}",
            auth={"username": broker.user or "", "password": broker.password() if broker.password else ""},
        )

    def replace_key_of_odoo(self, key: str | None = None) -> None:
        """Put another API key into its file; None: the right one."""
        write_secret(self.folder / "odoo.secret", key or self._odoo.key)

    # What is waited for

    async def until_happened(self, facts: int) -> None:
        """Wait until so much has happened on the floor."""
        await until(lambda: len(self._ledger.facts) >= facts, f"{facts} facts on the floor", FLOOR_LIMIT_S)

    async def until_nodes_store(self) -> None:
        """Wait until the edge nodes keep to themselves what happens."""
        await until(lambda: self.simulation.stored > 0, "an edge node that stores", FLOOR_LIMIT_S)

    async def until_waiting(self, entries: int) -> None:
        """Wait until so many entries of the outbox wait for Odoo."""

        async def wait() -> bool:
            return sum(entry.state in WAITING for entry in await self.entries()) >= entries

        await until(wait, f"{entries} waiting entries", FLOOR_LIMIT_S)

    async def until_made(self) -> None:
        """Wait until the MES has seen every order and the floor has made them."""

        def made() -> bool:
            seen = {order for order, _ in self.simulation.releases}
            return set(self.orders) <= seen and self.simulation.is_at_rest

        await until(made, lambda: f"{self.orders} made, of these the MES saw {self.simulation.releases}", FLOOR_LIMIT_S)

    # What stands at the end

    async def entries(self) -> list[Entry]:
        """The outbox's entries that are not done."""
        return [decode(entry) for entry in (await self._store.read(Table.ENTRY)).values()]

    async def posted(self) -> list[Provenance]:
        """Where what rules posted, and what stands in Odoo, came from."""
        done = [decode(entry) for entry in (await self._store.read(Table.DONE)).values()]
        found = [transaction(one.body).provenance for one in done if one.destination == Destination.ODOO]
        return [each for each in found if each.version]  # notes on orders are the bridge's own

    async def seen_in_shadow(self, version: str) -> Seen | None:
        """What a version in shadow would have done differently."""
        return seen(version, await self._store.read(Table.SHADOW))

    async def dead_letters(self) -> list[str]:
        """The keys of what Odoo or the rules declined."""
        return [entry.key for entry in await self.entries() if entry.state is EntryState.DEAD]

    async def ended(self) -> Report:
        """Let everything come to its end, stop the bridge, and compare the floor with Odoo."""
        await self.until_made()
        self.simulation.wind_down()
        async with asyncio.timeout(FLOOR_LIMIT_S):
            await self.simulation.rest()
        report: Report | None = None

        async def is_posted() -> bool:
            nonlocal report
            report = await self._compared()
            waiting = [entry.key for entry in await self.entries() if entry.state in WAITING]
            return report.is_clean and not waiting and not self.simulation.stored

        await until(is_posted, lambda: f"{report}\n{self.bridge.log[-3000:]}", POSTED_LIMIT_S)
        assert await self.bridge.stop() == 0
        return await self._compared()

    async def view(self) -> OdooView:
        """What stands in Odoo now."""
        posted = None if self._odoo.limit_s is None else await self._posted_without_inbox()
        return await read_view(self._odoo, self.orders, self._began_ms, posted)

    async def _posted_without_inbox(self) -> tuple[InboxRow, ...]:
        units = load_plant(self.folder).assets.codes.get(UNITS, {})
        return await read_posted(self._store, PlanContext(units=units))

    async def _compared(self) -> Report:
        return compare(self._ledger.facts, await self.view(), await self._namespace(), seed=self._ledger.seed)

    async def _namespace(self) -> NamespaceView:
        stored = await self._store.read(Table.ORDER)
        records = [msgspec.json.decode(body, type=OrderRecord) for id, body in stored.items() if id != CURSOR_ID]
        return NamespaceView(
            releases=self.simulation.releases,
            answers=answers_of(records),
        )

    def happened(self) -> Counter[FactKind]:
        """How often which kind of fact happened on the floor."""
        return Counter(fact.kind for fact in self._ledger.facts)


@asynccontextmanager
async def running_plant(
    home: Path,
    broker: Mosquitto,
    redis: Redis,
    *,
    seed: int = 1,
    changes: Sections | None = None,
    limit_s: int | None = None,
) -> AsyncIterator[PlantUnderTest]:
    """A plant that runs, with a bridge that is not yet started. `changes` are settings of bridge.yaml by section.

    `limit_s`: what is compared at the end was posted without the inbox, and Odoo ends calls after so long.
    """
    async with simulated_odoo(home, limit_s=limit_s) as odoo:
        planner = await odoo.prepare(lambda _: None)
        access = OdooAccess(url=odoo.url, database=odoo.database, user=odoo.user, key=odoo.key)
        folder = write_folder(home / "plant", broker, redis, access, changes)
        loaded = load_plant(folder)
        scenario, store = short_day(seed), open_store(loaded)
        ledger = Ledger(scenario.seed, home / "ledger.jsonl")
        link = LinkSettings(
            host=broker.host,
            port=broker.port,
            client_id="plant",
            version=loaded.settings.broker.version,
            user=broker.user or None,
            password=(lambda: broker.password) if broker.user else None,
            tls=broker.ca_file is not None,
            ca_file=str(broker.ca_file) if broker.ca_file else None,
        )
        simulation = Simulation(
            scenario, broker=link, link=PahoLink, ledger=ledger, clock=SystemClock(), resend_ms=RESEND_MS
        )
        bridge = Bridge(folder, home / "bridge.log")
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(simulation.run(), name="plant")
            try:
                yield PlantUnderTest(bridge, folder, simulation, ledger, odoo, planner, store, scenario, link)
            finally:
                running.cancel()
                await bridge.remove()
                await store.close()
                ledger.close()
