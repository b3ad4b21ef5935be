"""Array values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import ValueUnreadable
from sparkplug.wire.array import ARRAYS, pack, unpack
from sparkplug.wire.datatype import Datatype

ITEMS: dict[Datatype, st.SearchStrategy[Any]] = {
    Datatype.INT8_ARRAY: st.integers(-128, 127),
    Datatype.INT16_ARRAY: st.integers(-(2**15), 2**15 - 1),
    Datatype.INT32_ARRAY: st.integers(-(2**31), 2**31 - 1),
    Datatype.INT64_ARRAY: st.integers(-(2**63), 2**63 - 1),
    Datatype.UINT8_ARRAY: st.integers(0, 255),
    Datatype.UINT16_ARRAY: st.integers(0, 2**16 - 1),
    Datatype.UINT32_ARRAY: st.integers(0, 2**32 - 1),
    Datatype.UINT64_ARRAY: st.integers(0, 2**64 - 1),
    Datatype.FLOAT_ARRAY: st.floats(width=32, allow_nan=False),
    Datatype.DOUBLE_ARRAY: st.floats(allow_nan=False),
    Datatype.BOOLEAN_ARRAY: st.booleans(),
    Datatype.STRING_ARRAY: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    Datatype.DATETIME_ARRAY: st.integers(0, 2**62),
}


def test_every_array_datatype_is_covered() -> None:
    assert set(ITEMS) == ARRAYS


@pytest.mark.parametrize("datatype", ITEMS)
@given(data=st.data())
def test_an_array_reads_as_it_was_written(datatype: Datatype, data: st.DataObject) -> None:
    items = tuple(data.draw(st.lists(ITEMS[datatype], max_size=20)))

    assert unpack(datatype, pack(datatype, items)) == items


def test_booleans_are_packed_from_the_highest_bit_after_their_count() -> None:
    items = (False, False, True, True, False, True, False, False, True, True, False, True)

    assert pack(Datatype.BOOLEAN_ARRAY, items) == bytes.fromhex("0c00000034d0")


@pytest.mark.parametrize(
    ("datatype", "packed"),
    [
        (Datatype.INT32_ARRAY, b"\0\0\0"),
        (Datatype.BOOLEAN_ARRAY, b"\x64\0\0\0\xff"),
        (Datatype.BOOLEAN_ARRAY, b"\x01\0"),
        (Datatype.BOOLEAN_ARRAY, b"\xff\xff\xff\xff"),
        (Datatype.STRING_ARRAY, b"\xff\xfe\0"),
    ],
)
def test_an_array_whose_length_does_not_fit_is_unreadable(datatype: Datatype, packed: bytes) -> None:
    with pytest.raises(ValueUnreadable):
        unpack(datatype, packed)


def test_the_last_string_may_lack_its_end() -> None:
    assert unpack(Datatype.STRING_ARRAY, b"ABC\0hello") == ("ABC", "hello")


@pytest.mark.parametrize(
    ("datatype", "items"),
    [(Datatype.INT8_ARRAY, (300,)), (Datatype.STRING_ARRAY, ("a\0b",)), (Datatype.INT8_ARRAY, "x")],
)
def test_what_does_not_fit_is_not_written(datatype: Datatype, items: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError):
        pack(datatype, items)
