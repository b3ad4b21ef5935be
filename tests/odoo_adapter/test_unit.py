"""Quantities in units of measure, as Odoo counts and stores them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from odoo_adapter.look_first.unit import Unit

STORED = Decimal("0.01")


def unit(step: str) -> Unit:
    return Unit(id=1, name="kg", kind="1", size=Decimal(1), step=Decimal(step))


def test_a_total_in_thousandths_is_the_same_as_what_odoo_stores_of_it_in_hundredths() -> None:
    totals = [Decimal(count) / 1000 for count in range(100)]
    stored = [total.quantize(STORED, ROUND_HALF_UP) for total in totals]
    assert [one for one, other in zip(totals, stored, strict=True) if not unit("0.001").same(one, other)] == []


@pytest.mark.parametrize(("step", "one", "other"), [("1", "4", "4.5"), ("0.01", "4", "4.01"), ("0.001", "4", "4.006")])
def test_what_is_half_a_step_and_more_apart_is_not_the_same(step: str, one: str, other: str) -> None:
    assert not unit(step).same(Decimal(one), Decimal(other))
