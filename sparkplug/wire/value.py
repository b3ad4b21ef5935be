"""Reading the value of a metric, of a DataSet cell or of a template member by its datatype.

`READERS[datatype][field]` reads the value found in that protobuf field; a pair that is not there does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import DataSet, Scalar, Template, Value
from sparkplug.wire import array
from sparkplug.wire.datatype import SIGNED_BITS, UNSIGNED_BITS, Datatype, signed_reader, unsigned_reader
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message

Reader: TypeAlias = Callable[[Any], Value]
Definitions: TypeAlias = Mapping[str, Mapping[str, int]]
"""The datatypes of the members of the templates that a node defined, by template and member name."""


def read_text(raw: str | bytes) -> str:
    """A text; protobuf gives the bytes of one that is not UTF-8. Raises `ValueUnreadable`."""
    if isinstance(raw, str):
        return raw
    raise ValueUnreadable("the text is not UTF-8")


def _same(raw: Any) -> Value:
    value: Value = raw
    return value


def _data_set(raw: Message.DataSet) -> DataSet:
    columns = tuple(read_text(name) for name in raw.columns)
    if len(raw.types) != len(columns) or (raw.HasField("num_of_columns") and raw.num_of_columns != len(columns)):
        raise ValueUnreadable(
            f"a DataSet of {raw.num_of_columns} columns has {len(columns)} names and {len(raw.types)} types"
        )
    if len(raw.rows) * max(1, len(columns)) > array.MOST_ITEMS:
        raise ValueUnreadable(f"a DataSet of {len(raw.rows)} rows; more than {array.MOST_ITEMS} cells are not read")
    readers = [_cell_readers(code) for code in raw.types]
    rows = []
    for row in raw.rows:
        if len(row.elements) != len(columns):
            raise ValueUnreadable(f"a DataSet row has {len(row.elements)} cells for {len(columns)} columns")
        rows.append(tuple(_cell(reader, cell) for reader, cell in zip(readers, row.elements, strict=True)))
    return DataSet(columns=columns, rows=tuple(rows))


def _cell_readers(code: int) -> Mapping[str, Reader]:
    if code not in BASIC:
        raise ValueUnreadable(f"{code} is no datatype of a DataSet column")
    return READERS[code]


def _cell(readers: Mapping[str, Reader], cell: Message.DataSet.DataSetValue) -> Scalar | None:
    field = cell.WhichOneof("value")
    if field is None:
        return None
    reader = readers.get(field)
    if reader is None:
        raise ValueUnreadable(f"a DataSet cell in {field} does not fit its column")
    value = reader(getattr(cell, field))
    assert not isinstance(value, tuple | DataSet | Template)  # the basic datatypes are scalars
    return value


def read_template(raw: Message.Template, definitions: Definitions) -> Template:
    """A template with its members. An instance in data may hold only some of its definition's members,
    and may leave out their datatypes, which then come from `definitions`. Raises `ValueUnreadable`."""
    ref = read_text(raw.template_ref) or None
    declared = definitions.get(ref, {}) if ref else {}
    members: dict[str, Value] = {}
    for member in raw.metrics:
        name = read_text(member.name)
        if not name:
            raise ValueUnreadable("a template member without a name")
        datatype = member.datatype or declared.get(name)
        if datatype is None:
            raise ValueUnreadable(f"the template member {name!r} has no datatype")
        if name in members:
            raise ValueUnreadable(f"the template member {name!r} comes twice")
        try:
            members[name] = _member(member, datatype, definitions)
        except ValueUnreadable as error:
            raise ValueUnreadable(f"the template member {name!r}: {error}") from error
    return Template(ref=ref, is_definition=raw.is_definition, members=members)


def _member(member: Message.Metric, datatype: int, definitions: Definitions) -> Value:
    if member.is_null:
        return None
    field = member.WhichOneof("value")
    if field is None:
        return None  # definitions name their members without values
    return read_value(datatype, field, getattr(member, field), definitions)


def read_value(datatype: int, field: str, raw: Any, definitions: Definitions) -> Value:
    """The value of a metric whose `datatype` is known. Raises `ValueUnreadable` where it does not fit."""
    if field == "template_value" and datatype == Datatype.TEMPLATE:
        return read_template(raw, definitions)
    readers = READERS.get(datatype)
    if readers is None:
        raise ValueUnreadable(f"{datatype} is no datatype of a metric")
    reader = readers.get(field)
    if reader is None:
        raise ValueUnreadable(f"{Datatype(datatype).name} cannot be in {field}")
    return reader(raw)


def _integer_readers(read: Callable[[int], int]) -> Mapping[str, Reader]:
    return {"int_value": read, "long_value": read}


def _long_in_int(raw: int) -> int:
    """An Int64 belongs in `long_value`. Of the upper half of `int_value` nobody can say what is meant."""
    if raw < 1 << 31:
        return raw
    raise ValueUnreadable(f"the INT64 {raw} is in int_value, and may mean {raw - (1 << 32)}")


_REAL: Final[Mapping[str, Reader]] = {"float_value": _same, "double_value": _same}
_STRING: Final[Mapping[str, Reader]] = {"string_value": read_text}
_BYTES: Final[Mapping[str, Reader]] = {"bytes_value": _same}

READERS: Final[Mapping[int, Mapping[str, Reader]]] = {
    **{code: _integer_readers(signed_reader(bits)) for code, bits in SIGNED_BITS.items()},
    **{code: _integer_readers(unsigned_reader(bits)) for code, bits in UNSIGNED_BITS.items()},
    Datatype.INT64: {"int_value": _long_in_int, "long_value": signed_reader(64)},
    Datatype.FLOAT: _REAL,
    Datatype.DOUBLE: _REAL,
    Datatype.BOOLEAN: {"boolean_value": _same},
    Datatype.STRING: _STRING,
    Datatype.TEXT: _STRING,
    Datatype.UUID: _STRING,
    Datatype.BYTES: _BYTES,
    Datatype.FILE: _BYTES,
    Datatype.DATASET: {"dataset_value": _data_set},
    **{code: {"bytes_value": partial(array.unpack, code)} for code in array.ARRAYS},
    Datatype.TEMPLATE: {},  # read with the node's definitions, by `read_template`
}
BASIC: Final = frozenset(range(Datatype.INT8, Datatype.UUID + 1))
