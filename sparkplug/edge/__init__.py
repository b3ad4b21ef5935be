"""`EdgeNode`: an edge node of our own, with its devices. Called by the order-release node and by the plant simulator.

Connected, it waits until its primary host is online (if it has one), then publishes its births and after them what
it stored meanwhile, marked historical, in order. What is updated while it is not online is stored, up to a limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from sparkplug.catalog import BD_SEQ
from sparkplug.edge.origin import MetricDefinition, Origin, refuse_repeated
from sparkplug.errors import PayloadError, ValueUnreadable
from sparkplug.fact import ONLY_SERVER, NodeId, Value
from sparkplug.message import REBIRTH, SEQ_MODULUS
from sparkplug.topic import (
    NAMESPACE,
    DeviceTopic,
    DeviceVerb,
    NodeTopic,
    NodeVerb,
    StateTopic,
    device_topic,
    node_topic,
    parse_topic,
    state_topic,
)
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, decode, encode
from sparkplug.wire.state import decode_state
from sparkplug.wire.value import read_value

BD_SEQ_MODULUS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Ask the shell to publish."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Ask the shell to end the MQTT session cleanly and to make a new one, with a new will."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rebirthed:
    """A host asked for the births; they stand before this output."""

    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A host wrote a metric. Nothing is changed by it: the owner of the node answers with `update`."""

    device: str | None
    metric: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A message that cannot be followed."""

    topic: str
    reason: str


EdgeOutput: TypeAlias = Publish | Disconnect | Rebirthed | Written | Ignored


class _Phase(Enum):
    DISCONNECTED = "disconnected"
    WAITING = "waiting for the primary host"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class _Stored:
    device: str | None
    values: Mapping[str, Value]
    at_ms: int


class EdgeNode:
    """One edge node. `primary_host` None: it is online whenever it is connected.

    `next_bd_seq` is the `bdSeq` of the first CONNECT; `dropped` counts stored updates lost to `buffer_limit`.
    """

    def __init__(
        self, node: NodeId, *, primary_host: str | None, buffer_limit: int = 10_000, next_bd_seq: int = 0
    ) -> None:
        self.node = node
        self.next_bd_seq = next_bd_seq
        self.dropped = 0
        self._primary_host = primary_host
        self._node_metrics = Origin(())
        self._devices: dict[str, Origin] = {}
        self._phase = _Phase.DISCONNECTED
        self._bd_seq: int | None = None
        self._seq = 0
        self._server = ONLY_SERVER
        self._states_ms: dict[str, int] = {}  # the newest STATE of the primary host, by server
        self._stored: deque[_Stored] = deque()
        self._buffer_limit = buffer_limit

    @property
    def is_online(self) -> bool:
        """Whether the births are out and updates are published at once."""
        return self._phase is _Phase.ONLINE

    @property
    def stored(self) -> int:
        """How many updates wait for the primary host."""
        return len(self._stored)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Topic filters, at QoS 1: commands of the node and its devices, and the primary host's STATE."""
        group, node = self.node
        commands = (node_topic(NodeVerb.COMMAND, self.node), f"{NAMESPACE}/{group}/{DeviceVerb.COMMAND}/{node}/+")
        return commands if self._primary_host is None else (*commands, state_topic(self._primary_host))

    # What the owner of the node says

    def define_metrics(self, metrics: Iterable[MetricDefinition]) -> None:
        """Declare the node's own metrics, before `connected` or between sessions. Raises `ValueError` when online, and
        for a name or an alias that is taken."""
        declared = self._declared(None, metrics)
        refuse_repeated("metric", (BD_SEQ, REBIRTH, *declared.definitions))
        self._node_metrics = declared

    def define_device(self, device: str, metrics: Iterable[MetricDefinition]) -> None:
        """Declare a device and its metrics, before `connected` or between sessions. Raises `ValueError` when online,
        and for a name or an alias that is taken."""
        device_topic(DeviceVerb.BIRTH, self.node, device)
        refuse_repeated("device", {*self._devices, device})
        self._devices[device] = self._declared(device, metrics)

    def update(self, device: str | None, values: Mapping[str, Value], at_ms: int) -> tuple[EdgeOutput, ...]:
        """Metrics changed. Published when online, else stored. Raises `ValueError` for what was not declared,
        and changes nothing then."""
        origin = self._origin(device)
        unknown = sorted(set(values) - set(origin.definitions))
        if unknown:
            raise ValueError(f"{self.node} {device or ''} declares no {unknown}")
        encode(timestamp_ms=at_ms, seq=None, metrics=origin.typed(values, at_ms, False))  # a misfit must not be kept
        origin.change(values, at_ms)
        if self._phase is _Phase.ONLINE and origin.there:
            return (self._data(device, values, at_ms, now_ms=at_ms),)
        self._stored.append(_Stored(device, dict(values), at_ms))
        if len(self._stored) > self._buffer_limit:
            self._stored.popleft()
            self.dropped += 1
        return ()

    def device_lost(self, device: str, at_ms: int) -> tuple[EdgeOutput, ...]:
        """The node lost a device: DDEATH. Its updates are stored until it is found again."""
        origin = self._origin(device)
        was_there, origin.there = origin.there, False
        if self._phase is not _Phase.ONLINE or not was_there:
            return ()
        return (self._publish_device(DeviceVerb.DEATH, device, [], at_ms),)

    def device_found(self, device: str, at_ms: int) -> tuple[EdgeOutput, ...]:
        """The node found a device again: DBIRTH, and what was stored for it."""
        origin = self._origin(device)
        was_there, origin.there = origin.there, True
        if self._phase is not _Phase.ONLINE or was_there:
            return ()
        return (self._publish_device(DeviceVerb.BIRTH, device, origin.declared(at_ms), at_ms), *self._flush(at_ms))

    # What the shell says

    def will(self, now_ms: int) -> tuple[str, bytes]:
        """NDEATH, to be left as the will (QoS 1, not retained) of a CONNECT that is made now. Each call counts one
        `bdSeq` on (`tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq`)."""
        self._bd_seq = self.next_bd_seq
        self.next_bd_seq = (self._bd_seq + 1) % BD_SEQ_MODULUS
        return node_topic(NodeVerb.DEATH, self.node), self._death(now_ms)

    def connected(self, now_ms: int, server: str = ONLY_SERVER) -> tuple[EdgeOutput, ...]:
        """The MQTT session is up and subscribed, on this server. Raises `ValueError` when no will was made for it."""
        if self._bd_seq is None:
            raise ValueError("a session needs its will first")
        self._server = server
        self._phase = _Phase.WAITING
        return self._come_online(now_ms) if self._primary_host is None else ()

    def disconnected(self, now_ms: int) -> tuple[EdgeOutput, ...]:
        """The MQTT session is down; the broker publishes the will."""
        self._phase = _Phase.DISCONNECTED
        return ()

    def leave(self, now_ms: int) -> tuple[EdgeOutput, ...]:
        """Before a clean DISCONNECT: NDEATH (`tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath`)."""
        was_online = self._phase is _Phase.ONLINE
        self._phase = _Phase.DISCONNECTED
        return (self._publish_death(now_ms),) if was_online else ()

    def receive(self, topic: str, payload: bytes, now_ms: int) -> tuple[EdgeOutput, ...]:
        """Take a message of the subscriptions. Never raises for what a peer did."""
        parsed = parse_topic(topic)
        try:
            match parsed:
                case StateTopic(host_id) if host_id == self._primary_host:
                    return self._host_state(payload, now_ms)
                case NodeTopic(verb=NodeVerb.COMMAND, node=node) if node == self.node:
                    return self._command(topic, None, self._node_metrics, payload, now_ms)
                case DeviceTopic(verb=DeviceVerb.COMMAND, node=node, device=device) if node == self.node:
                    if device not in self._devices:
                        return (Ignored(topic=topic, reason=f"no device {device!r} here"),)
                    return self._command(topic, device, self._devices[device], payload, now_ms)
                case _:
                    return (Ignored(topic=topic, reason="not for this node"),)
        except PayloadError as error:
            return (Ignored(topic=topic, reason=str(error)),)

    # Inside

    def _host_state(self, raw: bytes, now_ms: int) -> tuple[EdgeOutput, ...]:
        """STATE of the primary host; an older one than the last of this server is of the past
        (`tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp`)."""
        state = decode_state(raw)
        if state.timestamp_ms < self._states_ms.get(self._server, 0):
            return ()
        self._states_ms[self._server] = state.timestamp_ms
        if state.online:
            return self._come_online(now_ms) if self._phase is _Phase.WAITING else ()
        if self._phase is not _Phase.ONLINE:
            return ()
        self._phase = _Phase.WAITING
        return self._publish_death(now_ms), Disconnect(f"the primary host {self._primary_host} is offline")

    def _command(
        self, topic: str, device: str | None, origin: Origin, raw: bytes, now_ms: int
    ) -> tuple[EdgeOutput, ...]:
        outputs: list[EdgeOutput] = []
        for metric in decode(raw).metrics:
            if device is None and metric.name == REBIRTH:
                if metric.raw is True and self._phase is _Phase.ONLINE:
                    outputs += [*self._births(now_ms), Rebirthed(self.node)]
                continue
            definition = origin.find(metric)
            if definition is None:
                outputs.append(Ignored(topic=topic, reason=f"no metric {metric.name or metric.alias!r} here"))
                continue
            try:
                value = read_value(definition.datatype, metric.field or "", metric.raw, {}) if metric.field else None
            except ValueUnreadable as error:
                outputs.append(Ignored(topic=topic, reason=f"{definition.name}: {error}"))
                continue
            outputs.append(Written(device=device, metric=definition.name, value=value))
        return tuple(outputs)

    def _come_online(self, now_ms: int) -> tuple[EdgeOutput, ...]:
        self._phase = _Phase.ONLINE
        return (*self._births(now_ms), *self._flush(now_ms))

    def _births(self, now_ms: int) -> list[EdgeOutput]:
        """NBIRTH, then each DBIRTH, in this session's `bdSeq`; `seq` begins anew."""
        self._seq = 0
        metrics = [
            TypedMetric(name=BD_SEQ, datatype=Datatype.INT64, value=self._bd_seq, at_ms=now_ms),
            TypedMetric(name=REBIRTH, datatype=Datatype.BOOLEAN, value=False, at_ms=now_ms),
            *self._node_metrics.declared(now_ms),
        ]
        devices = [(name, origin) for name, origin in self._devices.items() if origin.there]
        return [
            self._publish_node(NodeVerb.BIRTH, metrics, now_ms),
            *(self._publish_device(DeviceVerb.BIRTH, name, o.declared(now_ms), now_ms) for name, o in devices),
        ]

    def _flush(self, now_ms: int) -> list[EdgeOutput]:
        """What was stored, marked historical, in order; that of lost devices stays stored."""
        held: deque[_Stored] = deque()
        outputs: list[EdgeOutput] = []
        for stored in self._stored:
            if self._origin(stored.device).there:
                outputs.append(self._data(stored.device, stored.values, stored.at_ms, now_ms, historical=True))
            else:
                held.append(stored)
        self._stored = held
        return outputs

    def _data(
        self, device: str | None, values: Mapping[str, Value], at_ms: int, now_ms: int, historical: bool = False
    ) -> Publish:
        metrics = self._origin(device).typed(values, at_ms, historical)
        if device is None:
            return self._publish_node(NodeVerb.DATA, metrics, now_ms)
        return self._publish_device(DeviceVerb.DATA, device, metrics, now_ms)

    def _publish_node(self, verb: NodeVerb, metrics: list[TypedMetric], now_ms: int) -> Publish:
        return Publish(topic=node_topic(verb, self.node), payload=self._encode(metrics, now_ms))

    def _publish_device(self, verb: DeviceVerb, device: str, metrics: list[TypedMetric], now_ms: int) -> Publish:
        return Publish(topic=device_topic(verb, self.node, device), payload=self._encode(metrics, now_ms))

    def _encode(self, metrics: list[TypedMetric], now_ms: int) -> bytes:
        """Takes the next `seq`: one count for the node and all its devices."""
        payload = encode(timestamp_ms=now_ms, seq=self._seq, metrics=metrics)
        self._seq = (self._seq + 1) % SEQ_MODULUS
        return payload

    def _publish_death(self, now_ms: int) -> Publish:
        return Publish(topic=node_topic(NodeVerb.DEATH, self.node), payload=self._death(now_ms), qos=1)

    def _death(self, now_ms: int) -> bytes:
        metric = TypedMetric(name=BD_SEQ, datatype=Datatype.INT64, value=self._bd_seq, at_ms=now_ms)
        return encode(timestamp_ms=now_ms, seq=None, metrics=[metric])

    def _origin(self, device: str | None) -> Origin:
        if device is None:
            return self._node_metrics
        if device not in self._devices:
            raise ValueError(f"{self.node} has no device {device!r}")
        return self._devices[device]

    def _declared(self, device: str | None, metrics: Iterable[MetricDefinition]) -> Origin:
        """What the node (None) or a device is to declare, in place of what it declared before."""
        if self._phase is _Phase.ONLINE:
            raise ValueError(f"{self.node} is online; what it declares is fixed until its session ends")
        declared = Origin(metrics)
        for name, other in ((None, self._node_metrics), *self._devices.items()):
            if name != device and (shared := sorted(declared.aliases & other.aliases)):
                raise ValueError(f"{self.node}: {device or 'the node'} and {name or 'the node'} share aliases {shared}")
        return declared
