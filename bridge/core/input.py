"""Everything that enters the core, and everything that the core asks of its shell.

Inputs are plain values with no clock in them: `step` takes the time beside them. A recording of inputs and
times gives the same commits again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from bridge.master.book import MasterRead
from bridge.orders.record import OrderRecord
from bridge.plant import Content
from odoo_adapter.odoo import OrdersRead, Outcome, Standing
from sparkplug.fact import ONLY_SERVER, NodeId, Origin
from state.entry import Entry


class Destination(StrEnum):
    """Where an outbox entry goes."""

    ODOO = "odoo"
    BROKER = "broker"


@dataclass(frozen=True, slots=True)
class Started:
    """The process began with what the store held. The first input of every run."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; due timers fire."""


@dataclass(frozen=True, slots=True)
class StoodStill:
    """The process did nothing for a while, though its sessions may live on: what waited in them comes all at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConnected:
    """The host's MQTT session on a server is up. `will_ms` is the timestamp of its will."""

    server: str = ONLY_SERVER
    will_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDisconnected:
    """The host's MQTT session on a server ended."""

    server: str = ONLY_SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugMessage:
    """A message of the host's session on a server."""

    topic: str
    payload: bytes
    retain: bool
    server: str = ONLY_SERVER


@dataclass(frozen=True, slots=True)
class UnsDocument:
    """A JSON document of the persistent session."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class OrdersArrived:
    """What the order poller read."""

    read: OrdersRead


@dataclass(frozen=True, slots=True)
class MasterArrived:
    """What the master data poller read; where it publishes, the namespace has it already."""

    read: MasterRead


@dataclass(frozen=True, slots=True)
class Claim:
    """The delivery to this destination is idle and asks for work."""

    destination: Destination
    limit: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a batch, one outcome per entry."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """The batch as a whole had no outcome. `uncertain` tells that something may have been written."""

    keys: tuple[str, ...]
    reason: str
    uncertain: bool
    retry_after_ms: int | None = None


class ActKind(StrEnum):
    """What a person may do with entries."""

    REPLAY = "replay"
    SKIP = "skip"
    RELEASE = "release"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """A person's act on entries. `id` names it in the store, so that the commit can tick it off. `corrected` are the
    values of a correction, by their names, as they were written."""

    id: str
    kind: ActKind
    keys: tuple[str, ...]
    by: str
    reason: str
    corrected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebirthWanted:
    """A person wants a node's births. Void after `until_ms`: nothing happens in a plant that nobody waits for."""

    id: str
    node: NodeId
    by: str
    reason: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteWanted:
    """A person wants a metric written: `value` as they wrote it. Void after `until_ms`."""

    id: str
    origin: Origin
    metric: str
    value: str
    by: str
    reason: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Promoted:
    """This version of the plant's content is live from now on."""

    content: Content


@dataclass(frozen=True, slots=True)
class Shadowed:
    """This version runs beside the live one from now on; None: none does."""

    content: Content | None


FromPerson: TypeAlias = Acted | RebirthWanted | WriteWanted
FromVersions: TypeAlias = Promoted | Shadowed
FromPlant: TypeAlias = HostConnected | HostDisconnected | SparkplugMessage | UnsDocument
FromDelivery: TypeAlias = Claim | Outcomes | Setback
OfProcess: TypeAlias = Started | StoodStill | Tick
Input: TypeAlias = OfProcess | FromPlant | FromDelivery | OrdersArrived | MasterArrived | FromPerson | FromVersions


@dataclass(frozen=True, slots=True)
class Command:
    """Publish a Sparkplug command (QoS 0, not retained) on the host's session on a server."""

    topic: str
    payload: bytes
    server: str = ONLY_SERVER


@dataclass(frozen=True, slots=True)
class AnnounceHost:
    """Publish the host's STATE as online on a server, if its session is still the one with the will of `will_ms`."""

    server: str
    will_ms: int


@dataclass(frozen=True, slots=True)
class ReconnectHost:
    """End the host's session on a server, if it is still the one with the will of `will_ms`, and begin another, whose
    will is later than `after_ms`."""

    server: str
    will_ms: int
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Deliver these claimed entries, in order. `standings` is what our postings left on their orders, by lane;
    `stored_in_s` is how long it took to store the claim, by a time that nobody sets."""

    destination: Destination
    entries: tuple[Entry, ...]
    standings: Mapping[str, Standing] = field(default_factory=dict)
    stored_in_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ShowOrder:
    """Put this order on our own edge node."""

    record: OrderRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something for the log and for people. `level` is `info`, `warning` or `alert` (a person must act)."""

    level: str
    name: str
    fields: Mapping[str, str | int | float | None]


Request: TypeAlias = Command | AnnounceHost | ReconnectHost | Send | ShowOrder | Notice
