"""`uns-bridge odoo`: what its functions answer. The installation itself is tested on a real Odoo."""

from __future__ import annotations

import pytest

from bridge.commands.exit import FAILED, UNREACHABLE
from bridge.commands.odoo import check, exit_code
from odoo_adapter.errors import OdooError, Refused, Unavailable, Uncertain
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("not_installed", "the inbox is not installed"), FAILED),
        (Unavailable("Odoo cannot be reached"), UNREACHABLE),
        (Uncertain("no answer in time"), UNREACHABLE),
    ],
    ids=str,
)
def test_an_answer_that_something_is_missing_is_no_unreachable_odoo(error: OdooError, code: int) -> None:
    assert exit_code(error) == code


async def test_the_check_is_the_one_of_the_bridges_start() -> None:
    odoo = MemoryOdoo(context=PlanContext())
    assert await check(odoo) == await odoo.check()
