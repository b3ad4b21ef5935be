"""A slice of `make outage`: half an hour without Odoo, at five events a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outage.run import endure

MOST_WAITING = 1_500
"""Forty presses post progress once a minute: unjoined there would be as many totals alone."""


@pytest.mark.slow
async def test_half_an_hour_without_odoo_costs_nothing_and_is_made_up_for_in_order(tmp_path: Path) -> None:
    outcome = await endure(tmp_path / "plant", hours=0.5, devices=40, every_ms=8_000)
    assert outcome.events > 9_000
    assert 0 < outcome.waited < MOST_WAITING
    assert (outcome.missing, outcome.doubled, outcome.out_of_order) == ([], 0, 0)
    assert outcome.is_clean
