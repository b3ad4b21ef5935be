"""Payloads: what is written is read, what is broken is refused, and one bad metric costs no other."""

from __future__ import annotations

import contextlib
import gzip
import math
import zlib
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import PayloadError
from sparkplug.fact import LAST_AT_MS, DataSet, Template, Value
from sparkplug.finding import FindingName, Problem
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import (
    COMPRESSED_UUID,
    MOST_BYTES,
    MOST_METRICS,
    Payload,
    TypedMetric,
    decode,
    encode,
)
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.value import read_value

AT_MS = 1_700_000_000_000

VALUES: list[tuple[Datatype, Value]] = [
    (Datatype.INT8, -128),
    (Datatype.INT16, -300),
    (Datatype.INT32, -(2**31)),
    (Datatype.INT64, -(2**63)),
    (Datatype.UINT8, 255),
    (Datatype.UINT16, 65_535),
    (Datatype.UINT32, 2**32 - 1),
    (Datatype.UINT64, 2**64 - 1),
    (Datatype.FLOAT, 1.5),
    (Datatype.DOUBLE, -math.inf),
    (Datatype.BOOLEAN, True),
    (Datatype.STRING, "héllo ✓"),
    (Datatype.DATETIME, AT_MS),
    (Datatype.TEXT, ""),
    (Datatype.UUID, "12345678-1234-5678-1234-567812345678"),
    (Datatype.BYTES, b"\0\xff"),
    (Datatype.FILE, b"abc"),
    (Datatype.INT16_ARRAY, (-1, 2)),
    (Datatype.STRING_ARRAY, ("a", "b")),
    (
        Datatype.DATASET,
        DataSet(columns=("n", "x", "b", "s", "none"), rows=((-1, 1.5, True, "a", None), (None, 2.0, None, None, None))),
    ),
    (Datatype.INT32, None),
]


def one(datatype: Datatype, value: Value) -> Payload:
    """A payload with one metric."""
    metric = TypedMetric(name="m", datatype=datatype, value=value, at_ms=AT_MS)
    return decode(encode(timestamp_ms=AT_MS, seq=3, metrics=[metric]))


def compressed(body: bytes, algorithm: str | None = "DEFLATE") -> bytes:
    message = Message(uuid=COMPRESSED_UUID, body=body)
    if algorithm is not None:
        message.metrics.add(name="algorithm", datatype=Datatype.STRING, string_value=algorithm)
    return message.SerializeToString()


@pytest.mark.spec("tck-id-payloads-metric-datatype-value")
@pytest.mark.spec("tck-id-payloads-dataset-types-value")
@pytest.mark.spec("tck-id-payloads-template-dataset-value")
@pytest.mark.parametrize(("datatype", "value"), VALUES)
def test_a_value_reads_as_it_was_written(datatype: Datatype, value: Value) -> None:
    payload = one(datatype, value)
    metric = payload.metrics[0]

    assert (payload.timestamp_ms, payload.seq, payload.problems) == (AT_MS, 3, ())
    assert (metric.name, metric.datatype, metric.at_ms, metric.is_null) == ("m", datatype, AT_MS, value is None)
    if metric.field is not None:
        assert read_value(datatype, metric.field, metric.raw, {}) == value


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (Datatype.INT8, 128),
        (Datatype.UINT32, -1),
        (Datatype.INT32, True),
        (Datatype.INT32, 1.5),
        (Datatype.BOOLEAN, 1),
        (Datatype.STRING, b"a"),
        (Datatype.BYTES, "a"),
        (Datatype.FLOAT, "1"),
        (Datatype.INT8_ARRAY, 1),
        (Datatype.INT8, (1,)),
        (Datatype.INT32, DataSet(columns=(), rows=())),
        (Datatype.TEMPLATE, Template(ref=None, is_definition=True, members={})),
    ],
)
def test_what_does_not_fit_is_not_written(datatype: Datatype, value: Value) -> None:
    with pytest.raises(ValueError):
        one(datatype, value)


def test_alias_0_and_seq_0_are_there() -> None:
    metric = TypedMetric(name=None, alias=0, datatype=Datatype.INT32, value=0, at_ms=None, declares=False)
    payload = decode(encode(timestamp_ms=AT_MS, seq=0, metrics=[metric]))

    assert payload.seq == 0
    assert (payload.metrics[0].alias, payload.metrics[0].name, payload.metrics[0].datatype) == (0, None, None)


def test_an_empty_payload_has_nothing() -> None:
    assert decode(b"") == Payload(
        timestamp_ms=None,
        seq=None,
        metrics=(),
        problems=(Problem(FindingName.TIMESTAMP_MISSING, "the payload has no timestamp"),),
    )


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(PayloadError):
        decode(raw)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_every_timestamp_that_is_taken_is_a_moment_in_every_zone(zone: str) -> None:
    payload = decode(Message(timestamp=LAST_AT_MS).SerializeToString())

    assert payload.timestamp_ms is not None
    assert datetime.fromtimestamp(payload.timestamp_ms / 1000, ZoneInfo(zone)).year == 9999
    assert decode(Message(timestamp=LAST_AT_MS + 1).SerializeToString()).timestamp_ms is None


