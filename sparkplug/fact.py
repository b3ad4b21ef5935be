"""What the host application tells the next stage (facts) and asks of its shell (requests).

`HostApplication` returns these in the order in which they must happen. They are plain values: a recording
of the messages gives the same tuple again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import msgspec

ONLY_SERVER: Final = ""
"""The name of the MQTT server where there is only one."""
LAST_AT_MS: Final = 253_402_214_399_999  # the last day but one of 9999: ahead of UTC a later moment fits no datetime
"""No message tells a later moment."""

Scalar: TypeAlias = bool | int | float | str | bytes


class NodeId(NamedTuple):
    """An edge node: its group and its edge node id, unique in one MQTT infrastructure."""

    group: str
    node: str

    def __str__(self) -> str:
        return f"{self.group}/{self.node}"


class Origin(NamedTuple):
    """Where a metric comes from: an edge node, or one of its devices (`device` is None for the node itself)."""

    group: str
    node: str
    device: str | None

    @property
    def node_id(self) -> NodeId:
        return NodeId(self.group, self.node)

    def __str__(self) -> str:
        return "/".join(part for part in self if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A Sparkplug DataSet: rows of cells under named columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template instance or definition: its members by name. `ref` names the definition of an instance.

    An instance in data may hold only the members that changed; the host does not add the others.
    """

    ref: str | None
    is_definition: bool
    members: Mapping[str, Value]


Value: TypeAlias = "Scalar | tuple[Scalar, ...] | DataSet | Template | None"


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One metric of one message, its alias resolved and its value decoded.

    `at_ms` is the metric's own timestamp, else the payload's, else the time of receipt. `value` is None
    where the metric is null. `quality` is the metric's Quality property (0 bad, 192 good, 500 stale), None
    where it has none. A `Struct`, because ten are made per message: 0.4 us each where a dataclass took 4.6.
    """

    metric: str
    value: Value
    at_ms: int
    historical: bool = False
    transient: bool = False
    quality: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOnline:
    """A valid NBIRTH began a session. The readings of the birth follow as `DataRead`."""

    node: NodeId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOffline:
    """The session ended: NDEATH, a lost gap, or the host itself went away. Everything of the node is stale."""

    node: NodeId
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOnline:
    """A valid DBIRTH. The readings of the birth follow as `DataRead`."""

    origin: Origin
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOffline:
    """A DDEATH, or the death of the device's node."""

    origin: Origin
    at_ms: int
    reason: str


class DataRead(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of one message of one origin, in the payload's order.

    `birth` tells that they are the full present state, not only what changed.
    """

    origin: Origin
    readings: tuple[Reading, ...]
    at_ms: int
    seq: int | None
    birth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a peer did against the standard. `name` is from a closed list (`sparkplug.finding`).

    `times` is how often it came since it was last told, this one included.
    """

    node: NodeId
    name: str
    text: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class RequestRebirth:
    """Ask the shell to publish NCMD Node Control/Rebirth to this node, once, on the MQTT server where it lives.

    `not_before_ms` is for the host, which lets a session's request wait until then: the shell gets it when it is due.
    """

    node: NodeId
    reason: str
    server: str = ONLY_SERVER
    not_before_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWrite:
    """Ask the shell to publish a command that writes one metric, once, on the MQTT server where its node lives.

    `datatype` is in the standard's words.
    """

    topic: str
    payload: bytes
    datatype: str
    server: str = ONLY_SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishState:
    """Ask the shell to publish this host's birth (STATE online, retained, QoS 1) on this server's session.

    `at_ms` is the birth's timestamp, that of the session's will.
    """

    server: str = ONLY_SERVER
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect:
    """Ask the shell to end the session that began with the will of `at_ms` on this server, and to begin another, whose
    will is later than `after_ms` whatever the clock says."""

    server: str = ONLY_SERVER
    at_ms: int
    after_ms: int = 0
    reason: str


Fact: TypeAlias = NodeOnline | NodeOffline | DeviceOnline | DeviceOffline | DataRead | Finding
Request: TypeAlias = RequestRebirth | RequestWrite | PublishState | Reconnect
Output: TypeAlias = Fact | Request
