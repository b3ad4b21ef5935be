"""Units of measure of the floor: what each is, and the exact factor from one to another.

What a unit is, is known when the plant folder is read: `pint` knows kg, mm/s and the like, `codes.yaml` says those that
only the plant knows. At run time there are only `Decimal` factors. A conversion is a multiplication and a division, so
that ten steps of 0.1 kg are 1000 g to the last digit, and twelve pieces one dozen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from tokenize import TokenError
from typing import Any, Final, TypeAlias

import pint

from ruleset.problem import suggest

_Registry: TypeAlias = "pint.UnitRegistry[Any]"
_PIECES: Final = {"piece": "", "pieces": "piece", "pcs": "piece", "pc": "piece", "dozen": "12 piece"}
"""What `pint` lacks; without them it takes pcs for parsecs."""
_OWN: Final = "own_"
"""Before the names that we define: `pint` never unlearns what a name of its own means (its bag is 94 pounds)."""
_NAME: Final = re.compile(r"[^\W\d]\w*")
_DEFINITION: Final = re.compile(r"(\d+(?:\.\d+)?)?\s*([^\d\s=\[\]@#:][^=\[\]@#:]*)")
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
_KINDS: Final[Mapping[str, str]] = {
    "[own_piece]": "pieces",
    "[mass]": "mass",
    "[length]": "length",
    "[length] ** 2": "area",
    "[length] ** 3": "volume",
    "[time]": "time",
    "[temperature]": "temperature",
    "dimensionless": "a share",
}


@dataclass(frozen=True, slots=True)
class Factor:
    """From one unit to another of its kind: times `times`, divided by `per`."""

    times: Decimal
    per: Decimal

    def of(self, amount: Decimal) -> Decimal:
        """The amount in the other unit."""
        return amount * self.times / self.per


@dataclass(frozen=True, slots=True)
class Measure:
    """What one of a unit is: its dimension, and its size in the dimension's base unit (None: no multiple, as of °C)."""

    dimension: str
    size: Fraction | None

    @property
    def kind(self) -> str:
        """What it measures, in words."""
        return _KINDS.get(self.dimension, self.dimension.replace(_OWN, ""))


def factor(unit: Measure, into: Measure) -> Factor | None:
    """From one to the other; None where there is no such factor."""
    if unit.dimension != into.dimension or not unit.size or not into.size:
        return None
    ratio = unit.size / into.size
    return Factor(Decimal(ratio.numerator), Decimal(ratio.denominator))


def factors(units: Mapping[str, str], measures: Mapping[str, Measure]) -> Mapping[tuple[str, str], Factor]:
    """From each unit of the floor to each unit of Odoo that it converts to. `units` says what Odoo calls those of the
    floor, "" where it has none; what both call the same is the same."""
    found = {
        (unit, name): ratio
        for unit in measures.keys() & units.keys()
        for into, name in units.items()
        if name and into in measures and (ratio := factor(measures[unit], measures[into]))
    }
    return {**found, **{pair: Factor(Decimal(1), Decimal(1)) for pair in units.items() if pair[1]}}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the units of a plant are, by name, and what is wrong with the others and with the plant's own."""

    units: Mapping[str, Measure]
    wrong: Mapping[str, str]


def measure(units: Collection[str], own: Mapping[str, str]) -> Measured:
    """Look up units by their names; `own` are the plant's definitions, such as `{"bag": "25 kg", "carrier": ""}`."""
    registry, wrong = _registry(tuple(sorted({**_PIECES, **own}.items())))
    found: dict[str, Measure] = {}
    told = dict(wrong)
    for name in sorted({*units, *own} - wrong.keys()):
        measured = _measured(registry, _filled(name, {*_PIECES, *own}))
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
    return name if _NAME.fullmatch(name) else "bag"


def _filled(text: str, own: Collection[str]) -> str:
    """The text with our names where it says own units: `bag/min` is `own_bag/min`."""
    return _NAME.sub(lambda match: f"{_OWN}{match[0]}" if match[0] in own else match[0], text)


@lru_cache(maxsize=16)
def _registry(own: tuple[tuple[str, str], ...]) -> tuple[_Registry, Mapping[str, str]]:
    """A registry that knows these units too, and what is wrong with those that it could not take."""
    registry: _Registry = pint.UnitRegistry(non_int_type=Decimal)
    wrong: dict[str, str] = {}
    for name, definition in own:
        match = _DEFINITION.fullmatch(definition.strip())
        if not _NAME.fullmatch(name):
            wrong[name] = f'"{name}" cannot be the name of an own unit: it must be one word'
        elif not definition.strip():
            registry.define(f"{_OWN}{name} = [{_OWN}{name}]")
        elif match is None:
            wrong[name] = f'"{definition}" is no amount; write a number and a unit, such as 25 kg'
        else:
            try:
                registry.define(f"{_OWN}{name} = {match[1] or 1} * {_filled(match[2], dict(own))}")
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
        return f'"{error.unit_names[0].removeprefix(_OWN)}" is not known'
    except _UNREADABLE:
        return "it is no amount of a unit"
    return Measure(dimension, _size(registry, unit))


def _size(registry: _Registry, unit: pint.Unit) -> Fraction | None:
    try:
        nothing, one = (registry.Quantity(Decimal(amount), unit).to_root_units().magnitude for amount in (0, 1))
    except _UNREADABLE:
        return None
    return None if nothing else Fraction(one)
