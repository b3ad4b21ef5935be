"""Values as the drivers of other makers' libraries take and show them, and the values that each library is given.

In JSON: whole numbers and reals are texts (`"-5"`, `"0.5"`, `"NaN"`, `"-Infinity"`), bytes are Base64, arrays are
lists, a DateTime is its milliseconds. So nothing is rounded on the way to the driver, and NaN can be compared.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from sparkplug.fact import DataSet, Template, Value
from sparkplug.wire.datatype import Datatype

Json: TypeAlias = "str | bool | None | list[Json] | dict[str, Json]"
MOMENT_MS: Final = 1_795_417_200_123  # in a float of seconds a millisecond short: a trap for who counts in those


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A metric that a node is given, and what the host must read of it.

    `spelled` is what the driver is told where `spell` does not say it (datatypes inside).
    """

    name: str
    datatype: Datatype
    value: Value
    spelled: Json = None
    alias: int | None = None
    historical: bool = False
    quality: int | None = None

    def told(self) -> dict[str, Json]:
        """How a driver is told of it."""
        spelled = self.spelled if self.spelled is not None else spell(self.value)
        told: dict[str, Json] = {"name": self.name, "type": self.datatype.word, "value": spelled}
        if self.alias is not None:
            told["alias"] = str(self.alias)
        if self.historical:
            told["historical"] = True
        if self.quality is not None:
            told["quality"] = str(self.quality)
        return told


def spell(value: Value) -> Json:
    """A value in the drivers' JSON."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(value)
        case float():
            return "NaN" if math.isnan(value) else repr(value).replace("inf", "Infinity")
        case bytes():
            return base64.b64encode(value).decode()
        case tuple():
            return [spell(item) for item in value]
        case DataSet(columns=columns, rows=rows):
            return {"columns": list(columns), "rows": [[spell(cell) for cell in row] for row in rows]}
        case Template(ref=ref, members=members):
            return {"ref": ref, "members": {name: spell(member) for name, member in members.items()}}


def text(name: str, value: str | None) -> Given:
    """A String."""
    return Given(name=name, datatype=Datatype.STRING, value=value)


def whole(name: str, value: int) -> Given:
    """An Int64."""
    return Given(name=name, datatype=Datatype.INT64, value=value)


def _each(datatype: Datatype, *values: Value) -> Iterable[Given]:
    return [Given(name=f"{datatype.word}/{place}", datatype=datatype, value=one) for place, one in enumerate(values)]


SCALARS: Final = (
    *_each(Datatype.INT8, -128, -1, 127),
    *_each(Datatype.INT16, -32_768, -1, 32_767),
    *_each(Datatype.INT32, -(2**31), -1, 2**31 - 1),
    *_each(Datatype.INT64, -(2**63), -(2**53) - 1, -1, 2**63 - 1),
    *_each(Datatype.UINT8, 0, 255),
    *_each(Datatype.UINT16, 65_535),
    *_each(Datatype.UINT32, 2**31, 2**32 - 1),
    *_each(Datatype.UINT64, 0, 2**53 + 1, 2**64 - 1),
    *_each(Datatype.FLOAT, 0.5, math.nan, math.inf, -math.inf),
    *_each(Datatype.DOUBLE, 0.1, -0.0, 5e-324, math.nan, math.inf, -math.inf),
    *_each(Datatype.BOOLEAN, False, True),
    *_each(Datatype.STRING, "", "Größe 10 µm", "a\nb\x00c 😀"),
    *_each(Datatype.TEXT, "a text"),
    *_each(Datatype.UUID, "7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    *_each(Datatype.BYTES, b"", bytes(range(256))),
    *_each(Datatype.FILE, b"%PDF-1.7\x00\xff"),
)
MOMENT: Final = Given(name="DateTime", datatype=Datatype.DATETIME, value=MOMENT_MS)
NULLS: Final = tuple(
    Given(name=f"null {datatype.word}", datatype=datatype, value=None)
    for datatype in (Datatype.INT32, Datatype.UINT64, Datatype.DOUBLE, Datatype.BOOLEAN, Datatype.STRING)
)
ARRAYS: Final = (
    *_each(Datatype.INT8_ARRAY, (-128, -1, 127)),
    *_each(Datatype.INT16_ARRAY, (-32_768, 32_767)),
    *_each(Datatype.INT32_ARRAY, (-(2**31), 2**31 - 1)),
    *_each(Datatype.INT64_ARRAY, (-(2**63), 2**63 - 1)),
    *_each(Datatype.UINT8_ARRAY, (0, 255)),
    *_each(Datatype.UINT16_ARRAY, (65_535,)),
    *_each(Datatype.UINT32_ARRAY, (2**32 - 1,)),
    *_each(Datatype.UINT64_ARRAY, (2**53 + 1, 2**64 - 1)),
    *_each(Datatype.FLOAT_ARRAY, (0.5, math.nan, -math.inf)),
    *_each(Datatype.DOUBLE_ARRAY, (0.1, math.nan, math.inf)),
    *_each(Datatype.BOOLEAN_ARRAY, (True,), (False,) * 7 + (True,) * 2, ()),
    *_each(Datatype.STRING_ARRAY, ("a", "", "µ")),
    *_each(Datatype.DATETIME_ARRAY, (1_795_417_200_000, 1_795_417_260_000)),
)
DATA_SET: Final = Given(
    name="DataSet",
    datatype=Datatype.DATASET,
    value=DataSet(columns=("id", "qty", "note"), rows=((-7, 0.5, "first"), (2**53 + 1, math.nan, ""))),
    spelled={
        "columns": ["id", "qty", "note"],
        "types": ["Int64", "Double", "String"],
        "rows": [["-7", "0.5", "first"], [str(2**53 + 1), "NaN", ""]],
    },
)
DATA_SET_OF_LISTS: Final = Given(
    name="DataSet",
    datatype=Datatype.DATASET,
    value=DataSet(columns=("id", "qty", "note"), rows=((7, 0.5, "first"), (2**53 + 1, -2.0, "µ"))),
    spelled={
        "columns": ["id", "qty", "note"],
        "types": ["Int64", "Float", "String"],
        "rows": [["7", "0.5", "first"], [str(2**53 + 1), "-2.0", "µ"]],
    },
)
"""With what a library that finds the datatypes by itself can hold: whole numbers from 0 on, reals of 32 bits."""
DEFINITION: Final = Given(
    name="Part",
    datatype=Datatype.TEMPLATE,
    value=Template(ref=None, is_definition=True, members={"serial": "", "weight": 0.0}),
    spelled={
        "definition": True,
        "members": [
            {"name": "serial", "type": "String", "value": ""},
            {"name": "weight", "type": "Double", "value": "0.0"},
        ],
    },
)
INSTANCE: Final = Given(
    name="Template",
    datatype=Datatype.TEMPLATE,
    value=Template(ref="Part", is_definition=False, members={"serial": "S-1", "weight": 0.1}),
    spelled={
        "ref": "Part",
        "definition": False,
        "members": [
            {"name": "serial", "type": "String", "value": "S-1"},
            {"name": "weight", "type": "Double", "value": "0.1"},
        ],
    },
)
