"""Where bytes stop being a payload."""

from __future__ import annotations

import contextlib

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.wire.scan import DEEPEST, find_break, holds_more_fields, whole_fields
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message


def payload() -> bytes:
    """A timestamp and two metrics."""
    return Message(timestamp=5, metrics=[Message.Metric(name="a"), Message.Metric(name="speed")]).SerializeToString()


def nested(levels: int) -> bytes:
    """A template in a template, so many times: each costs two levels."""
    message = Message()
    metric = message.metrics.add(name="m")
    for _ in range(levels):
        metric = metric.template_value.metrics.add(name="m")
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (payload()[:-1], "byte 8, in metrics[1]: 7 bytes are announced, 6 follow"),
        (payload()[:-8], "byte 8, in metrics[1]: a number has no end"),
        (
            payload().replace(b"\x07\x0a\x05", b"\x07\x0a\x06"),
            "byte 10, in metrics[1].name: 6 bytes are announced, 5 follow",
        ),
        (b"\x00\x01", "byte 0: 0x00 begins no field"),
        (b"\x08\x05\x0f", "byte 2: 0x0f begins no field"),
        (b"\x08" + b"\xff" * 11, "byte 1, in timestamp: a number has no end"),
        (b"\x09\x01", "byte 1, in timestamp: 8 bytes are announced, 1 follow"),
        (b"\x08\x05\x0b", "byte 2, in timestamp: a group, which Sparkplug does not have"),
        (b'{"value": 5}', "byte 0, in field 15: a group, which Sparkplug does not have (it looks like JSON)"),
        (b"hello world", "byte 2: 0x6c begins no field (it looks like text)"),
        (
            b"\x1f\x8b\x08\x00",
            "byte 0: 0x1f begins no field (it looks compressed, without the payload that must hold it)",
        ),
    ],
)
def test_the_place_and_the_reason_are_told(raw: bytes, told: str) -> None:
    with pytest.raises(DecodeError):
        Message.FromString(raw)

    assert find_break(raw) == told


def test_what_is_nested_too_deeply_is_told_with_its_way_cut_short() -> None:
    told = find_break(nested(60))

    assert told.startswith("byte ")
    assert told.endswith(f": nested deeper than {DEEPEST} levels")
    assert len(told) < 200


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_broken_payload_has_a_place(tail: bytes, cut: int) -> None:
    raw = payload()[:cut] + tail
    with contextlib.suppress(DecodeError):
        Message.FromString(raw)
        return
    assert "byte " in find_break(raw)


def test_a_field_beyond_the_last_number_of_fields_has_a_place() -> None:
    raw = payload() + bytes.fromhex("998080801000")
    assert find_break(raw).startswith(f"byte {len(payload())}: 0x99 begins no field")


def test_fields_are_counted_without_making_metrics() -> None:
    assert not holds_more_fields(payload(), 3)
    assert holds_more_fields(payload(), 2)
    assert not holds_more_fields(payload()[:-1], 3)


def test_counting_ends_where_it_is_enough() -> None:
    assert holds_more_fields(bytes(10_000_000), 5)


def test_what_is_there_whole_of_a_payload_that_was_cut_off_can_be_read() -> None:
    raw = payload()

    assert [metric.name for metric in Message.FromString(whole_fields(raw[:-1])).metrics] == ["a"]
    assert (whole_fields(raw), whole_fields(b""), whole_fields(b"\xff")) == (raw, b"", b"")
