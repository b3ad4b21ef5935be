"""The bridge of a plant in this process: its core, a store in memory, its real way to Odoo, and a clock that only a
test moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from bridge.core.input import (
    Claim,
    Command,
    Destination,
    HostConnected,
    Input,
    Notice,
    OrdersArrived,
    Outcomes,
    Request,
    Send,
    SparkplugMessage,
    Started,
    Tick,
)
from bridge.core.posting import Publishing
from bridge.core.site import restore, take_changes
from bridge.delivery import Carrier, OdooCarrier
from bridge.orders.record import OrderRecord
from bridge.pipeline import step
from bridge.plant import Plant
from bridge.wiring import new_core
from odoo_adapter.odoo import Applied, Odoo, OrdersRead, Receipt
from ruleset.sample import Plain
from ruleset.transaction import decode
from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from state.entry import Entry
from state.entry import decode as decode_entry
from state.memory_store import MemoryStore
from state.record import Commit, Table
from state.store import Lease

SETTLED_MS = 5_000
"""After a start the rules see what was said once nothing more has come for a while."""


class Clock:
    """Stands still until a test moves it."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        self._now_ms = now_ms


class Namespace:
    """The broker, as far as it keeps what the bridge publishes; a `Carrier`."""

    destination = Destination.BROKER
    batch = 50

    def __init__(self) -> None:
        self.retained: dict[str, dict[str, Plain]] = {}

    async def carry(self, send: Send) -> Sequence[Input]:
        for entry in send.entries:
            publishing = msgspec.json.decode(entry.body, type=Publishing)
            if publishing.document is None:
                self.retained.pop(publishing.topic, None)
            else:
                self.retained[publishing.topic] = publishing.document
        published = Receipt(model="mqtt", id=0, details={})
        return [Outcomes(tuple(Applied(key=entry.key, receipt=published) for entry in send.entries))]

    async def mended(self) -> bool:
        return False


class Bridge:
    """One life of the bridge. What it was told is committed, posted and published when `take` returns."""

    def __init__(
        self, plant: Plant, *, odoo: Odoo, clock: Clock, nodes: Iterable[EdgeNode], product_suffix: str
    ) -> None:
        settings = plant.settings.odoo
        self.namespace = Namespace()
        self.notices: list[Notice] = []
        self.posted: list[str] = []
        """The actions that stand in Odoo by this bridge, in order."""
        self._plant = plant
        self._odoo = odoo
        self._clock = clock
        self._nodes = tuple(nodes)
        self._product_suffix = product_suffix
        self._core = new_core(plant)
        self._store = MemoryStore(clock=clock.now_ms, weaknesses=())
        self._lease: Lease | None = None
        self._number = 0
        to_odoo = OdooCarrier(
            odoo,
            batch=settings.batch,
            per_second=settings.calls_per_second,
            checked=lambda info: None,
            server_limit_ms=settings.server_limit_ms if settings.may_look_first else 0,
        )
        self._carriers: tuple[Carrier, ...] = (to_odoo, self.namespace)

    async def start(self, *, unnoticed: bool = False) -> None:
        """Take up what the store holds, and hear the births of the plant's edge nodes, where they notice."""
        self._lease = await self._store.acquire("scenario", ttl_ms=10**12)
        stored = await self._store.load()
        self._core, self._number = new_core(self._plant), stored.number
        restore(self._core, stored.records)
        await self.take(Started(), HostConnected())
        for node in () if unnoticed else self._nodes:
            node.disconnected(self._clock.now_ms())
            node.will(self._clock.now_ms())
            await self.hear(node.connected(self._clock.now_ms()))
        await self.wait(SETTLED_MS)

    async def restarts(self, *, unnoticed: bool = False) -> None:
        """The process is killed and begins again from its store; the edge nodes are born anew, or go on with data."""
        await self.start(unnoticed=unnoticed)

    async def take(self, *entering: Input) -> None:
        """Take inputs, commit, and deliver until there is nothing to deliver now."""
        for entered in entering:
            await self._step(entered)
        while self._core.has_sendable(self._clock.now_ms()):
            sent = [await self._deliver(carrier) for carrier in self._carriers]
            if not any(sent):
                return

    async def hear(self, outputs: Iterable[EdgeOutput]) -> None:
        """Take what an edge node publishes."""
        for output in outputs:
            if isinstance(output, Publish):
                await self.take(SparkplugMessage(topic=output.topic, payload=output.payload, retain=output.retain))

    async def wait(self, ms: int) -> None:
        """Let time pass, and do what becomes due."""
        until_ms = self._clock.now_ms() + ms
        while (due_ms := self._core.next_due_ms(self._clock.now_ms())) is not None and due_ms <= until_ms:
            self._clock.move_to(max(self._clock.now_ms() + 1, due_ms))
            await self.take(Tick())
        self._clock.move_to(until_ms)
        await self.take(Tick())

    async def poll(self) -> None:
        """Ask Odoo which orders changed. Of a database that others use too, only this plant's products count."""
        read = await self._odoo.read_orders(self._core.book.cursor)
        own = tuple(one for one in read.orders if self._is_own(one.order, one.document.get("product")))
        await self.take(OrdersArrived(OrdersRead(orders=own, cursor=read.cursor)))

    async def released_by(self) -> set[tuple[str, str]]:
        """The versions of the rules that decided what stands in Odoo, and who approved them."""
        entries = [decode_entry(body) for body in (await self._store.read(Table.DONE)).values()]
        posted = [decode(entry.body).provenance for entry in entries if entry.destination == Destination.ODOO]
        return {(each.release, each.approved_by) for each in posted}

    def knows(self, order: str) -> bool:
        """Whether Odoo has told of this order."""
        return order in self._core.book.records

    def record(self, order: str) -> OrderRecord:
        """What the bridge knows of a release."""
        return self._core.book.records[order]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is not done yet: waiting, held and dead."""
        return self._core.outbox.entries()

    def _is_own(self, order: str, product: Plain) -> bool:
        code = str(product.get("code", "")) if isinstance(product, dict) else ""
        return self.knows(order) or code.endswith(self._product_suffix)

    async def _step(self, entered: Input) -> tuple[Request, ...]:
        actions = {entry.key: entry.action for entry in self._core.outbox.entries()}
        requests = step(self._core, entered, self._clock.now_ms())
        await self._commit()
        for request in requests:
            if isinstance(request, Command):
                for node in self._nodes:
                    await self.hear(node.receive(request.topic, request.payload, self._clock.now_ms()))
            elif isinstance(request, Notice):
                self.notices.append(request)
                if request.name == "entry.delivered":
                    self.posted.append(actions[str(request.fields["key"])])
        return requests

    async def _deliver(self, carrier: Carrier) -> bool:
        """Let a carrier have what it may have now. Whether there was anything."""
        sends = [one for one in await self._step(Claim(carrier.destination, carrier.batch)) if isinstance(one, Send)]
        for send in sends:
            for outcome in await carrier.carry(send):
                await self._step(outcome)
        return bool(sends)

    async def _commit(self) -> None:
        assert self._lease is not None
        if changes := take_changes(self._core):
            self._number += 1
            await self._store.commit(self._lease, Commit(number=self._number, puts=changes))
