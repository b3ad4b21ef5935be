"""The STATE document."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import PayloadError
from sparkplug.wire.state import HostState, decode_state, encode_state


@pytest.mark.spec("tck-id-host-topic-phid-birth-payload")
@pytest.mark.spec("tck-id-host-topic-phid-death-payload")
@pytest.mark.parametrize("online", [True, False])
def test_a_state_reads_as_it_was_written(online: bool) -> None:
    assert decode_state(encode_state(HostState(online, 5))) == HostState(online, 5)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"online":true,"timestamp":1.7e12}',
        b'{"timestamp":1700000000000,"online":true,"v":2}',
        b'\xef\xbb\xbf{"online":true,"timestamp":1700000000000}',
    ],
)
def test_harmless_variants_are_read(raw: bytes) -> None:
    assert decode_state(raw) == HostState(True, 1_700_000_000_000)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"ONLINE",
        b"\xff",
        b"[]",
        b'{"online":true}',
        b'{"online":"true","timestamp":5}',
        b'{"online":true,"timestamp":"5"}',
        b'{"online":true,"timestamp":true}',
        b'{"online":true,"timestamp":-1}',
        b'{"online":true,"timestamp":1.5}',
        b'{"online":true,"timestamp":NaN}',
        b'{"online":true,"timestamp":Infinity}',
        b"[" * 100_000,
    ],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(PayloadError, match="the STATE document"):
        decode_state(raw)


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(PayloadError):
        decode_state(raw)
