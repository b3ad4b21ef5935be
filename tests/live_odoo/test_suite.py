"""A real Odoo passes the suite that the in-memory one passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.odoo_adapter.situations import SUITE, Bench, both_modes

mode = both_modes


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.__name__)
async def test_it_behaves_as_every_odoo(case: Callable[[Bench], Awaitable[None]], bench: Bench) -> None:
    await case(bench)
