"""What `pint` knows of units that `ruleset.unit` does not know by itself. It takes half a second to import."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from tokenize import TokenError
from typing import Any, Final, TypeAlias

import pint

from ruleset.problem import suggest
from ruleset.unit import DEFINITION, NAME, OWN, PIECES, Measure, Measured

_Registry: TypeAlias = "pint.UnitRegistry[Any]"
_UNREADABLE: Final = (
    pint.PintError,
    ArithmeticError,
    AssertionError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
)
"""What `pint` raises for a text that is no unit."""


def look_up(units: Collection[str], own: Mapping[str, str]) -> Measured:
    """As `ruleset.unit.measure`."""
    registry, wrong = _registry(tuple(sorted({**PIECES, **own}.items())))
    found: dict[str, Measure] = {}
    told = dict(wrong)
    for name in sorted({*units, *own} - wrong.keys()):
        measured = _measured(registry, _filled(name, {*PIECES, *own}))
        if isinstance(measured, Measure):
            found[name] = measured
        elif name in own:
            told[name] = f'"{name}: {own[name]}" cannot be read: {measured}'
        else:
            told[name] = (
                f'unit "{name}" is not known{suggest(name, own)}; say what it is in a table own_units, such as '
                f'`{_example(name)}: 25 kg`, `{_example(name)}: 1 pcs`, or with "" that it converts to nothing'
            )
    return Measured(found, told)


def _example(name: str) -> str:
    return name if NAME.fullmatch(name) else "bag"


def _filled(text: str, own: Collection[str]) -> str:
    """The text with our names where it says own units: `bag/min` is `own_bag/min`."""
    return NAME.sub(lambda match: f"{OWN}{match[0]}" if match[0] in own else match[0], text)


@lru_cache(maxsize=16)
def _registry(own: tuple[tuple[str, str], ...]) -> tuple[_Registry, Mapping[str, str]]:
    """A registry that knows these units too, and what is wrong with those that it could not take."""
    registry: _Registry = pint.UnitRegistry(non_int_type=Decimal)
    wrong: dict[str, str] = {}
    for name, definition in own:
        match = DEFINITION.fullmatch(definition.strip())
        if not NAME.fullmatch(name):
            wrong[name] = f'"{name}" cannot be the name of an own unit: it must be one word'
        elif not definition.strip():
            registry.define(f"{OWN}{name} = [{OWN}{name}]")
        elif match is None:
            wrong[name] = f'"{definition}" is no amount; write a number and a unit, such as 25 kg'
        else:
            try:
                registry.define(f"{OWN}{name} = {match[1] or 1} * {_filled(match[2], dict(own))}")
            except _UNREADABLE:
                wrong[name] = f'"{definition}" is no amount of a unit; write one such as 25 kg'
    return registry, wrong


def _measured(registry: _Registry, name: str) -> Measure | str:
    """What a unit is, or why nothing can be said."""
    try:
        unit = registry.parse_units(name)
        dimension = str(registry.get_dimensionality(unit))
    except RecursionError:
        return "it is defined by itself"
    except pint.UndefinedUnitError as error:
        return f'"{error.unit_names[0].removeprefix(OWN)}" is not known'
    except _UNREADABLE:
        return "it is no amount of a unit"
    return Measure(dimension, _size(registry, unit))


def _size(registry: _Registry, unit: pint.Unit) -> Fraction | None:
    try:
        nothing, one = (registry.Quantity(Decimal(amount), unit).to_root_units().magnitude for amount in (0, 1))
    except _UNREADABLE:
        return None
    return None if nothing else Fraction(one)
