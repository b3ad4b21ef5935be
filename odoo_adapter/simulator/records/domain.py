"""Search domains in prefix notation, as Odoo's clients send them: compiled once, asked of each record."""

from __future__ import annotations

import operator as standard
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from odoo_adapter.simulator.errors import Fault, value_error
from ruleset.sample import Plain

if TYPE_CHECKING:
    from odoo_adapter.simulator.records.database import Database
    from odoo_adapter.simulator.records.record import Record

Predicate: TypeAlias = "Callable[[Record], bool]"

OPERATORS = frozenset(
    {"=", "!=", "in", "not in", "<", "<=", ">", ">=", "child_of"}
    | {"like", "ilike", "not like", "not ilike", "=like", "=ilike"}
)
_OPPOSITES = {"!=": "=", "not in": "in", "not like": "like", "not ilike": "ilike"}
_ORDERED = {"<": standard.lt, "<=": standard.le, ">": standard.gt, ">=": standard.ge}


def compile_domain(database: Database, model: str, domain: Plain) -> Predicate:
    """A question that each record answers. A malformed domain or an unknown field is Odoo's 500."""
    if not isinstance(domain, list):
        raise value_error(f"Domain() invalid item in domain: {domain!r}")
    stack: list[Predicate] = []
    for item in reversed(domain):
        if item == "!":
            stack.append(_negated(_pop(stack, domain)))
        elif item in ("&", "|"):
            left, right = _pop(stack, domain), _pop(stack, domain)
            stack.append(_both(left, right) if item == "&" else _either(left, right))
        elif isinstance(item, list) and len(item) == 3:
            stack.append(_condition(database, model, item))
        else:
            raise value_error(f"Domain() invalid item in domain: {item!r}")
    return _all(stack)


def equal_to(domain: Plain) -> tuple[str, Plain] | None:
    """The first condition that every match must fulfil by equality, so that an index can narrow the search."""
    if not isinstance(domain, list) or any(item in ("|", "!") for item in domain if isinstance(item, str)):
        return None
    for item in domain:
        if isinstance(item, list) and len(item) == 3 and item[1] == "=" and item[2] not in (False, None):
            return str(item[0]), item[2]
    return None


def mentions(domain: Plain, field: str) -> bool:
    """Whether a condition of the domain is about `field` itself."""
    return isinstance(domain, list) and any(isinstance(item, list) and item and item[0] == field for item in domain)


def _pop(stack: list[Predicate], domain: Plain) -> Predicate:
    if not stack:
        raise value_error(f"Domain() missing operands: {domain!r}")
    return stack.pop()


def _negated(inner: Predicate) -> Predicate:
    return lambda record: not inner(record)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) and right(record)


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) or right(record)


def _all(predicates: list[Predicate]) -> Predicate:
    return lambda record: all(predicate(record) for predicate in predicates)


def _condition(database: Database, model: str, item: list[Plain]) -> Predicate:
    path, operator, wanted = item
    if (path, operator, wanted) in ((1, "=", 1), (0, "=", 1)):
        return lambda record: path == 1
    if not isinstance(path, str) or operator not in OPERATORS:
        raise value_error(f"Invalid operator in condition {tuple(item)!r}")
    assert isinstance(operator, str)
    _check_path(database, model, path, item)
    by_name = any(isinstance(choice, str) for choice in (wanted if isinstance(wanted, list) else [wanted]))
    if operator == "child_of":
        return lambda record: _within(database, record.reach(path, by_name=False), wanted)
    if operator in _OPPOSITES:
        return lambda record: not _holds(record.reach(path, by_name=by_name), _OPPOSITES[operator], wanted)
    return lambda record: _holds(record.reach(path, by_name=by_name), operator, wanted)


def _check_path(database: Database, model: str, path: str, item: list[Plain]) -> None:
    at: str | None = model
    for name in path.split("."):
        field = None if at is None else database.models[at].fields.get(name)
        if field is None:
            raise _invalid(at or model, name, item)
        at = field.relation


def _invalid(model: str, name: str, item: list[Plain]) -> Fault:
    return value_error(f"Invalid field {model}.{name} in condition {tuple(item)!r}")


def _holds(found: list[tuple[Plain, str]], operator: str, wanted: Plain) -> bool:
    """`found` are the values at the end of the path, each with its text (the name of a linked record)."""
    if operator == "in":
        choices = wanted if isinstance(wanted, list) else [wanted]
        return any(_holds(found, "=", choice) for choice in choices)
    if operator == "=" and wanted in (False, None):
        return not any(value not in (None, "") and value is not False for value, _ in found)
    if operator == "=" and isinstance(wanted, list):
        return any(_holds(found, "=", choice) for choice in wanted)
    return any(_compare(value, text, operator, wanted) for value, text in found)


def _compare(value: Plain, text: str, operator: str, wanted: Plain) -> bool:
    match operator:
        case "=":
            return (text if text and isinstance(wanted, str) else value) == wanted
        case "like" | "ilike" | "=like" | "=ilike":
            return value is not None and _matches(text or str(value), operator, str(wanted))
    if value is None or isinstance(value, list | dict) or isinstance(wanted, list | dict) or wanted is None:
        return False
    if isinstance(value, str) or isinstance(wanted, str):
        return bool(_ORDERED[operator](str(value), str(wanted)))
    return bool(_ORDERED[operator](float(value), float(wanted)))


def _within(database: Database, found: list[tuple[Plain, str]], wanted: Plain) -> bool:
    """Locations are the only tree: a location lies within another whose path begins its own."""
    tops = [database.browse("stock.location", id).text("parent_path") for id in as_ids(wanted)]
    for value, _ in found:
        path = database.browse("stock.location", value).text("parent_path") if isinstance(value, int) else ""
        if path and any(path.startswith(top) for top in tops):
            return True
    return False


def as_ids(value: Plain) -> list[int]:
    """An id or a list of ids as a list; anything else holds none."""
    values = value if isinstance(value, list) else [value]
    return [id for id in values if isinstance(id, int) and not isinstance(id, bool)]


def _matches(text: str, operator: str, pattern: str) -> bool:
    parts = re.findall(r"\\?.", pattern, re.DOTALL)  # a backslash takes the meaning of the letter behind it
    expression = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    if not operator.startswith("="):
        expression = f".*{expression}.*"
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    return re.fullmatch(expression, text, flags) is not None
