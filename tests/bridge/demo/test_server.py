"""A server that its owner's command kills, starts, pauses and continues: whatever happens, it goes on afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.demo.chaos.act import Parts
from bridge.demo.chaos.links import Links
from bridge.demo.chaos.plan import ON_ODOO_SERVER, ON_SIMULATED_ODOO
from bridge.demo.chaos.server import CommandedServer, Server
from bridge.demo.odoo import DemoOdoo, DemoOdooError
from bridge.demo.process import Bridges
from bridge.demo.servers import EmbeddedBroker, EmbeddedStore, free_ports
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import OdooError
from odoo_adapter.seed import Planner
from tests.integration.patience import until

CONTROL = """\
#!/bin/sh
echo "$1" >> {folder}/told
case $1 in
  kill) kill -9 "$(cat {folder}/pid)" ;;
  pause) kill -STOP "$(cat {folder}/pid)" ;;
  continue) kill -CONT "$(cat {folder}/pid)" ;;
  start) {python} -m odoo_adapter.simulator --port {port} --database demo \\
      --key-file {folder}/keys --state {folder}/state &
    echo $! > {folder}/pid ;;
esac
"""
NEVER = 600.0


class Owned:
    """An Odoo simulator that runs by itself, the command that its owner has for it, and a connection to it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.command = folder / "control"
        self.command.write_text(CONTROL.format(python=sys.executable, port=port, folder=folder))
        self.command.chmod(0o700)
        (folder / "keys").write_text("admin-key\nbridge-key\n")
        (folder / "keys").chmod(0o600)
        self._told = folder / "told"
        url = f"http://127.0.0.1:{port}"
        self.admin = OdooApi(Connection(url=url, database="demo", key=lambda: "admin-key", company=1, timeout_s=2))
        self.server = CommandedServer([str(self.command)], folder / "log", self.admin.version)

    @property
    def told(self) -> list[str]:
        """What the command was called with."""
        return self._told.read_text().split()

    async def is_told(self, word: str) -> None:
        async def was() -> bool:
            return self._told.exists() and self.told[-1] == word

        await until(was, f"the word {word}", 10)

    async def answers(self) -> bool:
        try:
            return bool(await self.admin.version())
        except OdooError:
            return False


@pytest.fixture
async def owned(tmp_path: Path) -> AsyncIterator[Owned]:
    owned = Owned(tmp_path, *free_ports(1))
    await (await asyncio.create_subprocess_exec(owned.command, "start")).wait()
    await until(owned.answers, "the simulator", 20)
    try:
        yield owned
    finally:
        await owned.admin.close()
        await (await asyncio.create_subprocess_exec(owned.command, "kill")).wait()


async def test_it_answers_again_when_its_kill_is_over_and_has_what_it_had(owned: Owned) -> None:
    planner = Planner(owned.admin)
    await planner.prepare()
    order = await planner.create_order(5, press=1)
    await owned.server.kill_for(0)
    rows = await owned.admin.call("mrp.production", "search_read", writes=False, domain=[], fields=["id"])
    assert (owned.told, [f"mo-{row['id']}" for row in rows]) == (["start", "kill", "start"], [order])


async def test_it_answers_nothing_while_it_is_paused_and_goes_on_after_it(owned: Owned) -> None:
    paused = asyncio.create_task(owned.server.pause(3))
    await owned.is_told("pause")
    assert not await owned.answers()
    await paused
    assert (owned.told, await owned.answers()) == (["start", "pause", "continue"], True)


@pytest.mark.parametrize(("word", "undo"), [("kill", "start"), ("pause", "continue")])
async def test_a_run_that_is_broken_off_leaves_it_running(owned: Owned, word: str, undo: str) -> None:
    abuse = asyncio.create_task(owned.server.kill_for(NEVER) if word == "kill" else owned.server.pause(NEVER))
    await owned.is_told(word)
    abuse.cancel()
    with suppress(asyncio.CancelledError):
        await abuse
    await until(owned.answers, "the simulator", 20)
    assert owned.told == ["start", word, undo]


async def test_a_command_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    command = ["sh", "-c", 'echo "no such unit: $0" >&2; exit 5']

    async def answers() -> None:
        pass

    with pytest.raises(
        DemoOdooError, match=r"^`sh -c .* start` ended with 5: no such unit: kill\nno such unit: start$"
    ):
        await CommandedServer(command, tmp_path / "log", answers).kill_for(0)


@pytest.mark.parametrize("is_controlled", [True, False])
async def test_a_real_odoo_is_killed_only_by_its_owners_command_and_else_left_alone(
    tmp_path: Path, is_controlled: bool
) -> None:
    async def nobody() -> None:
        return None

    server: Server | None = CommandedServer(["true"], tmp_path / "log", nobody) if is_controlled else None
    admin = OdooApi(Connection(url="http://odoo.plant", database="demo", key=lambda: "key", company=1))
    odoo = DemoOdoo(url="http://odoo.plant", database="demo", user="u", key="k", admin=admin, simulator=False)
    parts = Parts(
        bridges=Bridges([], nobody),
        broker=EmbeddedBroker(tmp_path),
        store=EmbeddedStore(tmp_path),
        odoo=odoo,
        links=Links({}),
        odoo_server=server,
    )
    assert not parts.possible & ON_SIMULATED_ODOO
    assert parts.possible & ON_ODOO_SERVER == (ON_ODOO_SERVER if is_controlled else frozenset())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--chaos", "--odoo-control", "true"], "add --chaos and --odoo URL"),
        (["--odoo", "http://odoo.plant", "--odoo-control", "true"], "add --chaos and --odoo URL"),
        (["--chaos", "--odoo", "http://odoo.plant", "--odoo-control", "./none of these"], "there is no such command"),
        (["--chaos", "--odoo", "http://odoo.plant", "--odoo-control", "true 'or"], "No closing quotation"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_before_anything_runs(words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["demo", *words])
    assert (result.exit_code, said in result.output) == (2, True)
