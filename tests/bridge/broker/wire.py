"""What goes over the wire between a link and its broker, as MQTT packets. For tests of what the standard asks of
CONNECT, SUBSCRIBE, PUBLISH and DISCONNECT themselves."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from tests.bridge.broker.proxy import Hear

_PROPERTY_BYTES = {0x11: 4, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x27: 4}
"""The lengths of the MQTT 5 properties that our links send."""
_SESSION_EXPIRY = 0x11
MQTT_5 = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A PUBLISH, or the will of a CONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A CONNECT. `expiry_s` is the session expiry of MQTT 5, 0 where it is left out."""

    version: int
    client_id: str
    clean: bool
    expiry_s: int
    will: Publish | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A SUBSCRIBE: its topic filters with the QoS asked for."""

    filters: dict[str, int]


@dataclass(frozen=True, slots=True)
class SubscribeAcknowledged:
    """A SUBACK of the broker."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A DISCONNECT. `reason` 0 (all there is in MQTT 3.1.1) publishes no will."""

    reason: int


Packet: TypeAlias = Connect | Subscribe | SubscribeAcknowledged | Publish | Disconnect
_Kind = TypeVar("_Kind", Connect, Subscribe, SubscribeAcknowledged, Publish, Disconnect)


@dataclass(slots=True)
class Wire:
    """The packets of all connections through a proxy in the order in which they passed: what the link sent, and
    the SUBACKs of the broker. Everything else (acknowledgements, pings, what is delivered) is left out."""

    packets: list[Packet] = field(default_factory=list)

    def tap(self) -> tuple[Hear, Hear]:
        link = _Splitter(self.packets, {1: _connect, 3: _publish, 8: _subscribe, 14: _disconnect})
        return link.hear, _Splitter(self.packets, {9: lambda *_: SubscribeAcknowledged()}).hear

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        return [packet for packet in self.packets if isinstance(packet, kind)]

    def sessions(self) -> list[list[Packet]]:
        """The packets of each connection; one that begins ends the one before it."""
        starts = [place for place, packet in enumerate(self.packets) if isinstance(packet, Connect)]
        return [self.packets[i:j] for i, j in zip(starts, [*starts[1:], None], strict=True)]


Parse: TypeAlias = Callable[[int, bytes, int], Packet]
"""Flags, body and MQTT version to a packet."""


class _Splitter:
    """Cuts one direction of one connection into packets."""

    def __init__(self, packets: list[Packet], parsers: dict[int, Parse]) -> None:
        self._packets = packets
        self._parsers = parsers
        self._buffer = b""
        self._version = MQTT_5

    def hear(self, part: bytes) -> None:
        self._buffer += part
        for kind, flags, body in self._whole():
            if kind in self._parsers:
                packet = self._parsers[kind](flags, body, self._version)
                if isinstance(packet, Connect):
                    self._version = packet.version
                self._packets.append(packet)

    def _whole(self) -> Iterator[tuple[int, int, bytes]]:
        while len(self._buffer) >= 2:
            try:
                length, start = _number(self._buffer, 1)
            except IndexError:
                return
            if len(self._buffer) < start + length:
                return
            first, body = self._buffer[0], self._buffer[start : start + length]
            self._buffer = self._buffer[start + length :]
            yield first >> 4, first & 0x0F, body


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer, and where it ends."""
    number = shift = 0
    while True:
        number |= (raw[at] & 0x7F) << shift
        at, shift, more = at + 1, shift + 7, raw[at] & 0x80
        if not more:
            return number, at


def _block(raw: bytes, at: int) -> tuple[bytes, int]:
    """Bytes with their length before them, and where they end."""
    (length,) = struct.unpack_from(">H", raw, at)
    return raw[at + 2 : at + 2 + length], at + 2 + length


def _properties(raw: bytes, at: int, version: int) -> tuple[dict[int, int], int]:
    if version < MQTT_5:
        return {}, at
    length, at = _number(raw, at)
    end, found = at + length, {}
    while at < end:
        size = _PROPERTY_BYTES[raw[at]]
        found[raw[at]] = int.from_bytes(raw[at + 1 : at + 1 + size])
        at += 1 + size
    return found, end


def _connect(_: int, body: bytes, __: int) -> Connect:
    name, at = _block(body, 0)
    assert name == b"MQTT"
    version, flags = body[at], body[at + 1]
    properties, at = _properties(body, at + 4, version)
    client_id, at = _block(body, at)
    will = None
    if flags & 0x04:
        at = _properties(body, at, version)[1]
        topic, at = _block(body, at)
        payload, at = _block(body, at)
        will = Publish(topic=topic.decode(), payload=payload, qos=flags >> 3 & 3, retain=bool(flags & 0x20))
    return Connect(
        version=version,
        client_id=client_id.decode(),
        clean=bool(flags & 0x02),
        expiry_s=properties.get(_SESSION_EXPIRY, 0),
        will=will,
    )


def _publish(flags: int, body: bytes, version: int) -> Publish:
    topic, at = _block(body, 0)
    qos = flags >> 1 & 3
    at = _properties(body, at + 2 if qos else at, version)[1]
    return Publish(topic=topic.decode(), payload=body[at:], qos=qos, retain=bool(flags & 1))


def _subscribe(_: int, body: bytes, version: int) -> Subscribe:
    at = _properties(body, 2, version)[1]
    filters = {}
    while at < len(body):
        topic_filter, at = _block(body, at)
        filters[topic_filter.decode()] = body[at] & 3
        at += 1
    return Subscribe(filters)


def _disconnect(_: int, body: bytes, __: int) -> Disconnect:
    return Disconnect(body[0] if body else 0)
