"""The fixtures of a scenario: a plant on whatever Odoo `ground` is, in both ways of posting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.odoo_adapter.situations import MODES
from tests.scenarios.factory import Factory, Ground, opened


@pytest.fixture(params=MODES)
def both_ways(request: pytest.FixtureRequest) -> str:
    """Every scenario holds through the inbox and without it."""
    return str(request.param)


@pytest.fixture
async def plant(ground: Ground, both_ways: str, tmp_path: Path) -> AsyncIterator[Factory]:
    async with opened(ground, both_ways, tmp_path) as factory:
        yield factory


@pytest.fixture
async def other_plant(second_ground: Ground, both_ways: str, tmp_path: Path) -> AsyncIterator[Factory]:
    """A plant of the same folder in another town, of another company in the same Odoo: all its devices, codes and lots
    have the same names."""
    async with opened(second_ground, both_ways, tmp_path, town="linz") as factory:
        yield factory
