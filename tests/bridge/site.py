"""A whole bridge in memory: its plant folder, broker, store and Odoo, a packaging line and a MES."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Publication, Subscriptions, WillSource
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.orders.record import OrderRecord
from bridge.plant import Plant, load_plant
from bridge.service import Service
from bridge.simulator.edge_session import EdgeSession, define_node
from bridge.wiring import Outside
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import OrderRead
from odoo_adapter.plan import PlanContext
from sparkplug.fact import NodeId, Value
from sparkplug.topic import state_topic
from sparkplug.wire.state import HostState, decode_state
from state.entry import Entry, decode
from state.memory_store import FaultPoint, MemoryStore
from state.record import Commit, Table
from tests.bridge.rig import PLANT
from tests.bridge.simulator.listener import running, settings, until

HOST = "acme-bridge"
ORDER = "mo-1"
ORDER_TOPIC = f"uns/v1/acme/berlin/order/{ORDER}"
LINE = "packaging/line-1"
BRIDGE_YAML = """\
redis: {lease: 2s}
odoo: {database: memory, user: uns-bridge, key: {env: UNUSED}, poll_every: 100ms, calls_per_second: 1000,
  order_notes: false}
sparkplug: {host_id: acme-bridge, groups: [acme-berlin]}
edge_node: {group: acme-berlin, node: orders}
retry: {first: 10ms, longest: 20ms}
"""


class ManualClock:
    """Stands still until a test moves it. `passed_s` is the time of a clock that nobody sets back."""

    def __init__(self) -> None:
        self._now_ms = 1_700_000_000_000
        self.passed_s = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, ms: int) -> None:
        self._now_ms += ms
        self.passed_s += max(0, ms) / 1000

    def set_forward(self, ms: int) -> None:
        """Somebody sets the clock; no time passes."""
        self._now_ms += ms


def plant_in(folder: Path, limits: str = "") -> Plant:
    """The demonstration's plant; `limits` is added to its bridge.yaml."""
    plant = folder / "plant"
    shutil.copytree(PLANT, plant)
    (plant / "bridge.yaml").write_text(f"{BRIDGE_YAML}limits: {{stale_grace: 100ms{limits}}}\n")
    return load_plant(plant)


@dataclass(slots=True)
class Site:
    """What is around the bridge, and outlives it."""

    plant: Plant
    clock: ManualClock = field(default_factory=ManualClock)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    odoo: MemoryOdoo = field(
        default_factory=lambda: MemoryOdoo(context=PlanContext(units={"pcs": "Units"}, over=Decimal("0.05")))
    )
    store: MemoryStore = field(init=False)
    line: EdgeSession = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock.now_ms, weaknesses=())
        metrics: dict[str, Value] = {"State": "RUN", "Fault": "", "Order": "", "Counters/Good": 1_000}
        node = define_node(NodeId("acme-berlin", "packaging"), {"line-1": metrics}, primary_host=HOST)
        self.line = EdgeSession(node, broker=settings("packaging"), link=self.link, clock=self.clock)

    def link(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        quick = replace(settings, first_pause_s=0.01, longest_pause_s=0.02)
        return MemoryLink(self.broker, quick, subscriptions, will, may_connect, now_ms=self.clock.now_ms)

    @property
    def outside(self) -> Outside:
        return Outside(store=self.store, odoo=self.odoo, link=self.link, clock=self.clock)

    def service(self) -> Service:
        return Service(self.plant, self.outside, stage_s=0.3)

    def refuse_commits(self, error: Exception | None) -> None:
        """Let the store fail before it stores, until it is called with None."""

        def fault(point: FaultPoint, _: Commit) -> None:
            if error is not None and point is FaultPoint.BEFORE_COMMIT:
                raise error

        self.store.fault = fault

    def release_order(self, order: str = ORDER, quantity: str = "100") -> None:
        document = {"quantity": quantity, "unit": "Units"}
        self.odoo.put_order(OrderRead(order=order, name=f"WH/MO/{order}", state="confirmed", document=document))

    def tell(self, path: str, **body: object) -> None:
        """A document of the MES, at QoS 1."""
        payload = msgspec.json.encode({"at": self.clock.now_ms(), **body})
        self.broker.publish(Publication(topic=f"uns/v1/acme/berlin/{path}", payload=payload, qos=1, retain=False))

    @property
    def state(self) -> HostState:
        """The retained STATE of the host."""
        state = self.broker.retained(state_topic(HOST))
        return HostState(False, 0) if state is None else decode_state(state.payload)

    @property
    def is_host_online(self) -> bool:
        return self.state.online

    @property
    def released(self) -> dict[str, Any] | None:
        """The retained document of the order."""
        publication = self.broker.retained(ORDER_TOPIC)
        return None if publication is None else msgspec.json.decode(publication.payload)

    @property
    def kinds(self) -> list[str]:
        """What was done in Odoo, in order."""
        return [effect.kind for effect in self.odoo.effects]

    async def order(self) -> OrderRecord:
        stored = await self.store.read_one(Table.ORDER, ORDER)
        assert stored is not None
        return msgspec.json.decode(stored, type=OrderRecord)

    async def entries(self, table: Table = Table.ENTRY) -> list[Entry]:
        stored = (decode(body) for body in (await self.store.read(table)).values())
        return sorted(stored, key=lambda entry: entry.number)

    async def pass_time(self, holds: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
        """Let time pass for the bridge until something holds; fails after some seconds of ours."""
        async with asyncio.timeout(10):
            while not (await answer if isinstance(answer := holds(), Awaitable) else answer):
                self.clock.advance(200)
                await asyncio.sleep(0.02)

    async def settle(self) -> None:
        """Let the bridge believe that everything has settled after its start."""
        before = len(self.odoo.effects)
        self.tell(f"{LINE}/work_started", id=f"settled-{self.clock.now_ms()}", order=ORDER, work_order="wo-1")
        await self.pass_time(lambda: len(self.odoo.effects) > before)


@dataclass(slots=True)
class Run:
    """One life of the bridge."""

    stop: asyncio.Event
    task: asyncio.Task[None]

    async def end(self) -> None:
        """Stop it in order; raises what it ended with."""
        self.stop.set()
        await asyncio.wait_for(self.task, 5)


@asynccontextmanager
async def bridge_on(site: Site) -> AsyncIterator[Run]:
    """The bridge, online, and the packaging line beside it. Stopped at the end, if it has not ended before."""
    stop = asyncio.Event()
    async with running(site.line.run()):
        run = Run(stop, asyncio.create_task(site.service().run(stop)))
        try:
            await until(lambda: site.is_host_online or run.task.done())
            yield run
            if not run.task.done():
                await run.end()
        finally:
            run.task.cancel()
            await asyncio.wait([run.task])
