"""The installer of the inbox on the simulator: the tests of a real Odoo, and an inbox that was removed before."""

from __future__ import annotations

from odoo_adapter.client.api import OdooApi
from odoo_adapter.inbox.install import install, uninstall
from tests.live_odoo.test_install import (
    LOGIN,
    installer,
    test_a_second_installation_writes_nothing,
    test_what_a_person_changed_is_told_and_put_back_and_nothing_else_is_written,
)
from tests.odoo_adapter.situations import Bench

__all__ = [
    "installer",
    "test_a_second_installation_writes_nothing",
    "test_what_a_person_changed_is_told_and_put_back_and_nothing_else_is_written",
]


async def test_what_was_removed_is_made_again(bench: Bench, admin: OdooApi) -> None:
    await install(admin, [LOGIN])
    removed = {line.removeprefix("removed ") for line in await uninstall(admin, drop_history=False)}
    again = await install(admin, [LOGIN])
    assert {line.removeprefix("created ") for line in again.log if line.startswith("created")} == removed
    assert (await bench.odoo.check()).mode == "inbox"
