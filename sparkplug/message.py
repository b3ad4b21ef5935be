"""The messages of an edge node as the host's session takes them, already read from their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sparkplug.topic import DeviceVerb, NodeVerb
from sparkplug.wire.payload import Payload


@dataclass(frozen=True, slots=True)
class NodeBirth:
    """NBIRTH: a session begins, or a rebirth repeats its beginning."""

    payload: Payload
    received_ms: int


@dataclass(frozen=True, slots=True)
class NodeData:
    """NDATA: metrics of the node itself changed."""

    payload: Payload
    received_ms: int


@dataclass(frozen=True, slots=True)
class NodeDeath:
    """NDEATH: the session whose `bdSeq` it carries ended. It has no `seq`."""

    payload: Payload
    received_ms: int


@dataclass(frozen=True, slots=True)
class DeviceBirth:
    """DBIRTH: a device of the node is there."""

    payload: Payload
    received_ms: int
    device: str


@dataclass(frozen=True, slots=True)
class DeviceData:
    """DDATA: metrics of a device changed."""

    payload: Payload
    received_ms: int
    device: str


@dataclass(frozen=True, slots=True)
class DeviceDeath:
    """DDEATH: the node lost a device."""

    payload: Payload
    received_ms: int
    device: str


Sequenced: TypeAlias = NodeData | DeviceBirth | DeviceData | DeviceDeath
Message: TypeAlias = NodeBirth | NodeDeath | Sequenced


def node_message(verb: NodeVerb, payload: Payload, received_ms: int) -> Message | None:
    """The message of a node's topic; None for a command, which is not for hosts."""
    match verb:
        case NodeVerb.BIRTH:
            return NodeBirth(payload, received_ms)
        case NodeVerb.DATA:
            return NodeData(payload, received_ms)
        case NodeVerb.DEATH:
            return NodeDeath(payload, received_ms)
        case NodeVerb.COMMAND:
            return None


def device_message(verb: DeviceVerb, device: str, payload: Payload, received_ms: int) -> Sequenced | None:
    """The message of a device's topic; None for a command, which is not for hosts."""
    match verb:
        case DeviceVerb.BIRTH:
            return DeviceBirth(payload, received_ms, device)
        case DeviceVerb.DATA:
            return DeviceData(payload, received_ms, device)
        case DeviceVerb.DEATH:
            return DeviceDeath(payload, received_ms, device)
        case DeviceVerb.COMMAND:
            return None
