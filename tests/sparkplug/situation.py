"""Situations for the tests of `sparkplug`: the node `plant/press`, its device `arm`, and the messages they send."""

from __future__ import annotations

from sparkplug.fact import NodeId, Origin, Reading, Value
from sparkplug.message import DeviceBirth, DeviceData, DeviceDeath, NodeBirth, NodeData, NodeDeath
from sparkplug.session import NodeSession, SessionSettings
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, decode, encode

NODE = NodeId("plant", "press")
PRESS = Origin("plant", "press", None)
ARM = Origin("plant", "press", "arm")
SENT_MS = 1_700_000_000_000
BD_SEQ = 7
SPEED_ALIAS = 1
FORCE_ALIAS = 2


def declared(name: str, datatype: Datatype, value: Value, alias: int | None = None) -> TypedMetric:
    """A metric of a birth."""
    return TypedMetric(name=name, alias=alias, datatype=datatype, value=value, at_ms=SENT_MS)


def reported(alias: int, value: int) -> TypedMetric:
    """A metric of data: an alias and an Int32, whose datatype only the birth tells."""
    return TypedMetric(name=None, alias=alias, datatype=Datatype.INT32, value=value, at_ms=SENT_MS, declares=False)


def session_metrics(bd_seq: int | None = BD_SEQ) -> list[TypedMetric]:
    """What every NBIRTH has."""
    rebirth = declared("Node Control/Rebirth", Datatype.BOOLEAN, False)
    return [rebirth] if bd_seq is None else [declared("bdSeq", Datatype.INT64, bd_seq), rebirth]


def birth_bytes(bd_seq: int | None = BD_SEQ, seq: int | None = 0, *, more: tuple[TypedMetric, ...] = ()) -> bytes:
    """NBIRTH of the node, which declares `speed`."""
    speed = declared("speed", Datatype.INT32, 10, SPEED_ALIAS)
    return encode(timestamp_ms=SENT_MS, seq=seq, metrics=[*session_metrics(bd_seq), speed, *more])


def data_bytes(seq: int | None, value: int, alias: int = SPEED_ALIAS) -> bytes:
    """NDATA or DDATA with one metric."""
    return encode(timestamp_ms=SENT_MS, seq=seq, metrics=[reported(alias, value)])


def device_birth_bytes(seq: int | None, *, alias: int = FORCE_ALIAS) -> bytes:
    """DBIRTH of the device, which declares `force`."""
    return encode(timestamp_ms=SENT_MS, seq=seq, metrics=[declared("force", Datatype.INT32, 20, alias)])


def device_death_bytes(seq: int | None) -> bytes:
    """DDEATH of the device."""
    return encode(timestamp_ms=SENT_MS + 5, seq=seq, metrics=[])


def death_bytes(bd_seq: int | None = BD_SEQ) -> bytes:
    """NDEATH of the node."""
    metrics = [] if bd_seq is None else [declared("bdSeq", Datatype.INT64, bd_seq)]
    return encode(timestamp_ms=SENT_MS, seq=None, metrics=metrics)


def node_birth(bd_seq: int | None = BD_SEQ, seq: int | None = 0, *, now_ms: int = 0) -> NodeBirth:
    return NodeBirth(decode(birth_bytes(bd_seq, seq)), now_ms)


def node_data(seq: int | None, value: int, *, alias: int = SPEED_ALIAS, now_ms: int = 0) -> NodeData:
    return NodeData(decode(data_bytes(seq, value, alias)), now_ms)


def node_death(bd_seq: int | None = BD_SEQ, *, now_ms: int = 0) -> NodeDeath:
    return NodeDeath(decode(death_bytes(bd_seq)), now_ms)


def device_birth(seq: int, *, alias: int = FORCE_ALIAS, now_ms: int = 0) -> DeviceBirth:
    return DeviceBirth(decode(device_birth_bytes(seq, alias=alias)), now_ms, "arm")


def device_data(seq: int, value: int, *, now_ms: int = 0) -> DeviceData:
    return DeviceData(decode(data_bytes(seq, value, FORCE_ALIAS)), now_ms, "arm")


def device_death(seq: int, *, now_ms: int = 0) -> DeviceDeath:
    return DeviceDeath(decode(device_death_bytes(seq)), now_ms, "arm")


def speed(value: int) -> tuple[Reading, ...]:
    """The readings of one NDATA."""
    return (Reading(metric="speed", value=value, at_ms=SENT_MS),)


def force(value: int) -> tuple[Reading, ...]:
    """The readings of one DDATA, and of the DBIRTH with 20."""
    return (Reading(metric="force", value=value, at_ms=SENT_MS),)


def birth_readings(bd_seq: int = BD_SEQ) -> tuple[Reading, ...]:
    """The readings of the NBIRTH."""
    return (
        Reading(metric="bdSeq", value=bd_seq, at_ms=SENT_MS),
        Reading(metric="Node Control/Rebirth", value=False, at_ms=SENT_MS),
        *speed(10),
    )


def unborn(settings: SessionSettings = SessionSettings()) -> NodeSession:
    """A node of which nothing is known."""
    return NodeSession(NODE, settings)


def online(settings: SessionSettings = SessionSettings()) -> NodeSession:
    """A node after its NBIRTH (`seq` 0), at 0 ms."""
    session = unborn(settings)
    session.receive(node_birth(), now_ms=0)
    return session


def online_with_device(settings: SessionSettings = SessionSettings()) -> NodeSession:
    """A node and its device after NBIRTH and DBIRTH (`seq` 0 and 1), at 0 ms."""
    session = online(settings)
    session.receive(device_birth(1), now_ms=0)
    return session


def waiting_for_seq_1(settings: SessionSettings = SessionSettings()) -> NodeSession:
    """An online node whose NDATA with `seq` 2 (speed 12) came early, at 100 ms."""
    session = online(settings)
    session.receive(node_data(2, 12, now_ms=100), now_ms=100)
    return session


def stale_after_a_gap() -> NodeSession:
    """A node whose gap at `seq` 1 was given up at 2100 ms, and a rebirth asked."""
    session = waiting_for_seq_1()
    session.due(2_100)
    return session


def dead() -> NodeSession:
    """A node and device after NDEATH."""
    session = online_with_device()
    session.receive(node_death(), now_ms=0)
    return session
