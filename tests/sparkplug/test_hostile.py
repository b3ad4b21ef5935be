"""Payloads as other programs, defects and enemies might send them, each beside a sound metric that must be read.

The corpus has captured and famous ones; these are one step on: a field missing, doubled, of another type, huge.
"""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from sparkplug.fact import DataRead, Finding, Output, RequestRebirth, Value
from sparkplug.host import HostApplication
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import COMPRESSED_UUID, MOST_METRICS
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from tests.sparkplug.situation import SENT_MS, birth_bytes

BIRTH, DATA, DEATH = "NBIRTH", "NDATA", "NDEATH"
SPEED: dict[str, Any] = {"name": "speed", "int_value": 5}
SESSION: list[dict[str, Any]] = [
    {"name": "bdSeq", "datatype": Datatype.INT64, "long_value": 7},
    {"name": "Node Control/Rebirth", "datatype": Datatype.BOOLEAN, "boolean_value": False},
]


def message(*metrics: dict[str, Any], **fields: Any) -> bytes:
    """A payload of these metrics, with `seq` 1 unless told otherwise."""
    top = {"timestamp": SENT_MS, "seq": 1} | fields
    told = {name: value for name, value in top.items() if value is not None}
    return Message(**told, metrics=[Message.Metric(**metric) for metric in metrics]).SerializeToString()


def birth(*metrics: dict[str, Any]) -> bytes:
    return message(*SESSION, {**SPEED, "datatype": Datatype.INT32}, *metrics, seq=0)


def compressed(raw: bytes) -> bytes:
    return Message(uuid=COMPRESSED_UUID, body=raw).SerializeToString()


