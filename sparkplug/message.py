"""The messages of an edge node as the host's session takes them, already read from their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from sparkplug.catalog import BD_SEQ
from sparkplug.finding import FindingName, Problem
from sparkplug.topic import DeviceTopic, DeviceVerb, NodeTopic, NodeVerb
from sparkplug.wire.payload import Payload, decode

REBIRTH: Final = "Node Control/Rebirth"
SEQ_MODULUS: Final = 256


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


def read_message(topic: NodeTopic | DeviceTopic, raw: bytes, received_ms: int) -> Message | None:
    """The message that came under a topic; None for a command, which is not for hosts. Raises `PayloadError`."""
    payload = decode(raw)
    if isinstance(topic, NodeTopic):
        return node_message(topic.verb, payload, received_ms)
    return device_message(topic.verb, topic.device, payload, received_ms)


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


def seq_of(payload: Payload) -> int | None:
    """The `seq` of a payload, None where there is none in 0 to 255."""
    return payload.seq if payload.seq is not None and payload.seq < SEQ_MODULUS else None


def bd_seq_of(payload: Payload) -> int | None:
    """The first `bdSeq` of a payload; some publishers repeat it on a rebirth, with another datatype."""
    for metric in payload.metrics:
        if metric.name == BD_SEQ and metric.field in ("int_value", "long_value"):
            bd_seq: int = metric.raw
            return bd_seq
    return None


def birth_problems(payload: Payload) -> list[Problem]:
    """What an NBIRTH lacks; none of it keeps the node from being online."""
    problems = []
    if payload.seq is None:
        problems.append(Problem(FindingName.SEQ_MISSING, "NBIRTH without seq"))
    elif payload.seq != 0:
        problems.append(Problem(FindingName.BIRTH_SEQ_NOT_ZERO, f"NBIRTH with seq {payload.seq}"))
    if bd_seq_of(payload) is None:
        problems.append(Problem(FindingName.BIRTH_BDSEQ_MISSING, "NBIRTH without bdSeq"))
    if all(metric.name != REBIRTH for metric in payload.metrics):
        problems.append(Problem(FindingName.BIRTH_REBIRTH_MISSING, f"NBIRTH without {REBIRTH}"))
    return problems
