"""What bridge.yaml accepts although it is not fit is on the first page as long as it is so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.console.diagnosis import Facts, diagnose
from bridge.console.trouble import Level
from bridge.console.watch import OdooView, StoreView
from tests.bridge.console.test_diagnosis import INFO, well


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (
            replace(well(), store=StoreView(weaknesses=("the server keeps no append-only file",))),
            [("Redis could lose what it confirmed", "the server keeps no append-only file")],
        ),
        (
            replace(well(), clock_off_ms=300_000, clocks={"the store": -61_000, "Odoo": 70_000}),
            [
                (
                    "The clocks disagree",
                    "the store's clock is 61.0 s behind ours; Odoo's clock is 70.0 s ahead of ours",
                )
            ],
        ),
        (replace(well(), clocks={"the store": 59_000}), []),
        (
            replace(well(), odoo=OdooView(info=replace(INFO, version="20.0"))),
            [("The bridge was never tried with this version of Odoo", "Odoo 20.0, called as Odoo 19.0")],
        ),
    ],
    ids=["weak", "clocks", "within the limit", "version"],
)
def test_what_is_accepted_is_a_note_with_its_setting(seen: Facts, told: list[tuple[str, str]]) -> None:
    found = diagnose(seen)
    assert [(each.title, each.detail) for each in found] == told
    assert all(each.means.startswith("bridge.yaml accepts this (") for each in found)


def test_a_clock_that_left_ours_since_the_start_is_no_note_but_a_warning() -> None:
    (found,) = diagnose(replace(well(), clocks={"Odoo": 61_000}))
    assert (found.level, found.detail) == (Level.WARN, "Odoo's clock is 61.0 s ahead of ours")
    assert "the next start would be refused" in found.means
