"""The stored form of a node's session, and what people see of it.

It is versioned JSON. Old versions are read forever and written never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from sparkplug.catalog import Catalog, Declared
from sparkplug.device import DeviceSession
from sparkplug.errors import PayloadError, SnapshotError
from sparkplug.fact import ONLY_SERVER, NodeId
from sparkplug.finding import Tally
from sparkplug.message import SEQ_MODULUS, DeviceBirth, DeviceData, DeviceDeath, NodeData, Sequenced, device_message
from sparkplug.sequence import Sequence
from sparkplug.session import NodeSession, Phase, SessionSettings
from sparkplug.topic import DeviceVerb, NodeVerb
from sparkplug.wire.payload import decode

VERSION: Final = 2
_READ: Final = (1, 2)  # version 1 had plain counts of findings, and no server


class DeviceSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device: whether it was born and not lost since, whether the next stage believes it online, its metrics."""

    born: bool
    announced: bool
    certified_ms: int | None = None
    declared: tuple[Declared, ...] = ()


class WaitingSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that came early: it waits, or is `ahead` of its node's birth. `device` is None for NDATA."""

    verb: str
    device: str | None = None
    raw: bytes
    received_ms: int


class SessionSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a session holds."""

    version: int
    phase: str
    announced: bool
    seen_ms: int
    server: str = ONLY_SERVER
    since_ms: int | None = None
    birth_ms: int | None = None
    skews_ms: tuple[int, ...] = ()
    bd_seq: int | None = None
    expected: int = 0
    last_digest: int | None = None
    asked_ms: int | None = None
    window_ms: int
    reborn_due_ms: int | None = None
    certified_ms: int | None = None
    declared: tuple[Declared, ...] = ()
    definitions: dict[str, dict[str, int]] = {}
    devices: dict[str, DeviceSnapshot] = {}
    waiting: tuple[WaitingSnapshot, ...] = ()
    ahead: tuple[WaitingSnapshot, ...] = ()
    findings: dict[str, Tally | int] = {}


class FindingsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of messages that belong to no node."""

    version: int = 1
    findings: dict[str, Tally]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """What the host believes of a node. `seq` is the last in order, `devices` tells which are there of those heard of.

    `skew_ms` is how far the node's clock is ahead of ours, less the way of its messages.
    """

    node: NodeId
    server: str
    phase: str
    since_ms: int
    seen_ms: int
    bd_seq: int | None
    seq: int | None
    skew_ms: int | None
    metrics: int
    devices: Mapping[str, bool]
    findings: Mapping[str, Tally]


class _Versioned(msgspec.Struct):
    version: int


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(SessionSnapshot)
_findings: Final = msgspec.json.Decoder(FindingsSnapshot)
_version: Final = msgspec.json.Decoder(_Versioned)


def store(session: NodeSession) -> bytes:
    """The bytes to store."""
    return _encoder.encode(
        SessionSnapshot(
            version=VERSION,
            phase=session.phase.name,
            announced=session.announced,
            seen_ms=session.seen_ms,
            server=session.server,
            since_ms=session.since_ms,
            birth_ms=session.birth_ms,
            skews_ms=tuple(session.skews_ms),
            bd_seq=session.bd_seq,
            expected=session.sequence.expected,
            last_digest=session.sequence.last_digest,
            asked_ms=session.backoff.asked_ms,
            window_ms=session.backoff.window_ms,
            reborn_due_ms=session.devices.reborn_due_ms,
            certified_ms=session.certified_ms,
            declared=session.catalog.declared,
            definitions=session.definitions,
            devices={
                name: DeviceSnapshot(
                    born=device.born,
                    announced=device.announced,
                    certified_ms=device.certified_ms,
                    declared=device.catalog.declared,
                )
                for name, device in session.devices.known.items()
            },
            waiting=tuple(_store_waiting(message) for message in session.sequence.waiting),
            ahead=tuple(_store_waiting(message) for message in session.ahead.values()),
            findings=dict(session.findings.tallies),
        )
    )


def restore(node: NodeId, stored: bytes, settings: SessionSettings) -> NodeSession:
    """A session as it was stored, but an online one is stale now. Raises `SnapshotError`."""
    session = as_stored(node, stored, settings)
    if session.phase is Phase.ONLINE:
        session.phase, session.since_ms = Phase.STALE, session.seen_ms
    return session