def data_set(**fields: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": Datatype.DATASET, "dataset_value": Message.DataSet(**fields)}


def template(*members: dict[str, Any]) -> dict[str, Any]:
    held = Message.Template(is_definition=True, metrics=[Message.Metric(**member) for member in members])
    return {"name": "x", "datatype": Datatype.TEMPLATE, "template_value": held}


def sent(verb: str, raw: bytes) -> tuple[Output, ...]:
    """What a host answers that knows the node, and its alias 1 `speed`."""
    host = HostApplication("hostA")
    host.connected(1, will_ms=1)
    host.receive("spBv1.0/H/NBIRTH/n", birth_bytes(), retain=False, now_ms=SENT_MS)
    outputs = host.receive(f"spBv1.0/H/{verb}/n", raw, retain=False, now_ms=SENT_MS)
    for node in host.take_changed():
        HostApplication("hostA").restore(node, host.snapshot(node))
    return outputs


def findings(outputs: tuple[Output, ...]) -> list[str]:
    return [output.name for output in outputs if isinstance(output, Finding)]


def values(outputs: tuple[Output, ...]) -> dict[str, Value]:
    read = [output for output in outputs if isinstance(output, DataRead)]
    return {reading.metric: reading.value for each in read for reading in each.readings}


@pytest.mark.parametrize(
    ("verb", "raw", "expected"),
    [
        (DATA, message(SPEED, {**SPEED, "name": "other"}), ["metric-unknown"]),
        (DATA, message(SPEED, {"alias": 2**64 - 1, "int_value": 1}), ["alias-unknown"]),
        (DATA, message(SPEED, {"int_value": 1}), ["metric-unnamed"]),
        (DATA, message(SPEED, {"name": "", "int_value": 1}), ["metric-unnamed"]),
        (DATA, message(SPEED, {}), ["metric-unnamed"]),
        (DATA, message(SPEED, {**SPEED, "datatype": 2**32 - 1}), ["datatype-unknown"]),
        (DATA, message(SPEED, {"name": "speed"}), ["value-missing"]),
        (DATA, message(SPEED, {"name": "speed", "long_value": 2**40}), ["value-invalid"]),
        (DATA, message(SPEED, {"name": "speed", "float_value": 1.0}), ["value-invalid"]),
        (
            DATA,
            message(SPEED, {"name": "speed", "extension_value": Message.Metric.MetricValueExtension()}),
            ["value-invalid"],
        ),
        (DATA, message({**SPEED, "timestamp": 2**64 - 1}), ["timestamp-invalid"]),
        (DATA, message({**SPEED, "timestamp": SENT_MS * 1_000}), ["timestamp-invalid"]),
        (DATA, message(SPEED, timestamp=2**63), ["timestamp-invalid"]),
        (DATA, message(SPEED, timestamp=0), ["timestamp-missing"]),
        (DATA, message(SPEED, seq=None), ["seq-missing"]),
        (DATA, message(SPEED, seq=2**64 - 1), ["seq-missing"]),
        (DATA, message({**SPEED, "properties": Message.PropertySet(keys=["a", "a"])}), ["properties-invalid"]),
        (BIRTH, birth({"alias": 9, "datatype": Datatype.INT8, "int_value": 1}), ["metric-unnamed"]),
        (BIRTH, birth({"name": "ab", "datatype": Datatype.INT8}).replace(b"ab", b"\xc0\xaf"), ["metric-unnamed"] * 2),
        (BIRTH, birth({"name": "abc", "alias": 9}).replace(b"abc", b"\xed\xa0\x80"), ["metric-unnamed"]),
        (BIRTH, birth(data_set(num_of_columns=2**64 - 1, columns=["a"], types=[3])), ["value-invalid"]),
        (BIRTH, birth(data_set(columns=["a"], types=[Datatype.BYTES])), ["value-invalid"]),
        (BIRTH, birth(data_set(rows=[Message.DataSet.Row()] * 1_000_001)), ["value-invalid"]),
        (BIRTH, birth(template({"int_value": 1})), ["value-invalid"]),
        (BIRTH, birth(template({"name": "m", "datatype": 99, "int_value": 1})), ["value-invalid"]),
        (BIRTH, birth(template(*[{"name": "m", "datatype": 3, "int_value": 1}] * 2)), ["value-invalid"]),
        (
            BIRTH,
            birth({"name": "x", "datatype": Datatype.BOOLEAN_ARRAY, "bytes_value": b"\xff" * 8}),
            ["value-invalid"],
        ),
        (
            BIRTH,
            birth({"name": "x", "datatype": Datatype.INT8_ARRAY, "bytes_value": bytes(1_000_001)}),
            ["value-invalid"],
        ),
        (BIRTH, birth({"name": "x", "datatype": Datatype.STRING_ARRAY, "string_value": "a"}), ["value-invalid"]),
        (BIRTH, birth({"name": "x", "datatype": Datatype.PROPERTY_SET, "int_value": 1}), ["datatype-unknown"]),
        (BIRTH, birth({"name": "x", "datatype": Datatype.INT64, "int_value": 2**32 - 5}), ["value-invalid"]),
    ],
)
def test_what_is_wrong_is_found_and_the_sound_metric_is_read(verb: str, raw: bytes, expected: list[str]) -> None:
    outputs = sent(verb, raw)

    assert sorted(set(findings(outputs))) == sorted(set(expected))
    assert values(outputs)["speed"] == 5


@pytest.mark.parametrize(
    ("verb", "raw", "expected"),
    [
        (DATA, message({**SPEED, "alias": 1}), {"speed": 5}),
        (DATA, message({"alias": 1, "long_value": 2**64 - 5}), {"speed": -5}),
        (DATA, message({**SPEED, "datatype": 0}), {"speed": 5}),
        (DATA, message({**SPEED, "is_null": True}), {"speed": None}),
        (DATA, message({"name": "speed", "is_null": True}), {"speed": None}),
        (DATA, message({**SPEED, "timestamp": SENT_MS + 10**12}), {"speed": 5}),
        (DATA, message({**SPEED, "timestamp": 0}), {"speed": 5}),
        (DATA, message(SPEED) + b"\xf2\xff\x7f\x03abc", {"speed": 5}),
        (DATA, compressed(zlib.compress(message(SPEED))), {"speed": 5}),
        (DATA, compressed(gzip.compress(message(SPEED))), {"speed": 5}),
        (
            BIRTH,
            birth({"name": "a\0\u202e\n", "datatype": Datatype.STRING, "string_value": "\ufeff"}),
            {"a\0\u202e\n": "\ufeff"},
        ),
        (BIRTH, birth({"name": "x" * 100_000, "datatype": Datatype.INT8, "int_value": 1}), {"x" * 100_000: 1}),
        (BIRTH, birth({"name": "x", "datatype": Datatype.UINT64, "long_value": 2**64 - 1}), {"x": 2**64 - 1}),
        (BIRTH, birth({"name": "x", "datatype": Datatype.INT8, "int_value": 251}), {"x": -5}),
        (BIRTH, birth({"name": "x", "datatype": Datatype.UINT32, "long_value": 2**32 - 1}), {"x": 2**32 - 1}),
    ],
)
def test_what_is_odd_and_clear_is_read_without_a_finding(verb: str, raw: bytes, expected: dict[str, Value]) -> None:
    outputs = sent(verb, raw)

    assert findings(outputs) == []
    assert values(outputs).items() >= expected.items()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'<?xml version="1.0"?><a/>',
        b'{"metrics":[{"name":"speed","value":5}]}',
        b"[1, 2]",
        b"speed=5",
        bytes.fromhex("101000044d5154540402003c000461626364"),  # an MQTT CONNECT
        bytes.fromhex("000100000006010300000002"),  # Modbus over TCP
        bytes.fromhex("3082010a0282010100"),  # ASN.1
        bytes.fromhex("a26161016162820203"),  # CBOR
        bytes.fromhex("82a16101a1620293"),  # MessagePack
        zlib.compress(message(SPEED)),
        gzip.compress(message(SPEED)),
        compressed(message(SPEED)),
        message(SPEED)[:-1],
        message(SPEED) * 2 + b"\x12",
        bytes(10_000_000),
        b"\x12\x00" * (MOST_METRICS + 5),
        compressed(zlib.compress(bytes(50_000_000))),
    ],
)
def test_the_payload_of_another_protocol_or_a_bomb_is_refused_and_changes_nothing(raw: bytes) -> None:
    outputs = sent(DATA, raw)

    assert findings(outputs) == ["payload-unreadable"]
    assert values(outputs) == {}


def test_a_broken_birth_is_not_asked_for_again_and_again() -> None:
    broken = [
        birth({"alias": 9, "int_value": 1}),
        birth({"name": "x", "alias": 1, "datatype": 99}, {"name": "y", "alias": 1}),
        message(seq=0),
    ]

    assert [[output for output in sent(BIRTH, raw) if isinstance(output, RequestRebirth)] for raw in broken] == [[]] * 3


def test_a_metric_of_ten_megabytes_is_read() -> None:
    outputs = sent(BIRTH, birth({"name": "x", "datatype": Datatype.FILE, "bytes_value": bytes(10_000_000)}))

    assert (findings(outputs), values(outputs)["x"]) == ([], bytes(10_000_000))


def test_an_empty_death_ends_the_session_and_is_said() -> None:
    assert findings(sent(DEATH, b"")) == ["death-bdseq-missing"]
