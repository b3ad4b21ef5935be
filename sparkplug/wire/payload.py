"""The payload of every Sparkplug message but STATE: bytes to `Payload`, and metrics to bytes.

A metric's value is read in a second step (`wire.value.read_value`), because data may leave out the datatype,
which only the birth knows, and because one bad metric must not cost the others of its message.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError

from sparkplug.errors import PayloadError
from sparkplug.fact import LAST_AT_MS, Value
from sparkplug.finding import FindingName, Problem
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.scan import find_break, holds_more_fields
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.write import write_value

COMPRESSED_UUID: Final = "SPBV1.0_COMPRESSED"
MOST_BYTES: Final = 16 * 1024 * 1024  # compressed or not; a birth of 100 000 metrics is about 4 MB
MOST_METRICS: Final = 200_000  # the largest plants have some 10 000 in a node; 16 MB could hold 8 million empty ones
_OTHER_FIELDS: Final = 4
_LARGE_BYTES: Final = 2 * MOST_METRICS  # a metric has at least two
_AUTO_WBITS: Final = 47  # zlib or gzip, told by the header
_RAW_WBITS: Final = -15  # DEFLATE without a header, which some publishers send
QUALITY: Final = "Quality"


class Metric(msgspec.Struct, frozen=True, gc=False):
    """One metric as it is on the wire. `field` is the protobuf field that holds `raw`, None where none is set.

    A `Struct`, because ten of them are made per message: 0.6 us each where a tuple took 2.0 and a dataclass more.
    """

    name: str | None
    alias: int | None
    at_ms: int | None
    datatype: int | None
    field: str | None
    raw: Any
    is_null: bool
    historical: bool
    transient: bool
    quality: int | None


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A payload, already inflated from `inflated` bytes where it came compressed. `problems` are those of reading;
    `raw` are the bytes as they came and `digest` tells two of them apart."""

    timestamp_ms: int | None
    seq: int | None
    metrics: tuple[Metric, ...]
    uuid: str | None = None
    body: bytes | None = None
    problems: tuple[Problem, ...] = ()
    raw: bytes = b""
    digest: int = 0
    inflated: int = 0

    @property
    def size(self) -> int:
        """How many bytes it has, in the form that has more."""
        return max(len(self.raw), self.inflated)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedMetric:
    """One metric to write. Give the datatype in births only (`declares`), and a name, an alias or both."""

    name: str | None
    alias: int | None = None
    datatype: Datatype
    value: Value
    at_ms: int | None
    declares: bool = True
    historical: bool = False


def encode(*, timestamp_ms: int, seq: int | None, metrics: Iterable[TypedMetric]) -> bytes:
    """The bytes of a payload. Raises `ValueError` where a value does not fit its datatype."""
    message = Message(timestamp=timestamp_ms)
    for typed in metrics:
        metric = message.metrics.add()
        if typed.name is not None:
            metric.name = typed.name
        if typed.alias is not None:
            metric.alias = typed.alias
        if typed.at_ms is not None:
            metric.timestamp = typed.at_ms
        if typed.declares:
            metric.datatype = typed.datatype
        if typed.historical:
            metric.is_historical = True
        write_value(metric, typed.datatype, typed.value)
    if seq is not None:
        message.seq = seq
    return message.SerializeToString()


def decode(raw: bytes) -> Payload:
    """Read a payload. Raises `PayloadError` when the bytes cannot be read as a whole."""
    message, inflated = parse(raw), 0
    if message.uuid == COMPRESSED_UUID:
        message = inflate(message)
        inflated = message.ByteSize()
    problems: list[Problem] = []
    uuid: str | bytes = message.uuid  # bytes where it is not UTF-8
    metrics = tuple([_metric(metric, problems) for metric in message.metrics])
    seq = message.seq
    return Payload(
        timestamp_ms=_sent(message.timestamp, problems),
        seq=seq if seq or message.HasField("seq") else None,
        metrics=metrics,
        uuid=uuid if isinstance(uuid, str) and uuid else None,
        body=message.body or None,
        problems=tuple(problems),
        raw=raw,
        digest=zlib.crc32(raw),
        inflated=inflated,
    )