def as_stored(node: NodeId, stored: bytes, settings: SessionSettings) -> NodeSession:
    """A session as it was stored. Raises `SnapshotError`."""
    snapshot = _decode(stored)
    session = NodeSession(node, settings)
    try:
        phase = Phase[snapshot.phase]
        waiting = [_restore_waiting(message) for message in snapshot.waiting]
        ahead = [_restore_waiting(message) for message in snapshot.ahead]
    except (KeyError, ValueError, PayloadError) as error:
        raise SnapshotError(f"a damaged snapshot of {node}: {error}") from error
    session.server = snapshot.server
    session.phase, session.since_ms = phase, snapshot.since_ms or snapshot.seen_ms
    session.announced = snapshot.announced
    session.seen_ms = snapshot.seen_ms
    session.birth_ms = snapshot.birth_ms
    session.skews_ms.extend(snapshot.skews_ms)
    session.bd_seq = snapshot.bd_seq
    session.catalog, session.certified_ms = Catalog(snapshot.declared), snapshot.certified_ms
    session.definitions = snapshot.definitions
    session.devices.known = {
        name: DeviceSession(Catalog(device.declared), device.born, device.announced, device.certified_ms)
        for name, device in snapshot.devices.items()
    }
    session.sequence = Sequence(
        settings.reorder_timeout_ms, settings.most_waiting_bytes, snapshot.expected, snapshot.last_digest, waiting
    )
    session.ahead = {message.device: message for message in ahead if isinstance(message, DeviceBirth)}
    session.backoff.asked_ms = snapshot.asked_ms
    session.backoff.window_ms = snapshot.window_ms
    session.devices.reborn_due_ms = snapshot.reborn_due_ms
    session.findings.tallies = {
        name: Tally(count=tally) if isinstance(tally, int) else tally for name, tally in snapshot.findings.items()
    }
    return session


def stored_view(node: NodeId, snapshot: bytes) -> NodeView:
    """What the running host believed of a node when it last stored it; for commands beside it.

    Data that comes in order is not stored: `seq` and `seen_ms` are those of the last change. Raises `SnapshotError`.
    """
    return view(as_stored(node, snapshot, SessionSettings()))


def store_findings(findings: Mapping[str, Tally]) -> bytes:
    """The bytes to store of the findings of messages that belong to no node."""
    return _encoder.encode(FindingsSnapshot(findings=dict(findings)))


def stored_findings(stored: bytes) -> dict[str, Tally]:
    """The findings of messages that belong to no node, as they were stored. Raises `SnapshotError`."""
    try:
        version = _version.decode(stored).version
        if version == 1:
            return _findings.decode(stored).findings
    except msgspec.DecodeError as error:
        raise SnapshotError(f"no findings of messages that belong to no node: {error}") from error
    raise SnapshotError(f"findings of version {version}; this program reads version 1")


def view(session: NodeSession) -> NodeView:
    """What is believed of a node."""
    was_born, devices = session.phase is not Phase.UNBORN, session.devices.known
    return NodeView(
        node=session.node,
        server=session.server,
        phase=session.phase.value,
        since_ms=session.since_ms,
        seen_ms=session.seen_ms,
        bd_seq=session.bd_seq,
        seq=(session.sequence.expected - 1) % SEQ_MODULUS if was_born else None,
        skew_ms=session.skew_ms,
        metrics=len(session.catalog.declared) + sum(len(device.catalog.declared) for device in devices.values()),
        devices={name: device.born for name, device in devices.items() if device.certified_ms is None},
        findings=dict(session.findings.tallies),
    )


def _decode(stored: bytes) -> SessionSnapshot:
    try:
        version = _version.decode(stored).version
        if version in _READ:
            return _decoder.decode(stored)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"not a snapshot of a Sparkplug session: {error}") from error
    raise SnapshotError(f"a Sparkplug session of version {version}; this program reads up to {VERSION}")


def _store_waiting(message: Sequenced) -> WaitingSnapshot:
    raw, received_ms = message.payload.raw, message.received_ms
    match message:
        case NodeData():
            return WaitingSnapshot(verb=NodeVerb.DATA, raw=raw, received_ms=received_ms)
        case DeviceBirth(device=device):
            return WaitingSnapshot(verb=DeviceVerb.BIRTH, device=device, raw=raw, received_ms=received_ms)
        case DeviceData(device=device):
            return WaitingSnapshot(verb=DeviceVerb.DATA, device=device, raw=raw, received_ms=received_ms)
        case DeviceDeath(device=device):
            return WaitingSnapshot(verb=DeviceVerb.DEATH, device=device, raw=raw, received_ms=received_ms)


def _restore_waiting(stored: WaitingSnapshot) -> Sequenced:
    payload = decode(stored.raw)
    if stored.device is None:
        return NodeData(payload, stored.received_ms)
    message = device_message(DeviceVerb(stored.verb), stored.device, payload, stored.received_ms)
    if message is None:
        raise ValueError(f"a {stored.verb} cannot wait")
    return message
