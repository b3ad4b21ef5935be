"""Acts of people, as commands leave them in the store for the running bridge: on outbox entries, and to edge nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import uuid4

import msgspec

from bridge.core.input import Acted, ActKind, FromPerson, RebirthWanted, WriteWanted
from sparkplug.fact import NodeId, Origin
from state.store import Act


class ActBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The stored form: what to do, to which entries, who wants it and why."""

    kind: ActKind
    keys: tuple[str, ...]
    by: str
    reason: str
    corrected: dict[str, str] = {}


class RebirthBody(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rebirth"):
    """The stored form of a wish for a node's births."""

    node: NodeId
    by: str
    reason: str
    until_ms: int


class WriteBody(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="write"):
    """The stored form of a wish to write a metric."""

    origin: Origin
    metric: str
    value: str
    by: str
    reason: str
    until_ms: int


class _Kind(msgspec.Struct):
    kind: str


_ON_ENTRIES: Final = frozenset(kind.value for kind in ActKind)


def new_id() -> str:
    """The id of a new act."""
    return uuid4().hex


def new_act(
    kind: ActKind, keys: tuple[str, ...], by: str, reason: str, corrected: Mapping[str, str] | None = None
) -> Act:
    """An act on entries with an id of its own, ready for `Store.submit`."""
    return store_act(Acted(id=new_id(), kind=kind, keys=keys, by=by, reason=reason, corrected=corrected or {}))


def store_act(act: FromPerson) -> Act:
    """The act as the store keeps it."""
    body: ActBody | RebirthBody | WriteBody
    match act:
        case Acted():
            corrected = dict(act.corrected)
            body = ActBody(kind=act.kind, keys=act.keys, by=act.by, reason=act.reason, corrected=corrected)
        case RebirthWanted():
            body = RebirthBody(node=act.node, by=act.by, reason=act.reason, until_ms=act.until_ms)
        case WriteWanted():
            body = WriteBody(
                origin=act.origin,
                metric=act.metric,
                value=act.value,
                by=act.by,
                reason=act.reason,
                until_ms=act.until_ms,
            )
    return Act(id=act.id, body=msgspec.json.encode(body))


def read_act(act: Act) -> FromPerson:
    """The act as the core takes it. Raises `msgspec.MsgspecError` where it cannot be read."""
    if msgspec.json.decode(act.body, type=_Kind).kind in _ON_ENTRIES:
        body = msgspec.json.decode(act.body, type=ActBody)
        return Acted(
            id=act.id, kind=body.kind, keys=body.keys, by=body.by, reason=body.reason, corrected=body.corrected
        )
    wanted: RebirthBody | WriteBody = msgspec.json.decode(act.body, type=RebirthBody | WriteBody)
    match wanted:
        case RebirthBody(node=node, by=by, reason=reason, until_ms=until_ms):
            return RebirthWanted(id=act.id, node=node, by=by, reason=reason, until_ms=until_ms)
        case WriteBody(origin=origin, metric=metric, value=value, by=by, reason=reason, until_ms=until_ms):
            return WriteWanted(
                id=act.id, origin=origin, metric=metric, value=value, by=by, reason=reason, until_ms=until_ms
            )


def audited(act: FromPerson) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The lines of the audit log that stand before an act: their kind and their fields."""
    common = {"act": act.id, "reason": act.reason}
    match act:
        case Acted():
            values = {"values": msgspec.json.encode(act.corrected).decode()} if act.corrected else {}
            for key in act.keys:
                yield f"outbox.{act.kind}", {**common, "key": key, **values}
        case RebirthWanted():
            yield "node.rebirth", {**common, "node": str(act.node)}
        case WriteWanted():
            yield "node.write", {**common, "to": str(act.origin), "metric": act.metric, "value": act.value}
