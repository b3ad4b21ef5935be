"""The datatypes of the standard and how integers travel in the two unsigned fields of the payload."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from sparkplug.errors import ValueUnreadable


class Datatype(IntEnum):
    """The codes of `tck-id-payloads-metric-datatype-value`."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTY_SET = 20
    PROPERTY_SET_LIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATETIME_ARRAY = 34

    @property
    def word(self) -> str:
        """Its name as the standard writes it: `UInt16Array`."""
        return _WORDS.get(self, self.name.title().replace("_", ""))


_WORDS: Final = {
    Datatype.UINT8: "UInt8",
    Datatype.UINT16: "UInt16",
    Datatype.UINT32: "UInt32",
    Datatype.UINT64: "UInt64",
    Datatype.UINT8_ARRAY: "UInt8Array",
    Datatype.UINT16_ARRAY: "UInt16Array",
    Datatype.UINT32_ARRAY: "UInt32Array",
    Datatype.UINT64_ARRAY: "UInt64Array",
    Datatype.DATETIME: "DateTime",
    Datatype.DATETIME_ARRAY: "DateTimeArray",
    Datatype.DATASET: "DataSet",
    Datatype.UUID: "UUID",
}

SIGNED_BITS: Final = {Datatype.INT8: 8, Datatype.INT16: 16, Datatype.INT32: 32, Datatype.INT64: 64}
UNSIGNED_BITS: Final = {
    Datatype.UINT8: 8,
    Datatype.UINT16: 16,
    Datatype.UINT32: 32,
    Datatype.UINT64: 64,
    Datatype.DATETIME: 64,
}


def signed_reader(bits: int) -> Callable[[int], int]:
    """Reads a signed integer of `bits` from an unsigned field.

    Publishers encode a negative one in three ways: cut to its own width, sign-extended to 32 bits, or
    sign-extended to 64. All three are read; anything else raises `ValueUnreadable`.
    """
    half, full = 1 << (bits - 1), 1 << bits

    def read(raw: int) -> int:
        if raw < half:
            return raw
        if raw < full:
            return raw - full
        if (1 << 32) - half <= raw < 1 << 32:
            return raw - (1 << 32)
        if (1 << 64) - half <= raw < 1 << 64:
            return raw - (1 << 64)
        raise ValueUnreadable(f"{raw} does not fit a signed integer of {bits} bits")

    return read


def unsigned_reader(bits: int) -> Callable[[int], int]:
    """Reads an unsigned integer of `bits`, whichever field carries it. Raises `ValueUnreadable`."""
    full = 1 << bits

    def read(raw: int) -> int:
        if raw < full:
            return raw
        raise ValueUnreadable(f"{raw} does not fit an unsigned integer of {bits} bits")

    return read
