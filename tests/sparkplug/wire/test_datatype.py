"""Integers in the two unsigned fields of the payload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import ValueUnreadable
from sparkplug.wire.datatype import signed_reader, unsigned_reader


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@given(data=st.data())
def test_a_signed_integer_is_read_in_each_encoding_in_use(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1))
    widths = [width for width in (bits, 32, 64) if width >= bits]

    assert [signed_reader(bits)(value % (1 << width)) for width in widths] == [value] * len(widths)


@pytest.mark.parametrize(("bits", "raw"), [(8, 256), (8, 1 << 31), (16, 1 << 16), (32, 1 << 40), (32, 1 << 63)])
def test_what_fits_no_encoding_is_unreadable(bits: int, raw: int) -> None:
    with pytest.raises(ValueUnreadable, match=f"signed integer of {bits} bits"):
        signed_reader(bits)(raw)


@pytest.mark.parametrize(("bits", "raw"), [(8, 256), (16, 1 << 16), (32, 1 << 32)])
def test_an_unsigned_integer_that_is_too_large_is_unreadable(bits: int, raw: int) -> None:
    assert unsigned_reader(bits)(raw - 1) == raw - 1
    with pytest.raises(ValueUnreadable, match=f"unsigned integer of {bits} bits"):
        unsigned_reader(bits)(raw)
