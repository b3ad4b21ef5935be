"""The server's face: it says that it is a simulator, knows its keys, and fails on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.server import open_service, serving
from tests.odoo_adapter.simulator.conftest import ADMIN_KEY, BRIDGE_KEY, CONTEXT, DATABASE, Simulated
from tests.odoo_adapter.situations import Bench, complete, jobs, progress

NO_FAULTS = {
    "away": False,
    "delay_ms": 0,
    "timeout_before_commit": 0,
    "timeout_after_commit": 0,
    "serialization_failures": 0,
    "refusals": 0,
    "spare": 0,
}


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"X-Odoo-Database": DATABASE}) as session:
        yield session


async def fail(browser: aiohttp.ClientSession, simulated: Simulated, key: str = ADMIN_KEY, **faults: object) -> Any:
    headers = {"Authorization": f"bearer {key}"}
    async with browser.post(f"{simulated.url}/simulator/faults", json=faults, headers=headers) as response:
        return response.status, await response.json()


async def notes_with(admin: OdooApi, key: str) -> int:
    found: int = await admin.call("mail.message", "search_count", writes=False, domain=[["body", "ilike", key]])
    return found


async def test_every_answer_says_that_this_is_a_simulator(browser: aiohttp.ClientSession, simulated: Simulated) -> None:
    for path in ("/", "/web/version", "/web/health", "/nowhere", "/json/2/res.users/search"):
        async with browser.get(f"{simulated.url}{path}") as response:
            assert "simulator" in response.headers["Server"]
    async with browser.get(simulated.url) as response:
        assert "This is a simulator" in await response.text()


async def test_the_check_passes_and_tells_that_it_is_a_simulator(bench: Bench) -> None:
    info = await bench.odoo.check()
    assert (info.version, info.mode, info.simulator, info.user) == ("19.0-simulator", "inbox", True, "uns-bridge")


async def test_only_the_integration_user_may_use_the_inbox(simulated: Simulated) -> None:
    stranger = OdooServer(OdooApi(simulated.connection(ADMIN_KEY)), CONTEXT)
    with pytest.raises(Refused, match="access rights"):
        await stranger.check()
    await stranger.close()


@pytest.mark.parametrize("database", ["", "another"])
async def test_another_database_is_a_404_page(database: str, simulated: Simulated) -> None:
    headers = {"X-Odoo-Database": database, "Authorization": f"bearer {BRIDGE_KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{simulated.url}/json/2/res.users/context_get", json={}) as response,
    ):
        assert (response.status, response.content_type) == (404, "text/html")


async def test_a_body_that_is_no_json_is_a_400_object(browser: aiohttp.ClientSession, simulated: Simulated) -> None:
    headers = {"Authorization": f"bearer {BRIDGE_KEY}", "Content-Type": "application/json"}
    url = f"{simulated.url}/json/2/res.users/search"
    async with browser.post(url, data=b"{not json", headers=headers) as response:
        assert (response.status, (await response.json())["name"]) == (400, "werkzeug.exceptions.BadRequest")


async def test_faults_are_set_shown_and_taken_back_by_the_administrator_only(
    browser: aiohttp.ClientSession, simulated: Simulated
) -> None:
    assert await fail(browser, simulated, away=True, delay_ms=3) == (200, NO_FAULTS | {"away": True, "delay_ms": 3})
    assert await fail(browser, simulated, away=False, delay_ms=0) == (200, NO_FAULTS)
    assert (await fail(browser, simulated, BRIDGE_KEY, away=True))[0] == 403
    assert (await fail(browser, simulated, "nobodys", away=True))[0] == 401
    for wrong in ({"away": 1}, {"delay_ms": -1}, {"fire": True}, {"delay_ms": 1, "away": "yes"}):
        assert (await fail(browser, simulated, **wrong))[0] == 400
    assert await fail(browser, simulated) == (200, NO_FAULTS)


async def test_a_database_that_is_away_is_unavailable_but_healthy(
    bench: Bench, browser: aiohttp.ClientSession, simulated: Simulated
) -> None:
    order = await bench.order(10)
    await fail(browser, simulated, away=True)
    with pytest.raises(Unavailable, match="database is not usable"):
        await bench.post([progress(bench, order, 4)])
    async with browser.get(f"{simulated.url}/web/health") as response:
        assert response.status == 200
    await fail(browser, simulated, away=False)
    (outcome,) = await bench.post([progress(bench, order, 4)])
    assert isinstance(outcome, Applied)


async def test_a_timeout_before_the_commit_leaves_nothing_and_one_after_it_leaves_all(
    bench: Bench, admin: OdooApi, browser: aiohttp.ClientSession, simulated: Simulated
) -> None:
    before, after = complete(bench, await bench.order(10)), complete(bench, await bench.order(10))
    await fail(browser, simulated, timeout_before_commit=1)
    with pytest.raises(Uncertain):
        await bench.post([before])
    assert await notes_with(admin, before.key) == 0
    await fail(browser, simulated, timeout_after_commit=1)
    with pytest.raises(Uncertain):
        await bench.post([after])
    assert await notes_with(admin, after.key) == 1
    outcomes = await bench.post([before, after])
    assert [one.receipt.repeated for one in outcomes if isinstance(one, Applied)] == [False, True]
    assert await notes_with(admin, after.key) == 1


async def test_a_call_is_ended_at_the_servers_limit_and_does_nothing_later() -> None:
    service = open_service(
        "plant", administrator="admin", bridge="bridge", now_ms=lambda: 1_795_400_000_000, limit_s=0.05
    )
    async with serving(service) as url:
        admin = OdooApi(Connection(url=url, database="plant", key=lambda: "admin"))
        service.faults.set({"delay_ms": 3_600_000})
        with pytest.raises(Uncertain):
            await admin.call("stock.lot", "create", writes=True, vals_list=[{"name": "H-1", "product_id": 1}])
        service.faults.set({"delay_ms": 0})
        assert await admin.call("stock.lot", "search_count", writes=False, domain=[["name", "=", "H-1"]]) == 0
        await admin.close()


async def test_serialization_failures_strike_so_many_writing_calls(
    bench: Bench, browser: aiohttp.ClientSession, simulated: Simulated
) -> None:
    transaction = progress(bench, await bench.order(10), 4)
    await bench.odoo.check()
    await fail(browser, simulated, serialization_failures=2)
    for _ in range(2):
        with pytest.raises(Unavailable, match="SerializationFailure"):
            await bench.post([transaction])
        assert await bench.odoo.look_up(jobs(transaction)) == {}
    (outcome,) = await bench.post([transaction])
    assert isinstance(outcome, Applied)
    assert not outcome.receipt.repeated


async def test_a_delayed_call_outlasts_a_short_patience_and_nothing_else(
    bench: Bench, browser: aiohttp.ClientSession, simulated: Simulated
) -> None:
    await fail(browser, simulated, delay_ms=1)
    (outcome,) = await bench.post([progress(bench, await bench.order(10), 4)])
    assert isinstance(outcome, Applied)
