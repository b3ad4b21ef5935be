"""What a written value becomes in a field, and how a stored value is answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from odoo_adapter.simulator.errors import missing_record, value_error
from odoo_adapter.simulator.records.schema import Field
from ruleset.sample import Plain

if TYPE_CHECKING:
    from odoo_adapter.simulator.records.database import Database
    from odoo_adapter.simulator.records.record import Record

_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def coerce(database: Database, model: str, field: Field, value: Plain) -> Plain:
    """The stored form of a written value. Raises Odoo's fault for one that does not fit the field."""
    match field.type:
        case "boolean":
            return bool(value)
        case "integer" | "many2one_reference":
            return int(_number(model, field, value))
        case "float":
            return _number(model, field, value)
        case "many2one":
            return _link(database, model, field, value)
    if value is None or value is False or value == "":
        return None
    text = value if isinstance(value, str) else str(value)
    choice = text.partition(",")[0] if field.type == "reference" else text
    if field.selection and choice not in field.selection:
        raise value_error(f"Wrong value for {model}.{field.name}: {value!r}")
    if field.type == "datetime":
        return _moment(text)
    if field.type == "date" and not _DATE.fullmatch(text[:10]):
        raise value_error(f"time data {text!r} does not match format '%Y-%m-%d'")
    return text[:10] if field.type == "date" else text


def answered(record: Record, name: str) -> Plain:
    """A field as a read answers it: empty is false, a link is `[id, name]`."""
    value = record.get(name)
    field = record.database.models[record.model].fields[name]
    if field.type == "many2one" and isinstance(value, int):
        return [value, record.link(name).text("display_name")]
    return False if value is None else value


def _moment(text: str) -> str:
    if _DATE.fullmatch(text):
        return f"{text} 00:00:00"
    if not _DATETIME.fullmatch(text):
        raise value_error(f"time data {text!r} does not match format '%Y-%m-%d %H:%M:%S'")
    return text


def _number(model: str, field: Field, value: Plain) -> float:
    try:
        if not isinstance(value, list | dict):
            return float(value or 0)
    except ValueError:
        pass
    raise value_error(f"could not convert {value!r} to a number for {model}.{field.name}")


def _link(database: Database, model: str, field: Field, value: Plain) -> int | None:
    if value is None or value is False:
        return None
    assert field.relation is not None
    if not isinstance(value, int):
        raise value_error(f"Wrong value for {model}.{field.name}: {value!r}")
    if not database.exists(field.relation, value):
        raise missing_record(field.relation, value, database.user)
    return value
