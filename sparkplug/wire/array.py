"""Array values: packed little-endian in the metric's bytes field."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from sparkplug.errors import ValueUnreadable
from sparkplug.wire.datatype import Datatype

_ITEM: Final = {
    Datatype.INT8_ARRAY: "b",
    Datatype.INT16_ARRAY: "h",
    Datatype.INT32_ARRAY: "i",
    Datatype.INT64_ARRAY: "q",
    Datatype.UINT8_ARRAY: "B",
    Datatype.UINT16_ARRAY: "H",
    Datatype.UINT32_ARRAY: "I",
    Datatype.UINT64_ARRAY: "Q",
    Datatype.FLOAT_ARRAY: "f",
    Datatype.DOUBLE_ARRAY: "d",
    Datatype.DATETIME_ARRAY: "q",
}
MOST_ITEMS: Final = 1_000_000  # a waveform has some 100 000; a BooleanArray of 16 MB would be 134 million objects
_COUNT_BYTES: Final = 4  # a BooleanArray begins with its number of bits

ARRAYS: Final = frozenset({*_ITEM, Datatype.BOOLEAN_ARRAY, Datatype.STRING_ARRAY})


def unpack(datatype: Datatype, packed: bytes) -> tuple[Any, ...]:
    """The items of an array. Raises `ValueUnreadable` when the length does not fit."""
    if datatype is Datatype.BOOLEAN_ARRAY:
        return _booleans(packed)
    if datatype is Datatype.STRING_ARRAY:
        return _strings(packed)
    item = _ITEM[datatype]
    count, rest = divmod(len(packed), struct.calcsize(f"<{item}"))
    _limit(count)
    if rest:
        raise ValueUnreadable(f"{len(packed)} bytes are no whole number of items of {datatype.name}")
    return struct.unpack(f"<{count}{item}", packed)


def pack(datatype: Datatype, items: Sequence[Any]) -> bytes:
    """The bytes of an array. Raises `ValueError` where an item does not fit: that is our own mistake."""
    if datatype is Datatype.BOOLEAN_ARRAY:
        bits = "".join("1" if item else "0" for item in items)
        padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
        return struct.pack("<I", len(items)) + bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))
    if datatype is Datatype.STRING_ARRAY:
        if any("\0" in item for item in items):
            raise ValueError("an item of a StringArray cannot hold a NUL")
        return b"".join(item.encode() + b"\0" for item in items)
    try:
        return struct.pack(f"<{len(items)}{_ITEM[datatype]}", *items)
    except struct.error as error:
        raise ValueError(f"{items!r} is no {datatype.name}: {error}") from error


def _booleans(packed: bytes) -> tuple[bool, ...]:
    if len(packed) < _COUNT_BYTES:
        raise ValueUnreadable("a BooleanArray without its count")
    count = int.from_bytes(packed[:_COUNT_BYTES], "little")
    _limit(count)
    bits = packed[_COUNT_BYTES:]
    if len(bits) != -(-count // 8):
        raise ValueUnreadable(f"a BooleanArray of {count} items in {len(bits)} bytes")
    return tuple(bool(bits[i // 8] >> (7 - i % 8) & 1) for i in range(count))


def _strings(packed: bytes) -> tuple[str, ...]:
    """Items end in NUL; some publishers leave out the last one, which is tolerated."""
    if not packed:
        return ()
    _limit(packed.count(0))
    try:
        return tuple(part.decode() for part in packed.removesuffix(b"\0").split(b"\0"))
    except UnicodeDecodeError as error:
        raise ValueUnreadable("an item of a StringArray is not UTF-8") from error


def _limit(count: int) -> None:
    if count > MOST_ITEMS:
        raise ValueUnreadable(f"an array of {count} items; more than {MOST_ITEMS} are not read")
