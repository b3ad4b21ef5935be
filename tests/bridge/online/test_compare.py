"""What the folder names against what Odoo has: each difference at its place, with what may have been meant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.online.compare import compare, compare_company
from bridge.online.named import Names, read_names
from odoo_adapter.look_first.unit import Unit
from odoo_adapter.survey.master import MasterData, Named
from ruleset.assets import read_assets
from ruleset.codes import LOSSES, read_codes
from ruleset.equipment import Assets
from ruleset.problem import Problems

ASSETS = """\
enterprise: acme
site: berlin
timezone: UTC
company: 1
types: {press: {signals: {good: {metric: Good, type: integer, role: counter, unit: pcs}}}}
equipment:
  hall/press-{n:1..7}:
    type: press
    source: {group: acme, node: hall, device: "press-{n}"}
    work_center: "PRESS-{n}"
    serial_number: "SN-{n}"
"""
CODES = """\
units: {pcs: Units, g: g}
fault_reason: {E12: breakdown}
scrap_reason: {S01: Short shot}
losses: {tool_change: Setup and Adjustments}
"""
RULES = """- {rule: scrap, do: production.scrap, with: {reason: "codes.scrap_reason[r]", product: "'RESIN-A'"}}\n"""
BRIDGE = "odoo: {hold_location: Quality Hold}\n"


def unit(name: str, kind: str, size: str = "1", id: int = 0) -> Unit:
    return Unit(id=id, name=name, kind=kind, size=Decimal(size), step=Decimal("0.01"))


def named(*names: str) -> tuple[Named, ...]:
    return tuple(Named(name=name) for name in names)


PRESSES = named(*(f"PRESS-{n}" for n in range(1, 8)))
SERIALS = named(*(f"SN-{n}" for n in range(1, 8)))
FITTING = MasterData(
    company=1,
    companies={1: "ACME", 2: "ACME Two"},
    work_centers=PRESSES,
    serial_numbers=SERIALS,
    products=named("RESIN-A"),
    units=(unit("Units", "count"), unit("Dozens", "count", "12"), unit("g", "weight"), unit("kg", "weight", "1000")),
    counted_in=frozenset({"count", "weight"}),
    losses=LOSSES,
    loss_names=("Equipment Failure", "Setup and Adjustments"),
    scrap_reasons=("Short shot",),
    hold_locations=("WH/Quality Hold", "Quality Hold"),
)


def folder(codes: str = CODES) -> tuple[Names, Assets, Problems]:
    problems = Problems()
    assets = read_assets("assets.yaml", ASSETS, read_codes("codes.yaml", codes, problems), problems)
    assert assets is not None
    texts = {"assets.yaml": ASSETS, "codes.yaml": codes, "rules/a.yaml": RULES, "bridge.yaml": BRIDGE}
    return read_names(texts, problems), assets, problems


def compared(odoo: MasterData, codes: str = CODES, hold_location: str | None = "Quality Hold") -> list[str]:
    names, assets, problems = folder(codes)
    comparison = compare(names, assets, odoo, hold_location=hold_location)
    return [*(str(problem) for problem in problems.all), *comparison.notes]


def test_a_folder_that_fits_has_no_problem() -> None:
    assert compared(FITTING) == []


@pytest.mark.parametrize(
    ("odoo", "text"),
    [
        (
            replace(FITTING, work_centers=(*PRESSES[:6], *named("PRES-7"))),
            'assets.yaml:10:18: Odoo has no work center with the code "PRESS-7"; did you mean "PRES-7"?',
        ),
        (
            replace(FITTING, work_centers=()),
            'assets.yaml:10:18: Odoo has no work center with the code "PRESS-1", "PRESS-2", "PRESS-3", "PRESS-4", '
            '"PRESS-5" and 2 more; it has none that this user sees',
        ),
        (
            replace(FITTING, serial_numbers=(*SERIALS, *named("SN-2"))),
            'assets.yaml:11:20: Odoo has more than one maintenance equipment with the serial number "SN-2"; each needs '
            "one of its own",
        ),
        (
            replace(FITTING, losses=LOSSES - {"breakdown"}),
            "codes.yaml:2:21: loss reason breakdown of Odoo is not there",
        ),
        (
            replace(FITTING, loss_names=("Setup and Adjustment",)),
            'codes.yaml:4:23: there is no loss reason "Setup and Adjustments" in Odoo; did you mean "Setup and '
            'Adjustment"?',
        ),
        (
            replace(FITTING, loss_names=("Setup and Adjustments",) * 2),
            'codes.yaml:4:23: 2 loss reasons of Odoo are called "Setup and Adjustments": rename one',
        ),
        (
            replace(FITTING, units=(*FITTING.units, unit("Units", "count", "2"))),
            'codes.yaml:1:14: Odoo has more than one unit of measure "Units" of one kind: rename one, or archive it',
        ),
        (
            replace(FITTING, counted_in=frozenset({"weight"})),
            'codes.yaml:1:14: acme/berlin/hall/press-1: good counts in "pcs", but no bill of materials counts in a '
            'unit that "Units" converts to; write "" where it is only measured',
        ),
        (
            replace(FITTING, hold_locations=("Quality Hold", "Quality Hold")),
            'bridge.yaml:1:23: Odoo has 2 internal locations "Quality Hold"; write the whole name, such as '
            "WH/Quality Hold",
        ),
        (
            replace(FITTING, hold_locations=("Qualty Hold",)),
            'bridge.yaml:1:23: hold location "Quality Hold": create it in Odoo beside the stock, or name another in '
            '`odoo.hold_location`; did you mean "Qualty Hold"?',
        ),
        (
            replace(FITTING, scrap_reasons=("Short Shot",)),
            'codes.yaml:3:21: the scrap reason "Short shot" will be made in Odoo, which has "Short Shot"',
        ),
    ],
    ids=[
        *("missing", "all missing", "twice", "loss", "own loss", "own loss twice"),
        *("unit twice", "not counted in", "hold twice", "hold", "reason"),
    ],
)
def test_what_does_not_match_is_told_at_its_place(odoo: MasterData, text: str) -> None:
    assert compared(odoo) == [text]


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("Dozns", 'Odoo has no unit of measure "Dozns" (its English name); did you mean "g"?'),
        ("kg", '1 g would be posted as 1 kg, which in Odoo is 1000 g and not 1; write "g"'),
        ("Units", '"g" (mass) does not convert to Odoo\'s "Units" (pieces); write "g"'),
    ],
)
def test_a_unit_must_be_the_one_that_the_floor_means(named: str, text: str) -> None:
    codes = CODES.replace("g: g", f"g: {named}")
    assert compared(FITTING, codes) == [f"codes.yaml:1:24: {text}"]


def test_a_wrong_ratio_in_odoo_is_named() -> None:
    """As 17 and 18 have it, where the kind's own unit is kg."""
    wrong = (unit("Units", "count"), unit("kg", "weight"), unit("g", "weight", "0.01"))
    assert compared(replace(FITTING, units=wrong)) == [
        "codes.yaml:1:24: 1 g would be posted as 1 g, which in Odoo is 0.01 kg and not 0.001; mend the ratio of "
        '"g" in Odoo'
    ]


