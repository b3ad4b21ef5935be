"""Postings, dead letters, alerts and remarks as a rule test shows and compares them: names and values of its author.

Of a transaction these are its fields, moments without `_ms` and all named as under `with` (`start`, `end`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final, get_args

import msgspec
from msgspec.structs import fields

from ruleset.form.vocabulary import ACTIONS, PROGRESS
from ruleset.output import Alert, Post, Remark, Unmet
from ruleset.testing.case import Offset, Shown
from ruleset.transaction import Progress, action


class Holds(Enum):
    """What a value is."""

    TIME = "time"
    AMOUNT = "amount"
    WHOLE = "whole"
    TEXT = "text"
    TEXTS = "texts"
    MEMBERS = "members"


ENVELOPE: Final = ("asset", "order", "rule", "at", "posted", "key")
"""What every posting has besides its own fields: `at` is when it was so, `posted` when the rule decided."""

_RENAMED: Final = {"started_ms": "start", "ended_ms": "end", "question": "name"}
_HIDDEN: Final = frozenset({"key", "equipment", "at_ms", "provenance", "order", "consent"})


def actions() -> tuple[str, ...]:
    return (*ACTIONS, PROGRESS)


def own_fields(action_name: str) -> Mapping[str, Holds]:
    """The fields that postings of an action may show, by name."""
    return {name: holds for name, holds, _ in _fields(_transaction(action_name)) if name not in _HIDDEN}


def member_fields(action_name: str, name: str) -> Mapping[str, Holds]:
    """Those of the members of a list, such as `consumed` or `parts`."""
    hint = next(each.type for each in fields(_transaction(action_name)) if _name(each.name) == name)
    return {name: holds for name, holds, _ in _fields(get_args(hint)[0])}


def shown(output: Post | Unmet | Alert | Remark, now_ms: int, start_ms: int, site: str) -> dict[str, Shown]:
    """One output, its moments counted from `start_ms`, its equipment below the site. What is empty is left out."""

    def asset(path: str) -> str:
        return path.removeprefix(f"{site}/")

    def offset(at_ms: int) -> Offset:
        return Offset(at_ms - start_ms)

    values: dict[str, Shown]
    match output:
        case Post(transaction=one):
            envelope = (asset(one.equipment), one.order, one.provenance.rule, offset(one.at_ms))
            own = _own(one, start_ms)
            values = {"do": action(one), **own, **dict(zip(ENVELOPE, envelope, strict=False)), "key": one.key}
        case Unmet():
            envelope = (asset(output.equipment), output.order, output.rule, offset(output.at_ms))
            own = _summarised(output, start_ms)
            head: dict[str, Shown] = {"do": output.action, "reason": output.reason}
            values = {**head, **own, **head, **dict(zip(ENVELOPE, envelope, strict=False)), "key": output.key}
        case Alert():
            values = {"text": output.text, "asset": asset(output.equipment), "rule": output.rule}
            values["at"] = offset(output.at_ms)
        case Remark():
            values = {"remark": output.name.value, "text": output.text, "asset": asset(output.equipment)}
    values["posted"] = offset(now_ms)
    return {name: value for name, value in values.items() if value not in (None, "", ())}


def _transaction(action_name: str) -> type[msgspec.Struct]:
    return Progress if action_name == PROGRESS else ACTIONS[action_name].transaction


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, Holds, str], ...]:
    """Name here, what it holds, name there."""
    return tuple((_name(each.name), _holds(each.name, each.type), each.name) for each in fields(struct))


def _name(field: str) -> str:
    return _RENAMED.get(field, field.removesuffix("_ms") if field not in _HIDDEN else field)


def _holds(name: str, hint: Any) -> Holds:
    if name.endswith("_ms"):
        return Holds.TIME
    within = get_args(hint) or (hint,)
    if Decimal in within:
        return Holds.AMOUNT
    if int in within:
        return Holds.WHOLE
    if Ellipsis in within:
        return Holds.TEXTS if within[0] is str else Holds.MEMBERS
    return Holds.TEXT


def _own(struct: msgspec.Struct, start_ms: int) -> dict[str, Shown]:
    return dict(_shown_fields(struct, start_ms))


def _shown_fields(struct: msgspec.Struct, start_ms: int) -> Iterator[tuple[str, Shown]]:
    for name, holds, field in _fields(type(struct)):
        value = getattr(struct, field)
        if name in _HIDDEN or value in (None, "", ()):
            continue
        if holds is Holds.TIME:
            yield name, Offset(value - start_ms)
        elif holds is Holds.MEMBERS:
            yield name, tuple(_own(each, start_ms) for each in value)
        else:
            yield name, value


def _summarised(unmet: Unmet, start_ms: int) -> dict[str, Shown]:
    """What a dead letter could tell; lists are left out."""
    values: dict[str, Shown] = {}
    for name, holds, field in _fields(_transaction(unmet.action)):
        value = unmet.fields.get(field)
        if holds is Holds.TIME and isinstance(value, int):
            values[name] = Offset(value - start_ms)
        elif holds is Holds.AMOUNT and isinstance(value, str):
            values[name] = Decimal(value)
        elif holds in (Holds.TEXT, Holds.WHOLE) and isinstance(value, str | int):
            values[name] = value
    return values
