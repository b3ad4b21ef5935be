"""`uns-bridge odoo`: what its functions answer. The installation is tested in tests/live_odoo/test_install.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.commands.exit import FAILED, UNREACHABLE
from bridge.commands.odoo import check, exit_code
from odoo_adapter.errors import OdooError, Refused, Unavailable, Uncertain
from odoo_adapter.odoo import INBOX
from tests.bridge.beside_odoo import simulated, write_plant


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


async def test_the_check_tells_how_postings_go_and_that_every_setting_is_on(tmp_path: Path) -> None:
    async with simulated() as url:
        info, off = await check(write_plant(tmp_path / "plant", url))
    assert (info.mode, info.user, off) == (INBOX, "uns-bridge", [])