def test_a_timestamp_after_the_calendar_is_left_out() -> None:
    payload = decode(Message(timestamp=2**64 - 1).SerializeToString())

    assert payload.timestamp_ms is None
    assert [problem.name for problem in payload.problems] == [FindingName.TIMESTAMP_INVALID]


def test_a_name_that_is_not_utf8_costs_only_its_metric() -> None:
    raw = Message(timestamp=AT_MS, metrics=[Message.Metric(name="ab", int_value=1)]).SerializeToString()
    payload = decode(raw.replace(b"ab", b"\xff\xfe"))

    assert payload.metrics[0].name is None
    assert [problem.name for problem in payload.problems] == [FindingName.METRIC_UNNAMED]


@pytest.mark.spec("tck-id-payloads-propertyset-quality-value-type")
@pytest.mark.spec("tck-id-payloads-propertyset-quality-value-value")
def test_the_quality_of_a_metric_is_read() -> None:
    message = Message(timestamp=AT_MS)
    properties = message.metrics.add(name="m").properties
    properties.keys.extend(["engUnit", "Quality"])
    properties.values.add(type=Datatype.STRING, string_value="mm")
    properties.values.add(type=Datatype.INT32, int_value=192)

    assert decode(message.SerializeToString()).metrics[0].quality == 192


@pytest.mark.spec("tck-id-payloads-propertyset-values-array-size")
@pytest.mark.spec("tck-id-payloads-propertyset-keys-array-size")
def test_properties_whose_keys_and_values_differ_in_number_are_a_problem() -> None:
    message = Message(timestamp=AT_MS)
    message.metrics.add(name="m").properties.keys.append("Quality")
    payload = decode(message.SerializeToString())

    assert payload.problems == (
        Problem(FindingName.PROPERTIES_INVALID, "the metric m has 1 property keys and 0 values"),
    )


INNER = encode(timestamp_ms=AT_MS, seq=5, metrics=[])


@pytest.mark.parametrize(
    "raw",
    [
        compressed(zlib.compress(INNER)),
        compressed(zlib.compress(INNER), algorithm=None),
        compressed(zlib.compress(INNER)[2:-4]),
        compressed(gzip.compress(INNER), "GZIP"),
    ],
    ids=["deflate", "deflate by default", "deflate without a header", "gzip"],
)
def test_a_compressed_payload_is_inflated(raw: bytes) -> None:
    assert (decode(raw).timestamp_ms, decode(raw).seq) == (AT_MS, 5)


def test_the_size_of_a_compressed_payload_is_what_it_holds() -> None:
    metric = TypedMetric(name="m", datatype=Datatype.STRING, value="0" * 100_000, at_ms=AT_MS)
    zeros = encode(timestamp_ms=AT_MS, seq=5, metrics=[metric])

    assert decode(zeros).size == len(zeros)
    assert decode(compressed(zlib.compress(zeros))).size == len(zeros)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x0a\xff", "not a Sparkplug payload"),
        (b'{"value": 5}', "not a Sparkplug payload"),
        (compressed(INNER, "LZ4"), "compressed with 'LZ4'"),
        (compressed(b"neither"), "cannot be inflated"),
        (compressed(zlib.compress(INNER)[:-1]), "cut short"),
        (compressed(zlib.compress(compressed(zlib.compress(INNER)))), "payload inside a compressed payload"),
        (compressed(zlib.compress(bytes(MOST_BYTES + 1))), "more than 16777216 bytes"),
        (compressed(zlib.compress(INNER) + b"more"), "4 bytes follow the compressed body"),
        (compressed(gzip.compress(INNER) * 2, "GZIP"), "bytes follow the compressed body"),
        (compressed(b""), "cut short"),
        (
            compressed(zlib.compress(b"\x0a\xff")),
            "inside a compressed payload: not a Sparkplug payload: byte 1, in timestamp",
        ),
        (bytes(MOST_BYTES + 1), "a payload of 16777217 bytes"),
        (b"\x12\x00" * (MOST_METRICS + 5), "more than 200000 metrics"),
        (compressed(zlib.compress(b"\x12\x00" * (MOST_METRICS + 5))), "more than 200000 metrics"),
    ],
)
def test_bytes_that_cannot_be_read_as_a_whole_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(PayloadError, match=reason):
        decode(raw)


def test_a_body_that_just_fits_is_inflated() -> None:
    filler = Message(body=bytes(MOST_BYTES - 5)).SerializeToString()

    assert len(filler) == MOST_BYTES
    assert decode(compressed(zlib.compress(filler))).body == bytes(MOST_BYTES - 5)
