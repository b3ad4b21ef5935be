"""The MQTT session of one simulated edge node: births, data, deaths, and store and forward.

`sparkplug.edge.EdgeNode` decides, this carries out. What was handed to a session that ended before it could arrive
is stored again and comes back marked historical. At QoS 0 nobody knows what of it arrived: a node with `resend_ms`
sends again all that it sent so shortly before its host or its link was lost, so that a cut at any moment loses
nothing; some of it comes twice. Of several servers it is on one at a time, and goes on to the next when its host is
offline there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from bridge.broker.edge_will import EdgeWill
from bridge.broker.errors import LinkLost
from bridge.broker.link import (
    BrokerLink,
    LinkDown,
    LinkEvent,
    LinkSettings,
    LinkUp,
    MayConnect,
    Message,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.clock import Clock
from sparkplug.edge import Disconnect, EdgeNode, EdgeOutput, Publish, Rebirthed, Written
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import DataSet, NodeId, Value
from sparkplug.wire.datatype import Datatype

LinkFactory: TypeAlias = Callable[[LinkSettings, Subscriptions, WillSource, MayConnect], BrokerLink]

BUFFER_LIMIT: Final = 50_000
"""Updates that a node stores while its primary host is away: half an hour of the demonstration's busiest node."""
LEAVE_TIMEOUT_S: Final = 2.0
PATIENCE_S: Final = 5.0
"""How long a node waits for its host on one of several servers before it tries the next."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    device: str | None
    values: Mapping[str, Value]
    at_ms: int


def define_node(
    node: NodeId,
    origins: Mapping[str | None, Mapping[str, Value]],
    *,
    primary_host: str | None,
    buffer_limit: int = BUFFER_LIMIT,
) -> EdgeNode:
    """An edge node with these metrics of its own (under None) and of its devices. Datatypes follow the values."""
    edge = EdgeNode(node, primary_host=primary_host, buffer_limit=buffer_limit)
    alias = 0
    for device, metrics in origins.items():
        definitions = []
        for name, value in metrics.items():
            alias += 1
            definitions.append(MetricDefinition(name=name, datatype=_datatype(value), value=value, alias=alias))
        if device is None:
            edge.define_metrics(definitions)
        else:
            edge.define_device(device, definitions)
    return edge


class EdgeSession:
    """One edge node on its own link.

    `others`: further servers, besides `broker`. `data_dir`: where its `bdSeq` is kept over restarts, if it is.
    """

    def __init__(
        self,
        node: EdgeNode,
        *,
        broker: LinkSettings,
        others: Sequence[LinkSettings] = (),
        link: LinkFactory,
        clock: Clock,
        resend_ms: int = 0,
        patience_s: float = PATIENCE_S,
        data_dir: Path | None = None,
    ) -> None:
        self._node = node
        self._clock = clock
        self._resend_ms = resend_ms
        self._unsent: deque[_Update] = deque(maxlen=BUFFER_LIMIT)
        self._sent: deque[tuple[int, _Update]] = deque(maxlen=BUFFER_LIMIT)
        self._turn = asyncio.Lock()
        self._servers = (broker, *others)
        self._patience_s = patience_s if others else None
        self._new_link = link
        self._will = EdgeWill(node, clock, data_dir)
        self._link = self._link_to(broker)
        self._leaving = False
        self._told_dropped = 0

    @property
    def node(self) -> EdgeNode:
        return self._node

    async def run(self) -> None:
        """Keep the session until cancelled; the node then says its death."""
        for server in cycle(self._servers):
            self._link, self._leaving = self._link_to(server), False
            async with asyncio.TaskGroup() as tasks:
                link = tasks.create_task(self._link.run(), name=f"link-{self._node.node}")
                try:
                    await self._stay(f"{server.host}:{server.port}")
                finally:
                    await self._leave()
                    link.cancel()

    async def report(self, device: str | None, values: Mapping[str, Value], at_ms: int) -> None:
        """Metrics changed. Published now, or stored until the primary host is there."""
        async with self._turn:
            self._unsent.append(_Update(device=device, values=values, at_ms=at_ms))
            await self._carry_out(self._node.update(device, values, at_ms))

    async def _stay(self, server: str) -> None:
        """Work on one server until the next is to be tried: the host is offline there, or not heard of in time."""
        until_s = self._patience_end_s()
        while not self._leaving:
            was_online = self._node.is_online
            try:
                async with asyncio.timeout_at(None if was_online else until_s):
                    event = await self._link.next_event()
            except TimeoutError:
                return
            async with self._turn:
                await self._take(event, server)
            if was_online:
                until_s = self._patience_end_s()

    def _patience_end_s(self) -> float | None:
        return None if self._patience_s is None else asyncio.get_running_loop().time() + self._patience_s

    async def _take(self, event: LinkEvent, server: str) -> None:
        match event:
            case LinkUp():
                await self._carry_out(self._node.connected(self._clock.now_ms(), server))
            case LinkDown(reason=reason):
                log.info("edge.link_down", node=str(self._node.node), reason=reason)
                self._store_again()
            case Message():
                await self._receive(event)

    async def _receive(self, message: Message) -> None:
        was_online = self._node.is_online
        outputs = self._node.receive(message.topic, message.payload, self._clock.now_ms())
        if was_online and not self._node.is_online:
            self._take_back()
        await self._carry_out(outputs)
        await self._link.acknowledge(message.token)

    async def _carry_out(self, outputs: Iterable[EdgeOutput]) -> None:
        """Publish in order. Where the link is lost in between, all that was not known to be sent is stored again."""
        try:
            for output in outputs:
                match output:
                    case Publish():
                        await self._link.publish(
                            Publication(
                                topic=output.topic, payload=output.payload, qos=output.qos, retain=output.retain
                            )
                        )
                    case Disconnect(reason=reason):
                        log.info("edge.host_lost", node=str(self._node.node), reason=reason)
                        self._leaving = self._patience_s is not None
                        if not self._leaving:
                            await self._link.drop()
                    case Rebirthed() if self._resend_ms:
                        # The host was away although STATE did not say so: a broker that is killed publishes no will.
                        log.info("edge.host_was_away", node=str(self._node.node))
                        await self._link.drop()
                    case Written(metric=metric):
                        log.info("edge.write_ignored", node=str(self._node.node), metric=metric)
                    case _:
                        pass
        except LinkLost:
            self._store_again()
        else:
            if self._node.is_online:
                self._note_sent()

    def _note_sent(self) -> None:
        """All was handed to the session; what was so long ago has arrived. What did not fit into the store is told."""
        now_ms = self._clock.now_ms()
        self._sent.extend((now_ms, update) for update in self._unsent)
        self._unsent.clear()
        while self._sent and self._sent[0][0] <= now_ms - self._resend_ms:
            self._sent.popleft()
        if dropped := self._node.dropped - self._told_dropped:
            self._told_dropped += dropped
            log.warning("edge.history_dropped", node=str(self._node.node), updates=dropped)

    def _store_again(self) -> None:
        """The session is over. A node that was online had handed out all that it stored."""
        was_online = self._node.is_online
        self._node.disconnected(self._clock.now_ms())
        if was_online:
            self._take_back()

    def _take_back(self) -> None:
        """Store what may not have arrived."""
        self._unsent.extendleft(update for _, update in reversed(self._sent))
        self._sent.clear()
        for update in tuple(self._unsent):
            self._node.update(update.device, update.values, update.at_ms)

    async def _leave(self) -> None:
        self._leaving = True
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                async with self._turn:
                    await self._carry_out(self._node.leave(self._clock.now_ms()))
        except TimeoutError:
            log.info("edge.left_without_death", node=str(self._node.node))

    def _link_to(self, server: LinkSettings) -> BrokerLink:
        client_id = f"{server.client_id}-{self._node.node.group}-{self._node.node.node}"
        settings = replace(server, client_id=client_id, clean=True, will_at_end=True)
        subscriptions = [Subscription(filter=filter, qos=1) for filter in self._node.subscriptions]
        return self._new_link(settings, subscriptions, self._will, self._may_connect)

    async def _may_connect(self) -> bool:
        return not self._leaving


def _datatype(value: Value) -> Datatype:
    match value:
        case bool():
            return Datatype.BOOLEAN
        case int():
            return Datatype.INT64
        case float():
            return Datatype.DOUBLE
        case DataSet():
            return Datatype.DATASET
        case _:
            return Datatype.STRING
