"""The simulator as an older Odoo: what is tested on a real one, over JSON-RPC, and what only that version does."""

from __future__ import annotations

import aiohttp
import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused, Unavailable
from odoo_adapter.server import OdooServer
from tests.live_odoo.test_kinds import (
    test_a_completion_keeps_its_genealogy_and_its_actual_consumption,
    test_a_hold_keeps_the_goods_out_of_stock,
    test_it_refuses,
    test_scrap_of_unfinished_pieces_never_touches_stock,
)
from tests.live_odoo.test_orders import (
    test_an_order_is_read_when_released_changed_completed_and_taken_back,
)
from tests.live_odoo.test_suite import mode, test_it_behaves_as_every_odoo
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, CONTEXT, Simulated
from tests.odoo_adapter.situations import Bench, jobs, progress

__all__ = [
    "mode",
    "test_a_completion_keeps_its_genealogy_and_its_actual_consumption",
    "test_a_hold_keeps_the_goods_out_of_stock",
    "test_an_order_is_read_when_released_changed_completed_and_taken_back",
    "test_it_behaves_as_every_odoo",
    "test_it_refuses",
    "test_scrap_of_unfinished_pieces_never_touches_stock",
]


@pytest.fixture(params=["17.0", "18.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_check_passes_and_tells_the_version(bench: Bench, version: str) -> None:
    info = await bench.odoo.check()
    assert (info.version, info.simulator, info.user) == (f"{version}-simulator", True, "uns-bridge")


async def test_it_has_no_json2(simulated: Simulated) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"bearer {BRIDGE_KEY}"}) as session:
        for verb, path in (("GET", "/web/version"), ("POST", "/json/2/res.users/context_get")):
            async with session.request(verb, simulated.url + path, json={}) as response:
                assert (response.status, response.content_type) == (404, "text/plain")


async def test_a_field_of_a_later_version_is_not_known(admin: OdooApi, bench: Bench) -> None:
    order = int((await bench.order(10))[3:])
    with pytest.raises(Refused, match="Invalid field 'lot_producing_ids'"):
        await admin.call("mrp.production", "read", writes=False, ids=[order], fields=["lot_producing_ids"])


async def test_a_wrong_key_is_no_dead_letter(simulated: Simulated, bench: Bench) -> None:
    stranger = OdooServer(OdooApi(simulated.connection("wrong")), CONTEXT)
    with pytest.raises(Unavailable, match="API key"):
        await stranger.post(jobs(progress(bench, "mo-1", 1)))
    await stranger.close()


async def test_a_conflict_means_what_it_means_everywhere(simulated: Simulated, bench: Bench) -> None:
    transaction = progress(bench, await bench.order(10), 4)
    simulated.service.faults.set({"serialization_failures": 1})
    with pytest.raises(Unavailable, match="SerializationFailure"):
        await bench.post([transaction])
    assert await bench.odoo.look_up(jobs(transaction)) == {}


async def test_one_lot_is_written_and_read_as_one(admin: OdooApi, bench: Bench) -> None:
    order = int((await bench.order(10))[3:])
    (product,) = await admin.call("product.product", "search", writes=False, domain=[["default_code", "=", "HOUSING"]])
    (lot,) = await admin.call("stock.lot", "create", writes=True, vals_list=[{"name": "H-1", "product_id": product}])
    await admin.call("mrp.production", "write", writes=True, ids=[order], vals={"lot_producing_id": lot})
    rows = await admin.call("mrp.production", "read", writes=False, ids=[order], fields=["lot_producing_id"])
    assert rows == [{"id": order, "lot_producing_id": [lot, "H-1"]}]


@pytest.mark.parametrize("mode", ["inbox"])
async def test_the_page_shows_what_a_run_left_and_says_what_it_is(simulated: Simulated, bench: Bench) -> None:
    transaction = progress(bench, await bench.order(10), 4)
    await bench.post([transaction])
    async with aiohttp.ClientSession() as session, session.get(simulated.url) as response:
        text = await response.text()
    assert "This is a simulator" in text
    assert transaction.key in text
    assert "WH/MO/" in text
