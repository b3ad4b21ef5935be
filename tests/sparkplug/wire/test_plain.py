"""Values as JSON holds them."""

from __future__ import annotations

import json
import math

import pytest

from sparkplug.fact import DataSet, Template, Value
from sparkplug.wire.plain import EXACT, Plain, plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("NaN", "NaN"),
        (EXACT, EXACT),
        (-EXACT, -EXACT),
        (EXACT + 1, "9007199254740993"),
        (-EXACT - 1, "-9007199254740993"),
        (2**64 - 1, "18446744073709551615"),
        (1.5, 1.5),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (b"\0\xff\x01", "AP8B"),
        ((1, math.nan, 2**60), [1, "NaN", "1152921504606846976"]),
        (DataSet(columns=("a",), rows=((None,), (math.inf,))), {"columns": ["a"], "rows": [[None], ["Infinity"]]}),
        (
            Template(
                ref="M",
                is_definition=False,
                members={"n": 2**63, "in": Template(ref="N", is_definition=False, members={})},
            ),
            {
                "ref": "M",
                "is_definition": False,
                "members": {"n": "9223372036854775808", "in": {"ref": "N", "is_definition": False, "members": {}}},
            },
        ),
    ],
)
def test_json_holds_every_value_without_losing_a_digit(value: Value, expected: Plain) -> None:
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False), parse_int=float) == json.loads(
        json.dumps(expected), parse_int=float
    )
