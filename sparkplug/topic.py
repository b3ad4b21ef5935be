"""Topics: `spBv1.0/<group>/<verb>/<node>[/<device>]` and `spBv1.0/STATE/<host>`, parsed and built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

from sparkplug.fact import NodeId

NAMESPACE: Final = "spBv1.0"
CERTIFICATES: Final = "$sparkplug/certificates/"
"""Where a Sparkplug Aware broker keeps the births, each under its own topic."""
_STATE: Final = "STATE"
_TOPICS_KEPT: Final = 16_384  # a site's topics, parsed once; the bound is for a hostile publisher


class NodeVerb(StrEnum):
    """The message types of an edge node (`tck-id-topic-structure-namespace-device-id-non-associated-message-types`)."""

    BIRTH = "NBIRTH"
    DATA = "NDATA"
    DEATH = "NDEATH"
    COMMAND = "NCMD"


class DeviceVerb(StrEnum):
    """The message types of a device (`tck-id-topic-structure-namespace-device-id-associated-message-types`)."""

    BIRTH = "DBIRTH"
    DATA = "DDATA"
    DEATH = "DDEATH"
    COMMAND = "DCMD"


_NODE_VERBS: Final[dict[str, NodeVerb]] = {verb.value: verb for verb in NodeVerb}
_DEVICE_VERBS: Final[dict[str, DeviceVerb]] = {verb.value: verb for verb in DeviceVerb}


@dataclass(frozen=True, slots=True)
class NodeTopic:
    """The topic of a message of or to an edge node."""

    verb: NodeVerb
    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTopic:
    """The topic of a message of or to a device."""

    verb: DeviceVerb
    node: NodeId
    device: str


@dataclass(frozen=True, slots=True)
class StateTopic:
    """The STATE topic of a host application."""

    host_id: str


@dataclass(frozen=True, slots=True)
class InvalidTopic:
    """A topic in the Sparkplug namespace that is none of the standard's. `node` is what can be told of its sender."""

    node: NodeId
    reason: str


Topic: TypeAlias = NodeTopic | DeviceTopic | StateTopic | InvalidTopic


@lru_cache(maxsize=_TOPICS_KEPT)
def parse_topic(topic: str) -> Topic | None:
    """What a topic names; None outside the Sparkplug namespace."""
    namespace, *levels = topic.split("/")
    if namespace != NAMESPACE:
        return None
    node = NodeId(levels[0] if levels else "", levels[2] if len(levels) > 2 else "")
    if "" in levels:
        return InvalidTopic(node, f"an empty level in {topic!r}")
    match levels:
        case [first, host_id] if first == _STATE:
            return StateTopic(host_id)
        case [_, verb, _] if verb in _NODE_VERBS:
            return NodeTopic(_NODE_VERBS[verb], node)
        case [_, verb, _, device] if verb in _DEVICE_VERBS:
            return DeviceTopic(verb=_DEVICE_VERBS[verb], node=node, device=device)
        case _:
            return InvalidTopic(node, f"{topic!r} is no topic of Sparkplug B 3.0")


def parse_certificate(topic: str) -> NodeTopic | DeviceTopic | None:
    """The topic of the birth that a broker keeps under this one; None where it keeps none there."""
    match parse_topic(topic.removeprefix(CERTIFICATES)) if topic.startswith(CERTIFICATES) else None:
        case NodeTopic(verb=NodeVerb.BIRTH) | DeviceTopic(verb=DeviceVerb.BIRTH) as birth:
            return birth
        case _:
            return None


def node_topic(verb: NodeVerb, node: NodeId) -> str:
    """The topic of a message of or to an edge node. Raises `ValueError` for an id that cannot be a level."""
    return "/".join((NAMESPACE, _level(node.group), verb, _level(node.node)))


def device_topic(verb: DeviceVerb, node: NodeId, device: str) -> str:
    """The topic of a message of or to a device. Raises `ValueError` for an id that cannot be a level."""
    return "/".join((NAMESPACE, _level(node.group), verb, _level(node.node), _level(device)))


def state_topic(host_id: str) -> str:
    """The STATE topic of a host application. Raises `ValueError` for an id that cannot be a level."""
    return "/".join((NAMESPACE, _STATE, _level(host_id)))


def legacy_state_topic(host_id: str) -> str:
    """The STATE topic of Sparkplug 2.2. Raises `ValueError` for an id that cannot be a level."""
    return f"{_STATE}/{_level(host_id)}"


def is_level(text: str) -> bool:
    """Whether it can be a group, a node or a device."""
    return bool(text) and not any(character in text for character in "+#/\0")


def _level(text: str) -> str:
    """One level of a topic: `tck-id-topic-structure-namespace-valid-group-id` and its like for nodes and devices."""
    if not is_level(text):
        raise ValueError(f"{text!r} cannot be a level of a topic: it is empty or holds one of + # / or NUL")
    return text
