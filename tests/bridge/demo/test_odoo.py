"""The Odoo of a demonstration: the simulator has master data and outlives a kill, a real one needs its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.demo.odoo import ADMIN_USER, COMPANY, VARIABLES, DemoOdoo, DemoOdooError, real_odoo, simulated_odoo
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import Unavailable
from odoo_adapter.seed import HOLD_LOCATION, UNCLASSIFIED
from tests.integration.patience import until

pytestmark = pytest.mark.embedded


async def names(odoo: DemoOdoo) -> list[str]:
    rows = await odoo.search_read("mrp.workcenter", [], ["code"])
    return sorted(str(row["code"]) for row in rows)


async def test_the_simulator_is_prepared_for_the_plant_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    async with simulated_odoo(tmp_path) as odoo:
        await odoo.prepare(said.append)
        assert await names(odoo) == ["PACK-1", "PRESS-1", "PRESS-2"]
    assert said == ["preparing products, bills of materials and stock in Odoo"]


async def test_what_posting_without_the_inbox_needs_is_made_once_where_it_is_not_there(tmp_path: Path) -> None:
    needed = {"stock.location": HOLD_LOCATION, "mrp.workcenter.productivity.loss": UNCLASSIFIED}
    async with simulated_odoo(tmp_path) as odoo:
        for model, name in needed.items():
            (row,) = await odoo.search_read(model, [["name", "=", name]], ["id"])
            await odoo.admin.call(model, "write", writes=True, ids=[row["id"]], vals={"name": "Another"})
        for _ in range(2):
            await odoo.prepare(lambda text: None)
        made = [await odoo.search_read(model, [["name", "=", name]], ["name"]) for model, name in needed.items()]
    assert [[row["name"] for row in rows] for rows in made] == [[HOLD_LOCATION], [UNCLASSIFIED]]


async def test_a_simulator_that_is_kept_has_its_orders_after_a_kill(tmp_path: Path) -> None:
    async with simulated_odoo(tmp_path, kept=True) as odoo:
        order = await (await odoo.prepare(lambda text: None)).create_order(5, press=1)
        assert odoo.server is not None
        await odoo.server.kill_for(0)
        rows = await odoo.search_read("mrp.production", [], ["id", "state"])
    assert [f"mo-{row['id']}" for row in rows] == [order]


async def test_a_simulator_that_does_not_come_up_says_what_it_printed(tmp_path: Path) -> None:
    (tmp_path / "odoo-simulator.keys").write_text("only-one-key\n")
    with pytest.raises(DemoOdooError, match=r"the Odoo simulator ended while starting: .*odoo-simulator\.keys"):
        async with simulated_odoo(tmp_path):
            pass


async def test_a_real_odoo_is_asked_for_with_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv(ADMIN_USER, "boss")
    async with real_odoo("http://odoo.plant") as odoo:
        assert (odoo.url, odoo.database, odoo.user, odoo.key) == (
            "http://odoo.plant",
            "uns_bridge_odoo_db",
            "uns_bridge_odoo_user",
            "uns_bridge_odoo_key",
        )
        assert (odoo.admin.connection.user, odoo.admin.connection.key()) == ("boss", "uns_bridge_odoo_admin_key")


async def test_a_key_of_the_simulator_ends_when_a_new_one_is_accepted_alone_and_bridges_are_handed_that(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "odoo.secret"
    async with simulated_odoo(tmp_path) as odoo:
        assert odoo.keys is not None
        odoo.keys.handed_out(secret)
        secret.write_text(odoo.key)
        connection = Connection(url=odoo.url, database=odoo.database, key=secret.read_text, company=COMPANY)
        bridge = OdooApi(connection)

        async def is_let_in() -> bool:
            try:
                await bridge.call("res.users", "search_read", writes=False, domain=[], fields=["login"])
            except Unavailable:
                return False
            return True

        async def is_refused() -> bool:
            return not await is_let_in()

        both = odoo.keys.accept_new(also_old=True)
        assert await is_let_in()
        odoo.keys.hand_out(both)
        odoo.keys.end_old()
        await until(is_let_in, "the new key, handed out", 10)
        later = odoo.keys.accept_new(also_old=False)
        await until(is_refused, "the end of the key", 10)
        odoo.keys.hand_out(later)
        assert await is_let_in()
        await bridge.close()
