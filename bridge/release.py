"""Our own edge node: the open order releases as one DataSet metric, for those who read Sparkplug and no JSON topics.

The retained documents are the contract (docs/contract); this is the same list on the other side of the
namespace. The node is born with all open orders and publishes the whole list when one changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

import msgspec
import structlog

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, LinkDown, LinkUp, Message, Publication
from bridge.clock import Clock
from bridge.core.order import OrderBook
from bridge.core.topic import order_topic
from bridge.orders.record import OrderRecord
from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import DataSet, NodeId
from sparkplug.wire.datatype import Datatype

ORDERS_METRIC: Final = "Orders"
COLUMNS: Final = ("order", "name", "version", "status", "document")

log = structlog.get_logger()


def release_node(node: NodeId) -> EdgeNode:
    """The node with its one metric. It has no primary host: its list is for every reader."""
    edge = EdgeNode(node, primary_host=None, buffer_limit=0)  # a birth has the whole list: no history of it is kept
    edge.define_metrics([MetricDefinition(name=ORDERS_METRIC, datatype=Datatype.DATASET, value=_rows(()))])
    return edge


def open_releases(book: OrderBook, site: str) -> Iterator[Publication]:
    """The retained documents of the open orders that the broker had; the others wait in the outbox. Each is as it is
    when it is asked for: a later version must not be followed by an earlier one."""
    for order in book.open_orders():
        record = book.records.get(order)
        if record is not None and record.is_open and record.sent_ms is not None:
            payload = msgspec.json.encode(record.document)
            yield Publication(topic=order_topic(site, order), payload=payload, qos=1, retain=True)


class ReleaseSession:
    """Keeps the node's MQTT session and its list of orders."""

    def __init__(self, link: BrokerLink, node: EdgeNode, clock: Clock, records: Iterable[OrderRecord]) -> None:
        self._link = link
        self._node = node
        self._clock = clock
        self._open = {record.order: record for record in records if record.is_open}
        self._shown = _rows(())
        self._changed = asyncio.Event()
        self._changed.set()
        self._in_order = asyncio.Lock()

    def show(self, record: OrderRecord) -> None:
        """Take an order's new version into the list, or a closed one out of it."""
        if record.is_open:
            self._open[record.order] = record
        else:
            self._open.pop(record.order, None)
        self._changed.set()

    async def run(self) -> None:
        """Follow the session until cancelled."""
        while True:
            match await self._link.next_event():
                case LinkUp() as link_up:
                    await self._publish(partial(self._node.connected, link_up.at_ms))
                case LinkDown() as link_down:
                    self._node.disconnected(link_down.at_ms)
                case Message() as message:
                    await self._publish(
                        partial(self._node.receive, message.topic, message.payload, message.received_ms)
                    )
                    await self._link.acknowledge(message.token)

    async def send(self) -> None:
        """Publish the list after each change, until cancelled. Changes that come together are published once."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._publish(self._update)

    async def leave(self) -> None:
        """Publish NDEATH: the clean end of a session publishes no will."""
        await self._publish(lambda: self._node.leave(self._clock.now_ms()))

    def _update(self) -> tuple[EdgeOutput, ...]:
        rows = _rows(self._open.values())
        if rows == self._shown:
            return ()
        self._shown = rows
        return self._node.update(None, {ORDERS_METRIC: rows}, self._clock.now_ms())

    async def _publish(self, outputs: Callable[[], Iterable[EdgeOutput]]) -> None:
        """Ask the node and publish what it says before it is asked anew: its `seq` must arrive in order."""
        async with self._in_order:
            for output in outputs():
                if isinstance(output, Publish):
                    await self._publish_one(output)

    async def _publish_one(self, output: Publish) -> None:
        try:
            await self._link.publish(
                Publication(topic=output.topic, payload=output.payload, qos=output.qos, retain=output.retain)
            )
        except LinkLost as error:
            log.info("orders.publication_lost", topic=output.topic, reason=str(error))


def _rows(records: Iterable[OrderRecord]) -> DataSet:
    rows = tuple(
        (record.order, record.name, str(record.version), record.status, msgspec.json.encode(record.document).decode())
        for record in records
    )
    return DataSet(columns=COLUMNS, rows=rows)
