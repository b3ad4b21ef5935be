"""One input as a message of a recording, and back: the channel that it goes on, and its bytes.

A message of the plant is kept as it came, on a channel of its MQTT topic: its payload is the message, and the channel
holds the rest. Every other input is JSON on a channel of its kind. So viewers show payloads and facts as what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from bridge.core.input import (
    Acted,
    Claim,
    HostConnected,
    HostDisconnected,
    Input,
    MasterArrived,
    OrdersArrived,
    Outcomes,
    Promoted,
    RebirthWanted,
    Setback,
    Shadowed,
    SparkplugMessage,
    Started,
    StoodStill,
    Tick,
    UnsDocument,
    WriteWanted,
)
from bridge.plant import Content, Release, content_of
from odoo_adapter.odoo import Applied, Declined, Held, OrderRead, OrdersRead, Outcome, Passed, Receipt
from sparkplug.topic import NAMESPACE
from sparkplug.wire import sparkplug_b_pb2
from state.audit import Head

SPARKPLUG: Final = "sparkplug"
DOCUMENT: Final = "document"
PREFIX: Final = "bridge/"
"""How the topics of channels begin that are none of MQTT."""
_STATES: Final = (f"{NAMESPACE}/STATE/", "STATE/")

_BY_KIND: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "started": Started,
        "stood_still": StoodStill,
        "tick": Tick,
        "host_connected": HostConnected,
        "host_disconnected": HostDisconnected,
        "orders": OrdersArrived,
        "master": MasterArrived,
        "claim": Claim,
        "setback": Setback,
        "acted": Acted,
        "rebirth_wanted": RebirthWanted,
        "write_wanted": WriteWanted,
    }
)
"""The kinds of a recording: written as they are here, and read for ever."""
_KINDS: Final = MappingProxyType({kind: name for name, kind in _BY_KIND.items()})


class Channel(NamedTuple):
    """What messages of a kind have in common. `server` and `retain` are those of a message of the plant."""

    topic: str
    kind: str
    server: str = ""
    retain: bool = False

    @property
    def is_json(self) -> bool:
        """Whether its messages are JSON; the others are Sparkplug payloads."""
        return self.kind != SPARKPLUG or self.topic.startswith(_STATES)

    @property
    def is_of_the_plant(self) -> bool:
        """Whether it was received from a broker."""
        return self.kind in (SPARKPLUG, DOCUMENT)


class _Order(msgspec.Struct, frozen=True):
    order: str
    name: str
    state: str
    document: dict[str, Any]
    moved: frozenset[str] = frozenset()
    work: dict[str, str] = {}


class _Orders(msgspec.Struct, frozen=True):
    orders: tuple[_Order, ...]
    cursor: str


class _OrdersArrived(msgspec.Struct, frozen=True):
    read: _Orders


class _Receipt(msgspec.Struct, frozen=True):
    model: str
    id: int
    details: dict[str, Any]
    repeated: bool = False


class _Applied(msgspec.Struct, frozen=True, tag="applied", tag_field="became"):
    key: str
    receipt: _Receipt


class _Declined(msgspec.Struct, frozen=True, tag="declined", tag_field="became"):
    key: str
    code: str
    reason: str


class _Passed(msgspec.Struct, frozen=True, tag="passed", tag_field="became"):
    key: str


class _Held(msgspec.Struct, frozen=True, tag="held", tag_field="became"):
    key: str
    reason: str


class _Outcomes(msgspec.Struct, frozen=True):
    outcomes: tuple[_Applied | _Declined | _Passed | _Held, ...]


class _Release(msgspec.Struct, frozen=True):
    version: str
    author: str
    approved_by: str
    since: tuple[int, str] | None = None


class _Content(msgspec.Struct, frozen=True):
    texts: dict[str, str]
    release: _Release | None


class _Rules(msgspec.Struct, frozen=True):
    content: _Content | None


_encoder: Final = msgspec.json.Encoder()
_outcomes: Final = msgspec.json.Decoder(_Outcomes)
_rules: Final = msgspec.json.Decoder(_Rules)
_orders: Final = msgspec.json.Decoder(_OrdersArrived)


def encode(entered: Input) -> tuple[Channel, bytes]:
    """The channel of an input, and its bytes there."""
    match entered:
        case SparkplugMessage():
            return Channel(entered.topic, SPARKPLUG, entered.server, entered.retain), entered.payload
        case UnsDocument():
            return Channel(entered.topic, DOCUMENT), entered.payload
        case Outcomes():
            return _channel("outcomes"), _encoder.encode(_Outcomes(tuple(map(_told, entered.outcomes))))
        case Promoted(content=content):
            return _channel("promoted"), _encoder.encode(_Rules(_texts_of(content)))
        case Shadowed(content=content):
            return _channel("shadowed"), _encoder.encode(_Rules(None if content is None else _texts_of(content)))
        case (
            Started()
            | StoodStill()
            | Tick()
            | HostConnected()
            | HostDisconnected()
            | OrdersArrived()
            | MasterArrived()
            | Claim()
            | Setback()
            | Acted()
            | RebirthWanted()
            | WriteWanted()
        ):
            return _channel(_KINDS[type(entered)]), _encoder.encode(entered)


def reader_of(channel: Channel) -> Callable[[bytes], Input]:
    """What reads the messages of a channel. It raises `ValueError` (msgspec's errors are such) for bytes that `encode`
    never gave, and `ConfigError` for rules that this bridge does not understand any more.

    Raises `KeyError` for a channel of another kind.
    """
    topic, kind, server, retain = channel
    if kind == SPARKPLUG:
        return lambda raw: SparkplugMessage(topic=topic, payload=raw, retain=retain, server=server)
    if kind == DOCUMENT:
        return lambda raw: UnsDocument(topic, raw)
    if kind == "outcomes":
        return lambda raw: Outcomes(tuple(map(_outcome, _outcomes.decode(raw).outcomes)))
    if kind == "orders":
        return lambda raw: OrdersArrived(_orders_read(_orders.decode(raw).read))
    if kind == "promoted":
        return lambda raw: _promoted(_rules.decode(raw))
    if kind == "shadowed":
        return lambda raw: _shadowed(_rules.decode(raw))
    decoder: msgspec.json.Decoder[Input] = msgspec.json.Decoder(_BY_KIND[kind])
    return decoder.decode


def payload_schema() -> bytes:
    """The Sparkplug payload as a Protobuf `FileDescriptorSet`, as viewers want it."""
    described = FileDescriptorSet()
    described.file.add().ParseFromString(sparkplug_b_pb2.DESCRIPTOR.serialized_pb)
    return described.SerializeToString(deterministic=True)


def _channel(kind: str) -> Channel:
    return Channel(PREFIX + kind, kind)


def _told(outcome: Outcome) -> _Applied | _Declined | _Passed | _Held:
    match outcome:
        case Applied(key=key, receipt=receipt):
            told = _Receipt(receipt.model, receipt.id, dict(receipt.details), receipt.repeated)
            return _Applied(key, told)
        case Declined(key=key, code=code, reason=reason):
            return _Declined(key, code, reason)
        case Passed(key=key):
            return _Passed(key)
        case Held(key=key, reason=reason):
            return _Held(key, reason)


def _outcome(told: _Applied | _Declined | _Passed | _Held) -> Outcome:
    match told:
        case _Applied(key=key, receipt=receipt):
            found = Receipt(model=receipt.model, id=receipt.id, details=receipt.details, repeated=receipt.repeated)
            return Applied(key=key, receipt=found)
        case _Declined(key=key, code=code, reason=reason):
            return Declined(key=key, code=code, reason=reason)
        case _Passed(key=key):
            return Passed(key=key)
        case _Held(key=key, reason=reason):
            return Held(key=key, reason=reason)


def _texts_of(content: Content) -> _Content:
    return _Content(dict(content.texts), None if content.release is None else _release_of(content.release))


def _release_of(release: Release) -> _Release:
    since = None if release.since is None else (release.since.number, release.since.hash)
    return _Release(release.version, release.author, release.approved_by, since)


def _content_of(told: _Content) -> Content:
    return content_of(told.texts, None if told.release is None else _released(told.release))


def _released(told: _Release) -> Release:
    since = None if told.since is None else Head(*told.since)
    return Release(version=told.version, author=told.author, approved_by=told.approved_by, since=since)


def _promoted(told: _Rules) -> Promoted:
    if told.content is None:
        raise ValueError("no version was promoted")
    return Promoted(_content_of(told.content))


def _shadowed(told: _Rules) -> Shadowed:
    return Shadowed(None if told.content is None else _content_of(told.content))


def _orders_read(read: _Orders) -> OrdersRead:
    orders = tuple(
        OrderRead(
            order=one.order, name=one.name, state=one.state, document=one.document, moved=one.moved, work=one.work
        )
        for one in read.orders
    )
    return OrdersRead(orders=orders, cursor=read.cursor)