def test_a_ratio_of_odoo_that_is_rounded_is_right() -> None:
    units = (unit("Units", "count"), unit("kg", "weight"), unit("lb", "weight", "0.45359290"))
    assert compared(replace(FITTING, units=units), CODES.replace("g: g", "lb: lb")) == []


def test_units_of_the_plants_own_kind_are_compared_with_each_other() -> None:
    codes = CODES.replace("g: g", "carrier: Carriers, rack: Racks") + 'own_units: {carrier: "", rack: 8 carrier}\n'
    units = (unit("Units", "count"), unit("Carriers", "own"), unit("Racks", "own", "6"))
    assert compared(replace(FITTING, units=units), codes) == [
        "codes.yaml:1:46: 1 rack would be posted as 1 Racks, which in Odoo is 6 Carriers and not 8; mend the ratio of "
        '"Racks" in Odoo'
    ]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            (*PRESSES[:6], Named(name="PRESS-7", is_active=False)),
            'in Odoo the work center with the code "PRESS-7" is archived: take it out of the archive, or name another',
        ),
        (
            (*PRESSES[:6], Named(name="PRESS-7", company=2)),
            'in Odoo the work center with the code "PRESS-7" is of the company 2 (ACME Two), not of 1',
        ),
    ],
    ids=["archived", "of another company"],
)
def test_a_record_that_is_there_and_of_no_use_is_told_as_such(found: tuple[Named, ...], text: str) -> None:
    assert compared(replace(FITTING, work_centers=found)) == [f"assets.yaml:10:18: {text}"]
    assert compared(replace(FITTING, work_centers=(*found, *named("PRESS-7")))) == []


def test_equipment_that_odoo_has_at_another_work_center_is_told() -> None:
    serials = tuple(replace(one, work_center="PRESS-1") for one in SERIALS[:2]) + SERIALS[2:]
    assert compared(replace(FITTING, serial_numbers=serials)) == [
        'assets.yaml:11:20: in Odoo the maintenance equipment with the serial number "SN-2" belongs to the work center '
        '"PRESS-1", and here to "PRESS-2"'
    ]


def test_a_product_that_a_rule_names_must_be_there() -> None:
    assert compared(replace(FITTING, products=named("RESIN-B"))) == [
        'rules/a.yaml:1:88: Odoo has no product with the internal reference "RESIN-A"; did you mean "RESIN-B"?'
    ]


def test_a_scrap_reason_that_is_like_no_other_is_made_without_a_word() -> None:
    assert compared(replace(FITTING, scrap_reasons=("Burn mark",))) == []
    assert compared(replace(FITTING, scrap_reasons=None)) == []


def test_the_hold_location_does_not_matter_where_the_inbox_knows_it() -> None:
    assert compared(replace(FITTING, hold_locations=()), hold_location=None) == []


def test_a_company_that_is_not_the_users_is_told_with_those_that_are() -> None:
    names, _, problems = folder()

    assert compare_company(names, 1, {1: "ACME"})
    assert not compare_company(names, 1, {2: "ACME", 5: "Else"})
    assert [str(problem) for problem in problems.all] == [
        "assets.yaml:4:10: there is no company 1 in Odoo in which the user may work; it may in 2 (ACME), 5 (Else); "
        "nothing else was compared"
    ]
