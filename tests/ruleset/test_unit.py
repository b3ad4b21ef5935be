"""Units of the floor: known or refused with a sentence, and converted to the last digit."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleset.codes import read_codes
from ruleset.lookup.unit import look_up
from ruleset.problem import Problems
from ruleset.unit import COMMON, Factor, Measure, factor, factors, measure

OWN = {"bag": "25 kg", "pallet": "40 bag", "Stk": "1 pcs", "carrier": ""}
KNOWN = measure(["kg", "g", "lb", "l", "pcs", "dozen", "mm/s", "bag/min", "°C"], OWN).units


def between(unit: str, into: str) -> Factor:
    found = factor(KNOWN[unit], KNOWN[into])
    assert found is not None
    return found


def test_a_unit_is_its_dimension_and_its_size() -> None:
    assert KNOWN["pcs"] == KNOWN["Stk"] == Measure("[own_piece]", Fraction(1))
    assert KNOWN["pallet"] == Measure("[mass]", Fraction(1_000_000))
    assert KNOWN["carrier"] == Measure("[own_carrier]", Fraction(1))
    assert KNOWN["°C"] == Measure("[temperature]", None)


@pytest.mark.parametrize(
    ("amount", "unit", "into", "found"),
    [
        ("0.1", "kg", "g", "100"),
        ("1", "g", "kg", "0.001"),
        ("3", "bag", "kg", "75"),
        ("1", "pallet", "bag", "40"),
        ("12", "pcs", "dozen", "1"),
        ("1", "lb", "g", "453.59237"),
    ],
)
def test_an_amount_is_converted_exactly(amount: str, unit: str, into: str, found: str) -> None:
    assert between(unit, into).of(Decimal(amount)) == Decimal(found)


@given(st.integers(0, 10**12))
def test_steps_of_a_tenth_of_a_kilogram_are_exact_to_the_gram_and_back(steps: int) -> None:
    kilograms = Decimal(steps) / 10

    assert between("kg", "g").of(kilograms) == steps * 100
    assert between("g", "kg").of(Decimal(steps * 100)) == kilograms


@pytest.mark.parametrize(("unit", "into"), [("kg", "pcs"), ("kg", "l"), ("carrier", "pcs"), ("°C", "°C")])
def test_where_there_is_no_factor_none_is_invented(unit: str, into: str) -> None:
    assert factor(KNOWN[unit], KNOWN[into]) is None


def test_a_unit_of_the_floor_leads_to_every_unit_of_odoo_that_it_converts_to() -> None:
    units = {"kg": "kg", "g": "", "bag": "Bag", "pcs": "Units", "carrier": ""}
    found = {pair: ratio.of(Decimal(1)) for pair, ratio in factors(units, KNOWN).items()}
    assert found == {
        ("kg", "kg"): 1,
        ("kg", "Bag"): Decimal("0.04"),
        ("g", "kg"): Decimal("0.001"),
        ("g", "Bag"): Decimal("0.00004"),
        ("bag", "kg"): 25,
        ("bag", "Bag"): 1,
        ("pcs", "Units"): 1,
    }


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (
            "units: {bagg: Bag}",
            '1:9: unit "bagg" is not known; say what it is in a table own_units, such as `bagg: 25 kg`, `bagg: 1 pcs`, '
            'or with "" that it converts to nothing',
        ),
        ("units: {bag: Bag}\nown_units: {bag: 25 kgx}", '2:13: "bag: 25 kgx" cannot be read: "kgx" is not known'),
        ("own_units: {a: 2 b, b: 3 a}", '1:13: "a: 2 b" cannot be read: it is defined by itself'),
        ("own_units: {bag: '25'}", '1:13: "25" is no amount; write a number and a unit, such as 25 kg'),
        ("own_units: {bag: 25 kg/}", '1:13: "25 kg/" is no amount of a unit; write one such as 25 kg'),
        ("own_units: {big bag: 1 t}", '1:13: "big bag" cannot be the name of an own unit: it must be one word'),
    ],
    ids=["unknown", "of unknown", "of itself", "no unit", "no expression", "two words"],
)
def test_what_is_no_unit_is_told_where_it_stands(codes: str, told: str) -> None:
    problems = Problems()

    read_codes("codes.yaml", codes, problems)

    assert str(problems.all[0]) == f"codes.yaml:{told}"


def test_the_table_of_common_units_says_what_pint_says() -> None:
    looked_up = look_up([*COMMON, *OWN], OWN)
    assert (measure([*COMMON, *OWN], OWN), looked_up.wrong) == (looked_up, {})


@pytest.mark.parametrize(
    ("own", "unit"), [({"dozen": "13 pcs"}, "dozen"), ({"a": "2 b", "b": "3 a"}, "a"), ({"bag": "25 lb"}, "bag")]
)
def test_what_the_table_cannot_tell_is_left_to_pint(own: dict[str, str], unit: str) -> None:
    assert measure([unit], own) == look_up([unit], own)


def test_a_plant_with_common_units_needs_no_pint() -> None:
    ask = "import sys; from ruleset.unit import measure; measure(['pcs', 'bag'], {'bag': '25 kg'}); "
    ask += "print('pint' in sys.modules); measure(['lb'], {}); print('pint' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "True"]
