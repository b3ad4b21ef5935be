"""Where the bytes of a payload stop being protobuf, in a sentence; whether they hold too much to be read."""

from __future__ import annotations

from collections import Counter
from typing import Final

from google.protobuf.descriptor import Descriptor

from sparkplug.wire.sparkplug_b_pb2 import Payload as Message

DEEPEST: Final = 100  # protobuf's own limit; a template costs two levels, a property set two
_MOST_FIELDS: Final = 100_000  # then the place is not searched any further: a tenth of a second
_VARINT, _FIXED64, _LENGTH, _GROUP, _GROUP_END, _FIXED32 = range(6)
_LAST_FIELD: Final = (1 << 29) - 1
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT: Final = 10


class _Broken(Exception):
    """Inside this module: here it is, and this is wrong."""


def holds_more_fields(raw: bytes, most: int) -> bool:
    """Whether a payload has more than `most` fields of its own: its metrics and four more. It makes none of them."""
    scan, at = _Scan(raw), 0
    try:
        for _ in range(most):
            tag, at = scan.varint(at, len(raw), "")
            at = scan.skip(at, len(raw), tag & 7, "")
    except _Broken:
        return False  # it ends here, or is broken, which the reading will tell
    return at < len(raw)


def whole_fields(raw: bytes) -> bytes:
    """The fields that are there whole: what can be read of a payload that was cut off."""
    scan, at = _Scan(raw), 0
    try:
        while at < len(raw):
            tag, start = scan.varint(at, len(raw), "")
            at = scan.skip(start, len(raw), tag & 7, "")
    except _Broken:
        pass
    return raw[:at]


def find_break(raw: bytes) -> str:
    """What is wrong and at which byte: `byte 45, in metrics[3].name: 17 bytes are announced, 12 follow`."""
    looks = _looks_like(raw)
    try:
        _Scan(raw).message(0, len(raw), Message.DESCRIPTOR, "", 1)
    except _Broken as broken:
        return f"{broken}{looks}"
    return f"the bytes are no protobuf{looks}"


def _looks_like(raw: bytes) -> str:
    """What else it may be, for the commonest mistakes."""
    if raw[:1] in (b"{", b"["):
        return " (it looks like JSON)"
    if raw.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")):
        return " (it looks compressed, without the payload that must hold it)"
    head = raw[:64]
    if head.isascii() and head.decode("ascii").isprintable():
        return " (it looks like text)"
    return ""


class _Scan:
    """Goes over the fields as protobuf does: what a field does not know is skipped, with its length."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._fields = 0

    def message(self, at: int, end: int, kind: Descriptor | None, path: str, depth: int) -> None:
        """One message from `at` to `end`. Raises `_Broken`."""
        seen: Counter[int] = Counter()
        while at < end:
            begin = at
            tag, start = self.varint(at, end, path)
            number, wire = tag >> 3, tag & 7
            self._count(begin, path)
            if not 0 < number <= _LAST_FIELD or wire > _FIXED32 or wire == _GROUP_END:
                raise _Broken(f"byte {begin}{_in(path)}: {self._raw[begin]:#04x} begins no field")
            field = kind.fields_by_number.get(number) if kind is not None else None
            name = f"field {number}" if field is None else field.name
            if field is not None and field.is_repeated:
                name += f"[{seen[number]}]"
            seen[number] += 1
            inner = f"{path}.{name}" if path else name
            if wire == _GROUP:
                raise _Broken(f"byte {begin}, in {inner}: a group, which Sparkplug does not have")
            at = self.skip(start, end, wire, inner)
            if wire == _LENGTH and field is not None and field.message_type is not None:
                if depth == DEEPEST:
                    raise _Broken(f"byte {begin}, in {_ends(inner)}: nested deeper than {DEEPEST} levels")
                self.message(self.varint(start, end, inner)[1], at, field.message_type, inner, depth + 1)

    def skip(self, at: int, end: int, wire: int, path: str) -> int:
        """Where the value at `at` ends."""
        if wire == _VARINT:
            return self.varint(at, end, path)[1]
        begin, size = at, _FIXED_BYTES.get(wire, 0)
        if wire == _LENGTH:
            size, at = self.varint(at, end, path)
        if size > end - at:
            raise _Broken(f"byte {begin}, in {_ends(path)}: {size} bytes are announced, {end - at} follow")
        return at + size

    def varint(self, at: int, end: int, path: str) -> tuple[int, int]:
        """A number and where it ends."""
        begin, number, shift = at, 0, 0
        while at < end and at - begin < _LONGEST_VARINT:
            byte = self._raw[at]
            number |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return number, at
        raise _Broken(f"byte {begin}{_in(path)}: a number has no end")

    def _count(self, at: int, path: str) -> None:
        self._fields += 1
        if self._fields > _MOST_FIELDS:
            raise _Broken(f"after byte {at}{_in(path)}: the bytes are no protobuf")


def _in(path: str) -> str:
    return f", in {_ends(path)}" if path else ""


def _ends(path: str) -> str:
    """A path that a line can hold."""
    return path if len(path) <= 120 else f"{path[:50]} ... {path[-50:]}"
