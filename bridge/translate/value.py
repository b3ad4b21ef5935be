"""Strict typing of what arrives: a value fits its declared type or it does not. Whole numbers fit `number`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final, TypeAlias

from ruleset.equipment import Field, ValueType
from ruleset.sample import Plain

LATEST_MS: Final = 253_402_214_400_000
"""The last day of 9999, which is the year 10000 in zones ahead of UTC: a moment then is a clock in other units."""
LONGEST_ID: Final = 200
"""Characters of an event's id, which becomes part of an idempotency key."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_SHOWN: Final = 40


Fitting: TypeAlias = "bool | int | float | str | None"


def fitter(kind: ValueType) -> Callable[[object], Fitting]:
    """The function that gives a value as the type has it, or None where it does not fit. Null fits no type."""
    match kind:
        case ValueType.BOOLEAN:
            return _boolean
        case ValueType.INTEGER:
            return _integer
        case ValueType.NUMBER:
            return _number
        case ValueType.TEXT:
            return _text


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def read_fields(fields: tuple[Field, ...], found: Mapping[str, object]) -> tuple[dict[str, Plain], list[str]]:
    """The declared fields of an event, and a sentence for each that is missing or wrong.

    An optional field that is absent or null is None. What is not declared is left out.
    """
    values: dict[str, Plain] = {}
    faults: list[str] = []
    for field in fields:
        value = found.get(field.name)
        if value is None:
            values[field.name] = None
            if not field.optional:
                faults.append(f"{field.name} is missing")
        elif field.type is None:
            values[field.name] = _read_list(field, value, faults)
        else:
            values[field.name] = fitting = fitter(field.type)(value)
            if fitting is None:
                faults.append(f"{field.name}: expected {field.type}, found {describe(value)}")
    return values, faults


def _read_list(field: Field, value: object, faults: list[str]) -> list[Plain]:
    if not isinstance(value, list):
        faults.append(f"{field.name}: expected a list, found {describe(value)}")
        return []
    members: list[Plain] = []
    for index, each in enumerate(value):
        if isinstance(each, dict):
            member, wrong = read_fields(field.items, each)
            faults.extend(f"{field.name}[{index}].{fault}" for fault in wrong)
            members.append(member)
        else:
            faults.append(f"{field.name}[{index}]: expected an object, found {describe(each)}")
    return members


def read_id(value: object) -> str | None:
    """An event's id: a text that is not empty, not too long and printable; or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() and value.strip() == value:
        return value
    return None


def read_moment_ms(value: object) -> int | None:
    """A moment: UTC milliseconds as a whole number, or ISO 8601 text with a zone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 < value < LATEST_MS else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment_ms = (moment - _EPOCH) // timedelta(milliseconds=1) if moment.tzinfo is not None else 0
    except (ValueError, OverflowError):
        return None
    return moment_ms if 0 < moment_ms < LATEST_MS else None


def describe(value: object) -> str:
    """What was found, short, for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the integer {value}" if abs(value) < 10**20 else "a very large integer"
        case float():
            return f"the number {value}"
        case str():
            return f'the text "{value[:_LONGEST_SHOWN]}"'
        case bytes():
            return "bytes"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__.lower()}"
