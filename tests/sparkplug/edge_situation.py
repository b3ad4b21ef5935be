"""Edge nodes of our own in named situations, and what a host application makes of what they send."""

from __future__ import annotations

from collections.abc import Iterable

from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import (
    Output,
)
from sparkplug.host import HostApplication
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, encode_state
from tests.sparkplug.situation import NODE

STATE = "spBv1.0/STATE/berlin"
ONLINE = encode_state(HostState(True, 100))


def press(primary_host: str | None = "berlin", buffer_limit: int = 10_000) -> EdgeNode:
    """The node with `speed` and its device with `force` (by alias), defined and not connected."""
    edge = EdgeNode(NODE, primary_host=primary_host, buffer_limit=buffer_limit)
    edge.define_metrics([MetricDefinition(name="speed", datatype=Datatype.INT32, value=10)])
    edge.define_device("arm", [MetricDefinition(name="force", datatype=Datatype.INT32, value=20, alias=5)])
    return edge


def waiting() -> EdgeNode:
    """Connected at 50 ms, its primary host not heard of yet."""
    edge = press()
    edge.will(40)
    edge.connected(50)
    return edge


def online() -> EdgeNode:
    """Connected, and born at 60 ms, when its primary host said that it is online since 100 ms."""
    edge = waiting()
    edge.receive(STATE, ONLINE, 60)
    return edge


def verbs(outputs: Iterable[EdgeOutput]) -> list[str]:
    return [output.topic.split("/")[2] for output in outputs if isinstance(output, Publish)]


def seqs(outputs: Iterable[EdgeOutput]) -> list[int | None]:
    return [decode(output.payload).seq for output in outputs if isinstance(output, Publish)]


def heard(*outputs: EdgeOutput) -> tuple[Output, ...]:
    """What the host application makes of it."""
    host = HostApplication("berlin")
    host.connected(0, will_ms=0)
    heard: list[Output] = []
    for output in outputs:
        assert isinstance(output, Publish)
        heard += host.receive(output.topic, output.payload, retain=output.retain, now_ms=1_000)
    return tuple(heard)
