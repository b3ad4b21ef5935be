"""The installer of the inbox, once more: what stands is not written, and what a person changed is put back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.inbox.action import inbox_hash
from odoo_adapter.inbox.administrator import Administrator
from odoo_adapter.inbox.install import install
from odoo_adapter.seed import Planner

LOGIN = os.environ.get("UNS_BRIDGE_ODOO_USER", "uns-bridge")


class Watched(OdooApi):
    """Remembers which calls wrote."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.written: list[str] = []

    async def call(
        self,
        model: str,
        method: str,
        *,
        writes: bool,
        ids: Sequence[int] | None = None,
        context: Mapping[str, object] | None = None,
        **arguments: object,
    ) -> Any:
        if writes:
            self.written.append(f"{model} {method}")
        return await super().call(model, method, writes=writes, ids=ids, context=context, **arguments)


@pytest.fixture
async def installer(admin: OdooApi, planner: Planner) -> AsyncIterator[Watched]:
    """An administrator's connection, with the inbox installed."""
    odoo = Watched(admin.connection)
    await install(odoo, [LOGIN])
    odoo.written.clear()
    yield odoo
    await odoo.close()


async def test_a_second_installation_writes_nothing(installer: Watched) -> None:
    again = await install(installer, [LOGIN])
    assert installer.written == []
    assert again.sha == inbox_hash()
    assert [line for line in again.log if line.startswith(("created", "changed", "made", "marked"))] == []


async def test_what_a_person_changed_is_told_and_put_back_and_nothing_else_is_written(installer: Watched) -> None:
    run = Administrator(installer, await installer.capabilities())
    await run.write("ir.actions.server", await run.ref("action_inbox", "uns_bridge"), {"code": "action = False"})
    await run.write("ir.model.access", await run.ref("acl_bridge", "uns_bridge"), {"perm_write": True})
    await run.write("res.groups", await run.ref("group_bridge", "uns_bridge"), {run.can.users_field: [[5]]})
    installer.written.clear()
    again = await install(installer, [LOGIN])
    assert [line for line in again.log if line.startswith("changed")] == [
        f"changed group_bridge: {run.can.users_field}",
        "changed acl_bridge: perm_write",
        "changed action_inbox: code",
    ]
    assert installer.written == ["res.groups write", "ir.model.access write", "ir.actions.server write"]
    installer.written.clear()
    await install(installer, [LOGIN])
    assert installer.written == []
