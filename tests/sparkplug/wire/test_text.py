"""What a person writes, by each datatype; what does not fit is refused with what would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import Value
from sparkplug.wire.datatype import SIGNED_BITS, UNSIGNED_BITS, Datatype
from sparkplug.wire.payload import TypedMetric, encode
from sparkplug.wire.text import value_of


@pytest.mark.parametrize(
    ("datatype", "text", "value"),
    [
        (Datatype.INT8, "-128", -128),
        (Datatype.UINT64, "18446744073709551615", (1 << 64) - 1),
        (Datatype.FLOAT, "1e-3", 0.001),
        (Datatype.DOUBLE, "-4", -4.0),
        (Datatype.BOOLEAN, "True", True),
        (Datatype.STRING, "", ""),
        (Datatype.TEXT, "Größe 5", "Größe 5"),
        (Datatype.UUID, "{550E8400E29B41D4A716446655440000}", "550e8400-e29b-41d4-a716-446655440000"),
        (Datatype.DATETIME, "2026-11-23T11:00:00.250+01:00", 1_795_428_000_250),
        (Datatype.DATETIME, "1795428000250", 1_795_428_000_250),
        (Datatype.BYTES, "AAH/", b"\x00\x01\xff"),
        (Datatype.FILE, "", b""),
        (Datatype.INT16_ARRAY, "[-5, 6]", (-5, 6)),
        (Datatype.UINT64_ARRAY, "[18446744073709551615]", ((1 << 64) - 1,)),
        (Datatype.FLOAT_ARRAY, "[1, 2.5]", (1.0, 2.5)),
        (Datatype.BOOLEAN_ARRAY, "[true, false]", (True, False)),
        (Datatype.STRING_ARRAY, '["a", ""]', ("a", "")),
        (Datatype.DATETIME_ARRAY, '["1970-01-01T00:00:01Z", 5]', (1_000, 5)),
    ],
)
def test_a_value_is_read_by_the_datatype(datatype: Datatype, text: str, value: Value) -> None:
    assert value_of(datatype, text) == value


@pytest.mark.parametrize(
    ("datatype", "text", "why"),
    [
        (Datatype.INT8, "128", "'128' is no Int8: an Int8 is a whole number from -128 to 127"),
        (Datatype.UINT16, "-1", "a UInt16 is a whole number from 0 to 65535"),
        (Datatype.INT32, "1_000", "a whole number from"),
        (Datatype.INT32, "5.0", "a whole number from"),
        (Datatype.INT64, "9223372036854775808", "a whole number from"),
        (Datatype.FLOAT, "1e39", r"at most 3.40282e\+38 either way"),
        (Datatype.DOUBLE, "nan", "a number such as 4.5"),
        (Datatype.DOUBLE, "1e999", "a number such as 4.5"),
        (Datatype.BOOLEAN, "1", "true or false"),
        (Datatype.UUID, "five", "32 hexadecimal digits"),
        (Datatype.DATETIME, "2026-11-23T11:00:00", "ISO 8601 with a zone"),
        (Datatype.DATETIME, "1969-12-31T23:59:59Z", "ISO 8601 with a zone"),
        (Datatype.DATETIME, "-5", "from 0 to"),
        (Datatype.BYTES, "???", "Base64"),
        (Datatype.STRING, "\udcff", "UTF-8"),
        (Datatype.INT8_ARRAY, "5", "a JSON list"),
        (Datatype.INT8_ARRAY, "[5", "a JSON list"),
        (Datatype.INT8_ARRAY, "[500]", "'500' is no Int8"),
        (Datatype.INT8_ARRAY, "[null]", "single values"),
        (Datatype.INT8_ARRAY, "[[5]]", "single values"),
        (Datatype.STRING_ARRAY, '["a\\u0000"]', "without NUL"),
        (Datatype.DATASET, "{}", "a DataSet is not written from here"),
        (Datatype.TEMPLATE, "{}", "a Template is not written from here"),
        (Datatype.UNKNOWN, "5", "a Unknown is not written from here"),
        (None, "5", "the birth tells no datatype"),
        (99, "5", "the birth tells no datatype"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(datatype: Datatype | None, text: str, why: str) -> None:
    with pytest.raises(ValueUnreadable, match=why):
        value_of(datatype, text)


@given(st.sampled_from([*SIGNED_BITS, *UNSIGNED_BITS]), st.integers(-(1 << 65), 1 << 65))
def test_a_whole_number_is_taken_exactly_where_the_wire_can_hold_it(datatype: Datatype, number: int) -> None:
    bits = {**SIGNED_BITS, **UNSIGNED_BITS}[datatype]
    low = -(1 << (bits - 1)) if datatype in SIGNED_BITS else 0
    if low <= number < low + (1 << bits):
        assert value_of(datatype, str(number)) == number
    else:
        with pytest.raises(ValueUnreadable):
            value_of(datatype, str(number))


@given(st.sampled_from(list(Datatype)), st.text() | st.from_regex(r"[-+0-9.eE\[\], ]*", fullmatch=True))
def test_what_is_read_can_be_written(datatype: Datatype, text: str) -> None:
    try:
        value = value_of(datatype, text)
    except ValueUnreadable:
        return
    metric = TypedMetric(name="m", datatype=datatype, value=value, at_ms=1)
    assert encode(timestamp_ms=1, seq=None, metrics=[metric])
