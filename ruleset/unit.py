"""Units of measure of the floor: what each is, and the exact factor from one to another.

What a unit is, is known when the plant folder is read: what is common is in a table here, `pint` knows the others, and
`codes.yaml` says those that only the plant knows. At run time there are only `Decimal` factors. A conversion is a
multiplication and a division, so that ten steps of 0.1 kg are 1000 g to the last digit, and twelve pieces one dozen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

PIECES: Final = {"piece": "", "pieces": "piece", "pcs": "piece", "pc": "piece", "dozen": "12 piece"}
"""What `pint` lacks; without them it takes pcs for parsecs."""
OWN: Final = "own_"
"""Before the names that we define: `pint` never unlearns what a name of its own means (its bag is 94 pounds)."""
NAME: Final = re.compile(r"[^\W\d]\w*")
DEFINITION: Final = re.compile(r"(\d+(?:\.\d+)?)?\s*([^\d\s=\[\]@#:][^=\[\]@#:]*)")
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
        return _KINDS.get(self.dimension, self.dimension.replace(OWN, ""))


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


_SIZES: Final[Mapping[str, Mapping[str, str | None]]] = {
    f"[{OWN}piece]": {"pcs": "1", "pc": "1", "piece": "1", "pieces": "1", "dozen": "12"},
    "[mass]": {"mg": "1/1000", "g": "1", "kg": "1000", "t": "1000000"},
    "[length]": {"µm": "1/1000000", "mm": "1/1000", "cm": "1/100", "m": "1", "km": "1000"},
    "[length] ** 2": {"m²": "1"},
    "[length] ** 3": {"ml": "1/1000000", "l": "1/1000", "L": "1/1000", "m³": "1"},
    "[time]": {"ms": "1/1000", "s": "1", "min": "60", "h": "3600"},
    "[length] / [time]": {"mm/s": "1/1000", "m/s": "1"},
    "1 / [time]": {"Hz": "1"},
    "[temperature]": {"°C": None, "K": "1"},
    "[mass] / [length] / [time] ** 2": {"Pa": "1000", "mbar": "100000", "bar": "100000000"},
    "[mass] * [length] ** 2 / [time] ** 3": {"W": "1000", "kW": "1000000"},
    "[mass] * [length] ** 2 / [time] ** 2": {"J": "1000", "Wh": "3600000", "kWh": "3600000000"},
    "dimensionless": {"%": "1/100"},
}
COMMON: Final[Mapping[str, Measure]] = {
    name: Measure(dimension, None if size is None else Fraction(size))
    for dimension, sizes in _SIZES.items()
    for name, size in sizes.items()
}
"""What `pint` says of units that most plants have, so that it need not be imported for them."""


def measure(units: Collection[str], own: Mapping[str, str]) -> Measured:
    """Look up units by their names; `own` are the plant's definitions, such as `{"bag": "25 kg", "carrier": ""}`."""
    names = sorted({*units, *own})
    if not own.keys() & PIECES.keys():
        known = {name: found for name in names if (found := _known(name, own)) is not None}
        if len(known) == len(names):
            return Measured(known, {})
    from ruleset.lookup.unit import look_up

    return look_up(units, own)


def _known(name: str, own: Mapping[str, str], inside: tuple[str, ...] = ()) -> Measure | None:
    """What a unit is by the table and by plain definitions of the plant, such as `40 bag`."""
    if name not in own:
        return COMMON.get(name)
    if name in inside or not NAME.fullmatch(name):
        return None
    if not (text := own[name].strip()):
        return Measure(f"[{OWN}{name}]", Fraction(1))
    amount = DEFINITION.fullmatch(text)
    unit = _known(amount[2].strip(), own, (*inside, name)) if amount else None
    if amount is None or unit is None or unit.size is None:
        return None
    return Measure(unit.dimension, Fraction(amount[1] or 1) * unit.size)
