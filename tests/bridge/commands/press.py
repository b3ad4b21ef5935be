"""A bridge that runs on a real Redis and a real broker, and a press: an edge node that remembers what was written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.broker.link import (
    BrokerLink,
    LinkSettings,
    LinkUp,
    MayConnect,
    Message,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.plant import load_plant
from bridge.service import Service
from bridge.wiring import Outside, open_store
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from sparkplug.edge import EdgeNode, EdgeOutput, Publish, Written
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import NodeId
from sparkplug.snapshot import NodeView, stored_view
from sparkplug.wire.datatype import Datatype
from state.record import Table
from state.store import Store
from tests.bridge.broker.ground import BASE
from tests.bridge.broker.proxy import proxy_to
from tests.bridge.broker.wire import Publish as Sent
from tests.bridge.broker.wire import Wire
from tests.bridge.simulator.listener import running
from tests.integration.patience import until
from tests.servers import Mosquitto

CLOCK = SystemClock()


@dataclass(slots=True)
class Press:
    """An edge node with an arm, on a link of its own. `written` is what reached it; a deaf one obeys no command."""

    broker: LinkSettings
    node: EdgeNode = field(default_factory=lambda: _press(NodeId(f"g{uuid4().hex[:8]}", "press")))
    written: list[Written] = field(default_factory=list)
    is_deaf: bool = False
    link: BrokerLink = field(init=False)

    def __post_init__(self) -> None:
        filters = [Subscription(filter=each, qos=1) for each in self.node.subscriptions]
        self.link = PahoLink(replace(self.broker, client_id=f"press-{uuid4().hex[:8]}"), filters, self._will)

    @property
    def name(self) -> str:
        return str(self.node.node)

    async def run(self) -> None:
        while True:
            match await self.link.next_event():
                case LinkUp():
                    await self.say(self.node.connected(CLOCK.now_ms()))
                case Message(topic=topic, payload=payload, token=token):
                    if not self.is_deaf:
                        await self.say(self.node.receive(topic, payload, CLOCK.now_ms()))
                    await self.link.acknowledge(token)

    async def say(self, outputs: Iterable[EdgeOutput]) -> None:
        for output in outputs:
            if isinstance(output, Publish):
                await self.link.publish(
                    Publication(topic=output.topic, payload=output.payload, qos=output.qos, retain=output.retain)
                )
            elif isinstance(output, Written):
                self.written.append(output)

    def _will(self) -> Publication:
        topic, payload = self.node.will(CLOCK.now_ms())
        return Publication(topic=topic, payload=payload, qos=1, retain=False)


def _press(id: NodeId) -> EdgeNode:
    node = EdgeNode(id, primary_host="uns-bridge")
    node.define_metrics(
        [
            MetricDefinition(name="Speed", datatype=Datatype.INT32, value=10, alias=1),
            MetricDefinition(name="Label", datatype=Datatype.STRING, value=""),
        ]
    )
    arm = [
        MetricDefinition(name="Force", datatype=Datatype.FLOAT, value=1.0, alias=2),
        MetricDefinition(name="Steps", datatype=Datatype.UINT16_ARRAY, value=(), alias=3),
        MetricDefinition(name="Due", datatype=Datatype.DATETIME, value=0, alias=4),
    ]
    node.define_device("arm", arm)
    return node


@dataclass(slots=True)
class Floor:
    """What a test looks at: the press, what the bridge keeps of it, and what the host sent."""

    folder: Path
    store: Store
    press: Press
    wire: Wire

    async def command(self, *arguments: str) -> Result:
        """`uns-bridge` with these arguments, beside the bridge as another program."""
        return await asyncio.to_thread(run, self.folder, *arguments)

    def commands(self) -> list[Sent]:
        return [one for one in self.wire.of(Sent) if "CMD/" in one.topic and self.press.name.split("/")[0] in one.topic]

    async def view(self) -> NodeView | None:
        stored = await self.store.read_one(Table.NODE, self.press.name)
        return None if stored is None else stored_view(self.press.node.node, stored)


def run(folder: Path, *arguments: str) -> Result:
    """The command on this plant folder."""
    return CliRunner().invoke(app, [*arguments, "--plant", str(folder)])


@asynccontextmanager
async def floor_on(folder: Path, broker: Mosquitto) -> AsyncIterator[Floor]:
    """The bridge of a plant folder, connected to the broker, and the press with its arm, born."""
    plant, wire, stop = load_plant(folder), Wire(), asyncio.Event()
    store = open_store(plant)
    async with proxy_to(broker.port, wire.tap) as line:

        def link(
            asked: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
        ) -> BrokerLink:
            port = line.port if asked.client_id.endswith("-host") else broker.port
            reached = replace(asked, port=port, user=broker.user, password=lambda: broker.password)
            return PahoLink(reached, subscriptions, will, may_connect)

        odoo = MemoryOdoo(context=PlanContext(units={}, over=Decimal(0)))
        outside = Outside(store=store, odoo=odoo, link=link, clock=CLOCK)
        press = Press(replace(BASE, port=broker.port, user=broker.user, password=lambda: broker.password))
        floor = Floor(folder, store, press, wire)
        bridge = asyncio.create_task(Service(plant, outside, stage_s=2).run(stop))

        async def is_born() -> bool:
            view = await floor.view()
            return view is not None and view.phase == "online" and view.devices == {"arm": True}

        try:
            with capture_logs():  # the commands print beside it
                async with running(press.link.run(), press.run()):
                    await until(is_born, "the press and its arm are born", 10)
                    yield floor
                stop.set()
                await asyncio.wait_for(bridge, 10)
        finally:
            bridge.cancel()
            await asyncio.wait([bridge])
            await store.close()
