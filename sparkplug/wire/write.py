"""Writing values into protobuf fields. What does not fit raises `ValueError`: it is our own mistake."""

from __future__ import annotations

from typing import Any, Final

from sparkplug.fact import DataSet, Scalar, Template, Value
from sparkplug.wire import array
from sparkplug.wire.datatype import SIGNED_BITS, UNSIGNED_BITS, Datatype
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message

_STRINGS: Final = frozenset({Datatype.STRING, Datatype.TEXT, Datatype.UUID})
_LONGS: Final = frozenset({Datatype.INT64, Datatype.UINT64, Datatype.DATETIME})


def write_value(metric: Message.Metric, datatype: Datatype, value: Value) -> None:
    """Set the value of `metric`, or `is_null` for None. Raises `ValueError` where it does not fit `datatype`."""
    if value is None:
        metric.is_null = True
    elif isinstance(value, DataSet):
        _expect(datatype is Datatype.DATASET, datatype, value)
        _write_data_set(metric.dataset_value, value)
    elif isinstance(value, Template):
        raise ValueError("templates are read, not written")
    elif datatype in array.ARRAYS:
        if not isinstance(value, tuple):
            raise _misfit(datatype, value)
        metric.bytes_value = array.pack(datatype, value)
    elif datatype in (Datatype.BYTES, Datatype.FILE):
        if not isinstance(value, bytes):
            raise _misfit(datatype, value)
        metric.bytes_value = value
    else:
        _expect(not isinstance(value, tuple), datatype, value)
        _write_scalar(metric, datatype, value)


def _write_scalar(target: Any, datatype: Datatype, value: Any) -> None:
    """Set a basic value in a metric or in a DataSet cell, which name their fields alike."""
    if datatype in SIGNED_BITS:
        half = 1 << (SIGNED_BITS[datatype] - 1)
        _expect(_is_integer(value) and -half <= value < half, datatype, value)
        _write_integer(target, datatype, value)
    elif datatype in UNSIGNED_BITS:
        _expect(_is_integer(value) and 0 <= value < 1 << UNSIGNED_BITS[datatype], datatype, value)
        _write_integer(target, datatype, value)
    elif datatype is Datatype.BOOLEAN:
        _expect(isinstance(value, bool), datatype, value)
        target.boolean_value = value
    elif datatype is Datatype.FLOAT:
        _expect(isinstance(value, float) or _is_integer(value), datatype, value)
        target.float_value = value
    elif datatype is Datatype.DOUBLE:
        _expect(isinstance(value, float) or _is_integer(value), datatype, value)
        target.double_value = value
    else:
        _expect(datatype in _STRINGS and isinstance(value, str), datatype, value)
        target.string_value = value


def _write_integer(target: Any, datatype: Datatype, value: int) -> None:
    """Negative numbers are sign-extended to the field's width, as the reference implementation does."""
    if datatype in _LONGS:
        target.long_value = value & 0xFFFF_FFFF_FFFF_FFFF
    else:
        target.int_value = value & 0xFFFF_FFFF


def _write_data_set(target: Message.DataSet, value: DataSet) -> None:
    target.num_of_columns = len(value.columns)
    target.columns.extend(value.columns)
    types = [_column_type([row[i] for row in value.rows]) for i in range(len(value.columns))]
    target.types.extend(types)
    for row in value.rows:
        cells = target.rows.add().elements
        for datatype, cell in zip(types, row, strict=True):
            element = cells.add()
            if cell is not None:
                _write_scalar(element, datatype, cell)


def _column_type(cells: list[Scalar | None]) -> Datatype:
    """The narrowest of Boolean, Int64, Double and String that holds all cells; a column of nulls is String."""
    present = [cell for cell in cells if cell is not None]
    if present and all(isinstance(cell, bool) for cell in present):
        return Datatype.BOOLEAN
    if present and all(_is_integer(cell) for cell in present):
        return Datatype.INT64
    if present and all(_is_integer(cell) or isinstance(cell, float) for cell in present):
        return Datatype.DOUBLE
    return Datatype.STRING


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _expect(fits: bool, datatype: Datatype, value: object) -> None:
    if not fits:
        raise _misfit(datatype, value)


def _misfit(datatype: Datatype, value: object) -> ValueError:
    return ValueError(f"{value!r} is no {datatype.name}")
