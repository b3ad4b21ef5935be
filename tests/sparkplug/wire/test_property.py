"""Properties of a metric, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from sparkplug.wire.datatype import Datatype
from sparkplug.wire.property import PropertyReader
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message


def properties(**values: dict[str, Any]) -> Message.PropertySet:
    raw = Message.PropertySet()
    for key, fields in values.items():
        raw.keys.append(key)
        raw.values.add(**fields)
    return raw


def inner() -> Message.PropertySet:
    return properties(low={"type": Datatype.DOUBLE, "double_value": -1.5})


@pytest.mark.spec("tck-id-payloads-metric-propertyvalue-type-value")
def test_properties_of_every_kind_are_read() -> None:
    reader = PropertyReader("m")
    raw = properties(
        engUnit={"type": Datatype.STRING, "string_value": "mm"},
        Quality={"type": Datatype.INT32, "int_value": 500},
        negative={"type": Datatype.INT16, "int_value": 2**32 - 5},
        large={"type": Datatype.UINT64, "long_value": 2**64 - 1},
        none={"type": Datatype.INT32, "is_null": True},
        range={"type": Datatype.PROPERTY_SET, "propertyset_value": inner()},
        ranges={
            "type": Datatype.PROPERTY_SET_LIST,
            "propertysets_value": Message.PropertySetList(propertyset=[inner(), Message.PropertySet()]),
        },
    )

    assert reader.read(raw) == {
        "engUnit": "mm",
        "Quality": 500,
        "negative": -5,
        "large": "18446744073709551615",
        "none": None,
        "range": {"low": -1.5},
        "ranges": [{"low": -1.5}, {}],
    }
    assert reader.faults == []


@pytest.mark.spec("tck-id-payloads-metric-propertyvalue-type-type")
@pytest.mark.spec("tck-id-payloads-propertyset-quality-value-value")
@pytest.mark.parametrize(
    ("key", "fields", "text"),
    [
        ("a", {"string_value": "mm"}, "a property without its type"),
        ("a", {"type": 99, "string_value": "mm"}, "99 is no datatype of a property"),
        ("a", {"type": Datatype.BYTES, "string_value": "mm"}, "17 is no datatype of a property"),
        ("a", {"type": Datatype.INT32, "string_value": "mm"}, "INT32 cannot be in string_value"),
        ("a", {"type": Datatype.INT32}, "neither a value nor null"),
        ("a", {"type": Datatype.INT32, "propertyset_value": inner()}, "a PROPERTY_SET under the type 3"),
        ("Quality", {"type": Datatype.INT32, "int_value": 7}, "is neither 0 (bad), 192 (good) nor 500 (stale)"),
        ("Quality", {"type": Datatype.INT64, "long_value": 192}, "is of the type 4, not Int32"),
    ],
)
def test_a_bad_property_is_told_and_costs_no_other(key: str, fields: dict[str, Any], text: str) -> None:
    reader = PropertyReader("m")
    read = reader.read(properties(**{key: fields}, good={"type": Datatype.BOOLEAN, "boolean_value": True}))

    assert read["good"] is True
    assert reader.faults == [(f"m, property {key!r}", text)]


def test_keys_without_values_are_told_in_an_inner_set_too() -> None:
    reader = PropertyReader("m")
    broken = Message.PropertySet(keys=["a"])
    read = reader.read(properties(set={"type": Datatype.PROPERTY_SET, "propertyset_value": broken}))

    assert (read, reader.faults) == ({"set": {}}, [("m, properties", "1 property keys and 0 values")])