def parse(raw: bytes) -> Message:
    """The protobuf message, within our limits. Raises `PayloadError`, with the place."""
    if len(raw) > _LARGE_BYTES:
        if len(raw) > MOST_BYTES:
            raise PayloadError(f"a payload of {len(raw)} bytes; more than {MOST_BYTES} are not read")
        if holds_more_fields(raw, MOST_METRICS + _OTHER_FIELDS):
            raise PayloadError(f"a payload of more than {MOST_METRICS} metrics is not read")
    try:
        return Message.FromString(raw)
    except DecodeError as error:
        raise PayloadError(f"not a Sparkplug payload: {find_break(raw)}") from error


def _metric(metric: Message.Metric, problems: list[Problem]) -> Metric:
    name: str | bytes | None = metric.name or None
    if isinstance(name, bytes):
        problems.append(Problem(FindingName.METRIC_UNNAMED, f"a metric's name is not UTF-8: {name!r}"))
        name = None
    alias = metric.alias
    datatype = metric.datatype
    field = metric.WhichOneof("value")
    stamp = metric.timestamp
    return Metric(
        name,
        alias if alias or metric.HasField("alias") else None,
        stamp if 0 < stamp <= LAST_AT_MS else _moment(stamp, f"the metric {name or alias}", problems),
        datatype if datatype or metric.HasField("datatype") else None,
        field,
        getattr(metric, field) if field is not None else None,
        metric.is_null,
        metric.is_historical,
        metric.is_transient,
        _quality(metric, problems) if metric.HasField("properties") else None,
    )


def _sent(stamp: int, problems: list[Problem]) -> int | None:
    """When the payload was sent. Every message but a death needs it (`tck-id-topics-nbirth-timestamp` and so on)."""
    if not stamp:
        problems.append(Problem(FindingName.TIMESTAMP_MISSING, "the payload has no timestamp"))
    return _moment(stamp, "the payload", problems)


def _moment(stamp: int, whose: str, problems: list[Problem]) -> int | None:
    """A timestamp in milliseconds; None where there is none or none that a calendar knows."""
    if stamp <= LAST_AT_MS:
        return stamp or None
    problems.append(
        Problem(
            FindingName.TIMESTAMP_INVALID,
            f"{whose} is of {stamp} ms, after the year 9999; are they micro- or nanoseconds?",
        )
    )
    return None


def _quality(metric: Message.Metric, problems: list[Problem]) -> int | None:
    """The `Quality` property. The other properties are not read: nothing asks for them yet."""
    keys, values = metric.properties.keys, metric.properties.values
    if len(keys) != len(values):
        problems.append(
            Problem(
                FindingName.PROPERTIES_INVALID,
                f"the metric {metric.name or metric.alias} has {len(keys)} property keys and {len(values)} values",
            )
        )
        return None
    for key, value in zip(keys, values, strict=True):
        if key == QUALITY and value.WhichOneof("value") == "int_value":
            return value.int_value
    return None


def inflate(message: Message) -> Message:
    """What a compressed payload holds, one level deep. Its `seq` counts. Raises `PayloadError`."""
    try:
        held = parse(_inflate(message))
    except PayloadError as error:
        raise PayloadError(f"inside a compressed payload: {error}") from error
    if held.uuid == COMPRESSED_UUID:
        raise PayloadError("a compressed payload inside a compressed payload")
    return held


def _inflate(message: Message) -> bytes:
    """The bytes in the body of a compressed payload, at most `MOST_BYTES` of them."""
    algorithm = next((m.string_value for m in message.metrics if m.name == "algorithm"), "DEFLATE")
    if algorithm not in ("DEFLATE", "GZIP"):
        raise PayloadError(f"compressed with {algorithm[:40]!r}; the standard knows DEFLATE and GZIP")
    try:
        return _decompress(message.body, _AUTO_WBITS)
    except zlib.error:
        pass
    try:
        return _decompress(message.body, _RAW_WBITS)
    except zlib.error as error:
        raise PayloadError(f"the compressed body cannot be inflated: {error}") from error


def _decompress(body: bytes, wbits: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    inflated = inflater.decompress(body, MOST_BYTES + 1)
    if len(inflated) > MOST_BYTES:
        raise PayloadError(f"the compressed body holds more than {MOST_BYTES} bytes")
    if not inflater.eof:
        raise PayloadError("the compressed body is cut short")
    if inflater.unused_data:
        raise PayloadError(f"{len(inflater.unused_data)} bytes follow the compressed body, which are not read")
    return inflated
