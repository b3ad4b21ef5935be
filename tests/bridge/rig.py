"""A bridge in memory that can be stopped after every step of its path, with a plant and an Odoo that go on.

What survives a crash is what survives in the world: committed records, unacknowledged documents at the broker, the
edge node, Odoo. Messages of QoS 0 on their way are lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

from bridge.core.input import (
    Claim,
    Command,
    Destination,
    HostConnected,
    Input,
    OrdersArrived,
    Outcomes,
    Request,
    Send,
    Setback,
    SparkplugMessage,
    Started,
    Tick,
    UnsDocument,
)
from bridge.core.job import read_job
from bridge.core.site import Core, restore, take_changes
from bridge.lifecycle.shadow import Shadow
from bridge.pipeline import step
from bridge.plant import Content, Plant, load_plant
from bridge.settings.odoo import InboxUse
from bridge.wiring import new_core
from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import Applied, OrderRead, Outcome, Receipt
from odoo_adapter.plan import PlanContext
from ruleset.sample import Plain
from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import NodeId, Value
from sparkplug.topic import state_topic
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.state import HostState, encode_state
from state.entry import Entry
from state.record import RecordId

PLANT = Path(__file__).parents[2] / "bridge/demo/plant"
SITE = "uns/v1/acme/berlin"
ORDER = "mo-1"
HOST = "acme-bridge"


class Crash(BaseException):
    """The process was killed here."""


@dataclass(slots=True)
class World:
    """What outlives the bridge."""

    odoo: MemoryOdoo
    node: EdgeNode
    records: dict[RecordId, bytes] = field(default_factory=dict)
    documents: deque[UnsDocument] = field(default_factory=deque)
    retained: dict[str, bytes] = field(default_factory=dict)
    now_ms: int = 1_700_000_000_000

    def connect_node(self) -> None:
        self.node.will(self.now_ms)
        self.node.connected(self.now_ms)


def new_world(*, look_first: bool = False) -> World:
    """A plant with a packaging line and one released order of 100, and an Odoo with the inbox or without."""
    node = EdgeNode(NodeId("acme-berlin", "packaging"), primary_host=HOST)
    node.define_device(
        "line-1",
        [
            MetricDefinition(name="State", datatype=Datatype.STRING, value="RUN", alias=1),
            MetricDefinition(name="Fault", datatype=Datatype.STRING, value="", alias=2),
            MetricDefinition(name="Order", datatype=Datatype.STRING, value="", alias=3),
            MetricDefinition(name="Counters/Good", datatype=Datatype.INT64, value=1_000, alias=4),
        ],
    )
    odoo = MemoryOdoo(
        context=PlanContext(units={"pcs": "Units", "kg": "kg"}, over=Decimal("0.05")), look_first=look_first
    )
    odoo.put_order(
        OrderRead(order=ORDER, name="WH/MO/1", state="confirmed", document={"quantity": "100", "unit": "Units"})
    )
    world = World(odoo=odoo, node=node)
    world.connect_node()
    return world


class Bridge:
    """One life of the bridge's process. `crash_after` counts the points it passes; at 0 it raises `Crash`."""

    def __init__(
        self,
        world: World,
        crash_after: int | None = None,
        *,
        plant: Plant | Path | None = None,
        shadow: Content | None = None,
    ) -> None:
        self.world = world
        self.passed = 0
        self.where = ""
        self._crash_after = crash_after
        read = load_plant(plant) if isinstance(plant, Path) else plant
        self._core: Core = new_core(_posting_as(world, read or _shipped()), shadow)
        self._batch = 1 if world.odoo.look_first else 10
        self._queue: deque[Input] = deque()
        self._idle = True

    async def start(self) -> None:
        """Load, connect, and take what the broker kept. The node sees our STATE, is born and sends what it stored."""
        restore(self._core, self.world.records)
        await self.take(Started(), HostConnected())
        await self._hear(self._node_hears_state(online=True))
        for document in tuple(self.world.documents):
            await self.take(document)
        await self.wait(5_000)

    def die(self) -> None:
        """What the world sees of a crash: our will, which makes the node store."""
        self._node_hears_state(online=False)
        self.world.node.disconnected(self.world.now_ms)
        self.world.connect_node()

    async def take(self, *entering: Input) -> None:
        """Step, commit and act until nothing is left to do."""
        self._queue.extend(entering)
        while self._queue:
            entered = self._queue.popleft()
            requests = list(step(self._core, entered, self.world.now_ms))
            if self._idle:
                requests += step(self._core, Claim(Destination.ODOO, self._batch), self.world.now_ms)
            requests += step(self._core, Claim(Destination.BROKER, 10), self.world.now_ms)
            self._point(f"stepped {type(entered).__name__}")
            self._commit()
            self._point(f"committed {type(entered).__name__}")
            if isinstance(entered, UnsDocument) and self.world.documents and self.world.documents[0] == entered:
                self.world.documents.popleft()
                self._point("acknowledged a document")
            for request in requests:
                await self._act(request)

    async def wait(self, ms: int) -> None:
        """Let virtual time pass, firing what becomes due."""
        until_ms = self.world.now_ms + ms
        while (due_ms := self._core.next_due_ms(self.world.now_ms)) is not None and due_ms <= until_ms:
            self.world.now_ms = max(self.world.now_ms + 1, due_ms)
            await self.take(Tick())
        self.world.now_ms = until_ms
        await self.take(Tick())

    async def poll_orders(self) -> None:
        await self.take(OrdersArrived(await self.world.odoo.read_orders(self._core.book.cursor)))

    async def update(self, values: dict[str, Value]) -> None:
        """The packaging line publishes; the node itself cannot be stopped by us."""
        outputs = self.world.node.update("line-1", values, self.world.now_ms)
        await self._hear(outputs)
        await self.wait(100)

    async def document(self, path: str, body: dict[str, Plain]) -> None:
        """A MES document: at the broker until acknowledged."""
        document = UnsDocument(f"{SITE}/{path}", msgspec.json.encode({"at": self.world.now_ms, **body}))
        self.world.documents.append(document)
        await self.take(document)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._core.outbox.entries()

    @property
    def shadows(self) -> Sequence[Shadow]:
        return self._core.shadows

    def _commit(self) -> None:
        for record, snapshot in take_changes(self._core).items():
            if snapshot is None:
                self.world.records.pop(record, None)
            else:
                self.world.records[record] = snapshot

    async def _act(self, request: Request) -> None:
        match request:
            case Command():
                await self._hear(self.world.node.receive(request.topic, request.payload, self.world.now_ms))
            case Send(destination=Destination.ODOO):
                self._idle = False
                self._queue.append(await self._post(request))
                self._idle = True
            case Send():
                for entry in request.entries:
                    publishing = msgspec.json.decode(entry.body)
                    self.world.retained[publishing["topic"]] = msgspec.json.encode(publishing["document"])
                self._point("published")
                self._queue.append(Outcomes(tuple(_published(entry) for entry in request.entries)))
            case _:
                pass

    async def _post(self, send: Send) -> Input:
        self._point("before posting")
        keys = tuple(entry.key for entry in send.entries)
        try:
            outcomes = await self.world.odoo.post([read_job(one, send.standings[one.lane]) for one in send.entries])
        except Unavailable as error:
            return Setback(keys=keys, reason=str(error), uncertain=False)
        except Uncertain as error:
            return Setback(keys=keys, reason=str(error), uncertain=True)
        self._point("after posting")
        return Outcomes(tuple(outcomes))

    def _node_hears_state(self, *, online: bool) -> tuple[EdgeOutput, ...]:
        payload = encode_state(HostState(online, self.world.now_ms))
        return self.world.node.receive(state_topic(HOST), payload, self.world.now_ms)

    async def _hear(self, outputs: Iterable[EdgeOutput]) -> None:
        for output in outputs:
            if isinstance(output, Publish):
                await self.take(SparkplugMessage(topic=output.topic, payload=output.payload, retain=output.retain))

    def _point(self, where: str) -> None:
        self.passed += 1
        self.where = where
        if self._crash_after is not None and self.passed > self._crash_after:
            raise Crash(where)


@cache
def _shipped() -> Plant:
    """Read once: a crash after each step takes more than a hundred lives."""
    return load_plant(PLANT)


def _posting_as(world: World, plant: Plant) -> Plant:
    """The plant with the settings that suit the world's Odoo."""
    inbox = InboxUse.NEVER if world.odoo.look_first else InboxUse.REQUIRED
    odoo = replace(plant.settings.odoo, inbox=inbox)
    settings = replace(plant.settings, odoo=odoo)
    return replace(plant, settings=settings)


def _published(entry: Entry) -> Outcome:
    return Applied(key=entry.key, receipt=Receipt(model="mqtt", id=0, details={}))
