"""Values as a person writes them, read by the datatype that a birth declared. Strict: what is written goes to a plant.

As `wire.plain` writes values down, so they are read here; arrays are JSON lists.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any, Final
from uuid import UUID

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import Scalar, Value
from sparkplug.wire.datatype import SIGNED_BITS, UNSIGNED_BITS, Datatype

LARGEST_FLOAT: Final = 3.4028234663852886e38  # of 32 bits
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_REAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS: Final = {"true": True, "false": False}


def value_of(datatype: int | None, text: str) -> Value:
    """The value that `text` means for a metric of `datatype`. Raises `ValueUnreadable`, which says what would do."""
    if datatype is None or datatype not in Datatype.__members__.values():
        raise ValueUnreadable("the birth tells no datatype that the standard knows")
    declared = Datatype(datatype)
    if (item := _ITEM.get(declared)) is not None:
        return _array(declared, item, text)
    if (read := _READERS.get(declared)) is not None:
        return read(text)
    raise ValueUnreadable(f"a {declared.word} is not written from here")


def _array(datatype: Datatype, item: Datatype, text: str) -> Value:
    try:
        items = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise _misfit(datatype, text, "a JSON list such as [1, 2]") from error
    if not isinstance(items, list):
        raise _misfit(datatype, text, "a JSON list such as [1, 2]")
    return tuple(_READERS[item](_word(datatype, each)) for each in items)


def _word(datatype: Datatype, item: Any) -> str:
    """An item as it would stand alone."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str) and not ("\0" in item and datatype is Datatype.STRING_ARRAY):
        return item
    raise _misfit(datatype, json.dumps(item), "single values as its items, without NUL")


def _integer(low: int, high: int, datatype: Datatype, text: str) -> int:
    if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise _misfit(datatype, text, f"a whole number from {low} to {high}")
    return int(text)


def _real(largest: float, datatype: Datatype, text: str) -> float:
    if not _REAL.fullmatch(text) or not isfinite(float(text)) or abs(float(text)) > largest:
        raise _misfit(datatype, text, f"a number such as 4.5, at most {largest:g} either way")
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise _misfit(Datatype.BOOLEAN, text, "true or false")
    return _BOOLEANS[text.lower()]


def _moment(text: str) -> int:
    """Milliseconds of UTC, from themselves or from ISO 8601 with a zone."""
    wanted = "ISO 8601 with a zone, such as 2026-11-23T10:00:00Z, or milliseconds since 1970"
    if _INTEGER.fullmatch(text):
        return _integer(0, (1 << 64) - 1, Datatype.DATETIME, text)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or moment < _EPOCH:
            raise _misfit(Datatype.DATETIME, text, wanted)
        since = moment - _EPOCH
    except (ValueError, OverflowError) as error:
        raise _misfit(Datatype.DATETIME, text, wanted) from error
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _text(text: str) -> str:
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):  # what a shell passed was not UTF-8
        raise _misfit(Datatype.STRING, ascii(text), "UTF-8")
    return text


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise _misfit(Datatype.UUID, text, "32 hexadecimal digits, with or without hyphens") from error


def _bytes(datatype: Datatype, text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _misfit(datatype, text, "Base64") from error


def _misfit(datatype: Datatype, text: str, wanted: str) -> ValueUnreadable:
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    article = "an" if datatype.word[0] in "I" else "a"
    return ValueUnreadable(f"{shown!r} is no {datatype.word}: {article} {datatype.word} is {wanted}")


_READERS: Final[dict[Datatype, Callable[[str], Scalar]]] = {
    **{each: partial(_integer, -(1 << (bits - 1)), (1 << (bits - 1)) - 1, each) for each, bits in SIGNED_BITS.items()},
    **{each: partial(_integer, 0, (1 << bits) - 1, each) for each, bits in UNSIGNED_BITS.items()},
    Datatype.FLOAT: partial(_real, LARGEST_FLOAT, Datatype.FLOAT),
    Datatype.DOUBLE: partial(_real, 1.7976931348623157e308, Datatype.DOUBLE),
    Datatype.BOOLEAN: _boolean,
    Datatype.STRING: _text,
    Datatype.TEXT: _text,
    Datatype.UUID: _uuid,
    Datatype.DATETIME: _moment,
    Datatype.BYTES: partial(_bytes, Datatype.BYTES),
    Datatype.FILE: partial(_bytes, Datatype.FILE),
}
_ITEM: Final = {
    datatype: Datatype[datatype.name.removesuffix("_ARRAY")]
    for datatype in Datatype
    if datatype.name.endswith("_ARRAY")
}
"""What an array holds."""
