"""`uns-bridge decode`: payloads for people and as JSON, and sentences for what is wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.commands.decode import plain_bytes
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from tests.sparkplug.situation import SENT_MS, birth_bytes, data_bytes

CORPUS = Path(__file__).parents[2] / "sparkplug" / "corpus"
BIRTH_TOPIC = "spBv1.0/plant/NBIRTH/press"


def decode(raw: bytes, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["decode", "-", *arguments], input=raw)


def as_json(raw: bytes, *arguments: str) -> Any:
    return json.loads(decode(raw, "--json", *arguments).stdout, parse_constant=pytest.fail)


def test_a_birth_is_a_table() -> None:
    result = decode(birth_bytes(), "--topic", BIRTH_TOPIC)
    head, _, *rows = [line.split() for line in result.stdout.splitlines()]

    assert result.exit_code == 0
    assert head[:7] == ["NBIRTH", "86", "bytes", "seq", "0", "2023-11-14", "22:13:20.000"]
    assert rows == [
        ["bdSeq", "Int64", "7"],
        ["Node", "Control/Rebirth", "Boolean", "false"],
        ["speed", "#1", "Int32", "10"],
    ]


def test_data_shows_alias_flags_and_a_time_of_its_own() -> None:
    metric = TypedMetric(
        name=None, alias=4, datatype=Datatype.INT32, value=5, at_ms=SENT_MS - 1_000, declares=False, historical=True
    )
    result = decode(encode(timestamp_ms=SENT_MS, seq=9, metrics=[metric]))

    row = result.stdout.splitlines()[2].split()
    assert result.exit_code == 0
    assert row[:8] == ["#4", "(in", "the", "birth)", "5", "historical", "2023-11-14", "22:13:19.000"]
    assert row[-1] == "ago)"


def test_every_value_is_exact_in_json() -> None:
    message = Message(timestamp=SENT_MS, seq=0)
    message.metrics.add(name="u", alias=2**64 - 1, datatype=Datatype.UINT64, long_value=2**64 - 1)
    message.metrics.add(name="n", datatype=Datatype.DOUBLE, double_value=float("nan"))
    message.metrics.add(name="b", datatype=Datatype.BYTES, bytes_value=b"\0\xff")
    found = as_json(message.SerializeToString(), "--topic", BIRTH_TOPIC)

    assert (found["message"], found["seq"], found["timestamp_ms"], found["faults"]) == ("NBIRTH", 0, SENT_MS, [])
    assert [(each["name"], each["alias"], each["datatype"], each["value"]) for each in found["metrics"]] == [
        ("u", "18446744073709551615", "UInt64", "18446744073709551615"),
        ("n", None, "Double", "NaN"),
        ("b", None, "Bytes", "AP8="),
    ]


@pytest.mark.parametrize(
    "told",
    [
        data_bytes(1, 5),
        data_bytes(1, 5).hex().encode(),
        data_bytes(1, 5).hex(" ").upper().encode() + b"\n",
        b"0x" + data_bytes(1, 5).hex(":").encode(),
        base64.b64encode(data_bytes(1, 5)),
        base64.encodebytes(data_bytes(1, 5)),
    ],
    ids=["raw", "hex", "spaced hex", "colons", "base64", "base64 in lines"],
)
def test_hex_and_base64_are_taken_for_what_they_are(told: bytes) -> None:
    assert plain_bytes(told) == data_bytes(1, 5)


@pytest.mark.parametrize("told", [b"", b"ONLINE", b"OFFLINE", b'{"online":true}', b"\x08\x01"])
def test_what_is_neither_stays_as_it_is(told: bytes) -> None:
    assert plain_bytes(told) == told


@pytest.mark.parametrize(
    ("raw", "topic", "line"),
    [
        (b'{"online":true,"timestamp":1700000000000}', None, "STATE: the host is online, 2023-11-14 22:13:20.000"),
        (b'{"online":false,"timestamp":1}', "spBv1.0/STATE/berlin", "STATE: the host is offline, 1970-01-01"),
        (b"OFFLINE", "STATE/berlin", "STATE: the host is offline, no timestamp"),
        (b"ONLINE", None, "STATE: the host is online, no timestamp"),
    ],
)
def test_a_state_is_read_in_both_versions(raw: bytes, topic: str | None, line: str) -> None:
    result = decode(raw, *(["--topic", topic] if topic else []))

    assert result.exit_code == 0
    assert result.stdout.startswith(line)


@pytest.mark.parametrize(
    ("raw", "topic", "sentence"),
    [
        (
            birth_bytes()[:-1],
            None,
            "not a Sparkplug payload: byte 85, in seq: a number has no end",
        ),
        (b'{"value": 5}', None, "(it looks like JSON)"),
        (b"ONLINE", "spBv1.0/STATE/berlin", "which belongs under STATE/<host>"),
        (b"MAYBE", "spBv1.0/STATE/berlin", "the STATE document is not JSON"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_with_the_place(raw: bytes, topic: str | None, sentence: str) -> None:
    arguments = ["--topic", topic] if topic else []
    result = decode(raw, *arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert sentence in as_json(raw, *arguments)["error"]


def test_what_is_wrong_with_a_metric_is_told_below_the_others() -> None:
    result = CliRunner().invoke(app, ["decode", str(CORPUS / "hostile-ds-ragged.bin")])

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "wrong: metrics[3] 'ds': a DataSet row has 1 cells for 2 columns"


def test_the_certificate_that_a_broker_keeps_is_a_birth() -> None:
    assert as_json(birth_bytes(), "--topic", f"$sparkplug/certificates/{BIRTH_TOPIC}")["message"] == "NBIRTH"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-file.bin"], "no-such-file.bin cannot be read: No such file or directory"),
        (["-", "--topic", "spBv1.0/G/FDATA/n"], "--topic: 'spBv1.0/G/FDATA/n' is no topic of Sparkplug B 3.0"),
        (["-", "--topic", "acme/berlin"], "--topic: 'acme/berlin' is no topic of Sparkplug"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["decode", *arguments], input=b"")

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_name_cannot_move_the_cursor_or_style_the_line() -> None:
    message = Message(timestamp=SENT_MS)
    message.metrics.add(name="a\x1b[2J[red]b", datatype=Datatype.STRING, string_value="x\ny")
    result = decode(message.SerializeToString())

    assert "a\\x1b[2J[red]b" in result.stdout
    assert "x\\ny" in result.stdout
