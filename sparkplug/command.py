"""Commands of a host: NCMD and DCMD. All are QoS 0 and not retained (`tck-id-topics-ncmd-mqtt`, `-dcmd-mqtt`).

They have no `seq`. A metric that was born with an alias is written by it, without its name
(`tck-id-payloads-alias-data-cmd-requirement`); a rebirth is always asked by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from sparkplug.catalog import BD_SEQ, Catalog
from sparkplug.errors import ValueUnreadable
from sparkplug.fact import NodeId, Origin, RequestWrite, Value
from sparkplug.message import REBIRTH
from sparkplug.session import NodeSession, Phase
from sparkplug.topic import DeviceVerb, NodeVerb, device_topic, node_topic
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode
from sparkplug.wire.text import value_of


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command that a person wants is not sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """Why a rebirth that a person wants is not asked for again: it was, so long ago, and the birth is under way."""

    node: NodeId
    since_ms: int


def rebirth_command(node: NodeId, now_ms: int) -> tuple[str, bytes]:
    """Topic and payload that ask `node` for all its births.

    `tck-id-operational-behavior-data-commands-ncmd-rebirth-verb`, `-name` and `-value`.
    """
    return write_command(Origin(node.group, node.node, None), REBIRTH, Datatype.BOOLEAN, True, now_ms)


def write_command(
    origin: Origin, metric: str, datatype: Datatype, value: Value, now_ms: int, *, alias: int | None = None
) -> tuple[str, bytes]:
    """Topic and payload that write one metric, by its `alias` where it has one.

    Raises `ValueError` where the value does not fit the datatype.
    """
    name = metric if alias is None else None
    typed = TypedMetric(name=name, alias=alias, datatype=datatype, value=value, at_ms=now_ms)
    payload = encode(timestamp_ms=now_ms, seq=None, metrics=[typed])
    if origin.device is None:
        return node_topic(NodeVerb.COMMAND, origin.node_id), payload
    return device_topic(DeviceVerb.COMMAND, origin.node_id, origin.device), payload


def write(session: NodeSession, device: str | None, metric: str, text: str, now_ms: int) -> RequestWrite | Refusal:
    """What writes one metric of a node or of its device, its value read by the datatype of the birth.

    Only what was born and is there is written: of anything else nobody knows what the metric is.
    """
    catalog = _catalog(session, device)
    if isinstance(catalog, Refusal):
        return catalog
    origin = Origin(session.node.group, session.node.node, device)
    if metric in (BD_SEQ, REBIRTH) and device is None:
        how = "; `uns-bridge send rebirth` asks for a rebirth" if metric == REBIRTH else ""
        return Refusal(f"{metric!r} is the session's own and is not written{how}")
    declared = catalog.addressed(metric)
    if declared is None:
        return Refusal(f"{origin} was born without a metric {metric!r}{did_you_mean(metric, catalog.names)}")
    try:
        value = value_of(declared.datatype, text)
    except ValueUnreadable as error:
        return Refusal(f"{metric!r} of {origin}: {error}")
    datatype = Datatype(declared.datatype or 0)
    topic, payload = write_command(origin, metric, datatype, value, now_ms, alias=declared.alias)
    return RequestWrite(topic=topic, payload=payload, datatype=datatype.word, server=session.server)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What was meant, where one of those is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _catalog(session: NodeSession, device: str | None) -> Catalog | Refusal:
    """What the birth declared, of who is there."""
    if session.phase is not Phase.ONLINE:
        how = "; `uns-bridge send rebirth` asks for its birth" if session.phase is not Phase.OFFLINE else ""
        return Refusal(f"the edge node {session.node} is {session.phase.value}{how}")
    if device is None:
        return session.catalog
    known = session.devices.known.get(device)
    if known is None:
        return Refusal(f"{session.node} has no device {device!r}{did_you_mean(device, session.devices.known)}")
    return known.catalog if known.born else Refusal(f"the device {session.node}/{device} is offline")
