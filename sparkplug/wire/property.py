"""Properties of a metric: sets of named values, which may hold sets again.

The host needs only `Quality`, which `wire.payload` reads on its way. This reads all, for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sparkplug.errors import ValueUnreadable
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.plain import Plain, plain
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.value import BASIC, read_text, read_value

QUALITY: Final = "Quality"
QUALITIES: Final = {0: "bad", 192: "good", 500: "stale"}


class PropertyReader:
    """Reads a property set; what is wrong with it gathers in `faults`, each with its place."""

    def __init__(self, place: str) -> None:
        self.faults: list[tuple[str, str]] = []
        self._place = place

    def read(self, raw: Message.PropertySet) -> dict[str, Plain]:
        """The properties by name. What cannot be read is left out."""
        if len(raw.keys) != len(raw.values):
            self._fault("", f"{len(raw.keys)} property keys and {len(raw.values)} values")
            return {}
        return dict(self._properties(raw))

    def _properties(self, raw: Message.PropertySet) -> Iterator[tuple[str, Plain]]:
        for key, value in zip(raw.keys, raw.values, strict=True):
            if key == QUALITY:
                self._check_quality(value)
            try:
                yield read_text(key), self._value(value)
            except ValueUnreadable as error:
                self._fault(key, str(error))

    def _value(self, raw: Message.PropertyValue) -> Plain:
        field = raw.WhichOneof("value")
        if raw.is_null:
            return None
        if field is None:
            raise ValueUnreadable("neither a value nor null")
        if field == "propertyset_value":
            self._expect(raw, Datatype.PROPERTY_SET)
            return self.read(raw.propertyset_value)
        if field == "propertysets_value":
            self._expect(raw, Datatype.PROPERTY_SET_LIST)
            return [self.read(each) for each in raw.propertysets_value.propertyset]
        if not raw.HasField("type"):
            raise ValueUnreadable("a property without its type")
        if raw.type not in BASIC:
            raise ValueUnreadable(f"{raw.type} is no datatype of a property")
        return plain(read_value(raw.type, field, getattr(raw, field), {}))

    def _expect(self, raw: Message.PropertyValue, datatype: Datatype) -> None:
        if raw.type != datatype:
            raise ValueUnreadable(f"a {datatype.name} under the type {raw.type}")

    def _check_quality(self, raw: Message.PropertyValue) -> None:
        if raw.type != Datatype.INT32:
            self._fault(QUALITY, f"is of the type {raw.type}, not Int32")
        elif raw.int_value not in QUALITIES or raw.WhichOneof("value") != "int_value":
            self._fault(QUALITY, "is neither 0 (bad), 192 (good) nor 500 (stale)")

    def _fault(self, key: str, text: str) -> None:
        self.faults.append((f"{self._place}, property {key!r}" if key else f"{self._place}, properties", text))
