"""What the doctor says of Odoo: each need by its name, the way of posting, the key's days."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.doctor.clock import Reading
from bridge.doctor.finding import Finding, Level, Place
from bridge.doctor.key import DAY_MS
from bridge.doctor.odoo import Login, Way, examine_account, examine_connection, examine_login, examine_way, failure
from odoo_adapter.errors import Refused, Unavailable
from odoo_adapter.rights import SWITCHES, Account, Need
from odoo_adapter.survey.master import MasterData
from tests.bridge.beside_odoo import write_plant

PLACE = Place("odoo", "http://odoo")
NOW_MS = 1_800_000_000_000
ACCOUNT = Account(id=5, login="uns-bridge", companies={1: "ACME"})
LOGIN = Login(
    account=ACCOUNT,
    administrator=False,
    needs=(Need("may write mrp.production"),),
    key_expires_ms=NOW_MS + 90 * DAY_MS,
    reading=Reading(asked_ms=0, answered_ms=0, told_ms=0),
)
MASTER = MasterData(
    company=1,
    companies={1: "ACME"},
    work_centers=(),
    serial_numbers=(),
    products=(),
    units=(),
    counted_in=frozenset(),
    losses=frozenset({"unclassified"}),
    loss_names=("Unclassified",),
    scrap_reasons=(),
    hold_locations=("Quality Hold",),
)


def told(findings: list[Finding]) -> list[tuple[Level, str]]:
    return [(one.level, one.text) for one in findings]


def test_every_need_is_told_by_its_name_and_every_app() -> None:
    lack = "the user uns-bridge may not create stock.scrap"
    absent = "there is no maintenance.request: install the app Maintenance in Odoo"
    needs = (*LOGIN.needs, Need("may create stock.scrap", lack), Need("may create maintenance.request", absent))
    found = list(examine_login(PLACE, replace(LOGIN, needs=needs), NOW_MS))
    assert told(found) == [
        (Level.OK, "the app Manufacturing is installed"),
        (Level.OK, "the app Inventory is installed"),
        (Level.OK, "the user may write mrp.production"),
        (Level.WRONG, lack),
        (Level.WRONG, absent),
        (Level.OK, "work orders, lots and serial numbers, storage locations are switched on"),
        (Level.OK, "an API key of uns-bridge ends on 2027-04-15, in 90 days"),
    ]
    assert [one.mend for one in found if one.level is Level.WRONG] == ["docs/odoo.md names the groups", ""]


def test_a_setting_that_is_off_in_odoo_is_warned_of_with_its_place() -> None:
    off = (SWITCHES["mrp.group_mrp_routings"],)
    warned = [one for one in examine_login(PLACE, replace(LOGIN, switched_off=off), NOW_MS) if one.mend]
    assert [(one.level, one.text, one.mend) for one in warned] == [
        (
            Level.WARNING,
            "work orders are switched off in Odoo",
            "switch them on under Manufacturing / Configuration / Settings / Work Orders",
        )
    ]


@pytest.mark.parametrize(("days", "level"), [(13, Level.WARNING), (15, Level.OK), (None, Level.OK)])
def test_a_key_is_warned_of_two_weeks_ahead(days: int | None, level: Level) -> None:
    ends_ms = None if days is None else NOW_MS + days * DAY_MS
    *_, found = examine_login(PLACE, replace(LOGIN, key_expires_ms=ends_ms), NOW_MS)
    assert found.level is level


def test_an_administrator_is_wrong() -> None:
    first, *_ = examine_login(PLACE, replace(LOGIN, administrator=True), NOW_MS)
    assert (first.level, first.text) == (Level.WRONG, "uns-bridge is an administrator")


def test_another_company_and_another_user_are_told_with_what_was_found(tmp_path: Path) -> None:
    plant = write_plant(tmp_path / "plant", "http://odoo")
    other = replace(ACCOUNT, login="ada", companies={2: "Else"})
    _, user, company = examine_account(PLACE, other, plant, 1)
    assert told([user, company]) == [
        (Level.WARNING, "the key is of ada, bridge.yaml names uns-bridge"),
        (Level.WRONG, "the user ada may not work in company 1"),
    ]
    assert "2 (Else)" in company.mend


@pytest.mark.parametrize(
    ("way", "levels"),
    [
        (Way(hello={"inbox": 5, "sha": "0123456789abcdef"}), [Level.OK]),
        (Way(refusal=Refused("not_installed", "the inbox is not installed")), [Level.WRONG]),
        (Way(master=MASTER), [Level.OK, Level.OK, Level.OK]),
        (
            Way(master=replace(MASTER, losses=frozenset(), hold_locations=())),
            [Level.OK, Level.WARNING, Level.WARNING],
        ),
    ],
    ids=["inbox", "no inbox where one must be", "without the inbox", "without the inbox, things missing"],
)
def test_the_way_of_posting_and_what_it_needs(way: Way, levels: list[Level]) -> None:
    assert [one.level for one in examine_way(PLACE, way, "Quality Hold")] == levels


def test_an_unknown_version_is_no_unreachable_odoo() -> None:
    found = [failure(PLACE, error) for error in (Refused("version", "Odoo 12.0 is not supported"), Unavailable("away"))]
    assert [one.unreachable for one in found] == [False, True]


def test_a_user_of_several_companies_is_warned_of(tmp_path: Path) -> None:
    plant = write_plant(tmp_path / "plant", "http://odoo")
    *_, last = examine_account(PLACE, replace(ACCOUNT, companies={1: "ACME", 2: "Else"}), plant, 1)
    assert (last.level, last.text) == (Level.WARNING, "the user uns-bridge may work in 2 companies")


@pytest.mark.parametrize(
    ("url", "more", "levels"),
    [
        ("http://127.0.0.1:8069", "", []),
        ("http://odoo.plant", "", [Level.WARNING]),
        ("https://odoo.plant", "", [Level.OK]),
        ("https://odoo.plant", "tls: {verify: false}", [Level.WARNING]),
        ("https://odoo.plant", "proxy: {url: 'http://proxy:3128'}", [Level.OK, Level.OK]),
        ("http://127.0.0.1:8069", "transport: client-lib", [Level.OK]),
    ],
)
def test_the_way_to_odoo_is_told(url: str, more: str, levels: list[Level], tmp_path: Path) -> None:
    plant = write_plant(tmp_path / "plant", url, more)
    assert [one.level for one in examine_connection(PLACE, plant.settings.odoo)] == levels
