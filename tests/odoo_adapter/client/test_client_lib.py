"""Calls by odoo-client-lib: what goes through, what a failure means, and what is not even tried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import KeyRefused, OdooError, Refused, Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.server import open_service, serving
from ruleset.transaction import Transaction
from tests.odoo_adapter.simulator.conftest import ADMIN_KEY, BRIDGE_KEY, CONTEXT, DATABASE
from tests.odoo_adapter.situations import AT_MS, Bench, complete, progress

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def nineteen(answer: Answer) -> AsyncIterator[Connection]:
    """A server of 19 that answers calls like this."""

    async def version(request: web.Request) -> web.Response:
        return web.json_response({"version": "19.0"})

    application = web.Application()
    application.router.add_get("/web/version", version)
    application.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Connection(url=url, database="plant", key=lambda: "k-1", company=3, timeout_s=10.0, client_lib=True)
    await runner.cleanup()


async def failure(connection: Connection, *, writes: bool) -> OdooError:
    odoo = OdooApi(connection)
    try:
        with pytest.raises(OdooError) as caught:
            await odoo.call("mrp.production", "read", writes=writes, ids=[1])
    finally:
        await odoo.close()
    return caught.value


async def test_a_call_is_the_same_as_our_own() -> None:
    seen: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers["Authorization"], request.headers["X-Odoo-Database"]))
        seen.append((request.headers["User-Agent"].partition("/")[0], await request.json()))
        return web.json_response([{"id": 1}])

    async with nineteen(answer) as connection:
        odoo = OdooApi(connection)
        assert await odoo.call("stock.lot", "read", writes=False, ids=[1], fields=["name"]) == [{"id": 1}]
        await odoo.close()
    context = {"lang": "en_US", "tz": "UTC", "allowed_company_ids": [3]}
    assert seen == [
        ("/json/2/stock.lot/read", "Bearer k-1", "plant"),
        ("uns-bridge", {"ids": [1], "fields": ["name"], "context": context}),
    ]


@pytest.mark.parametrize(
    ("status", "body", "writing", "reading"),
    [
        (401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, KeyRefused, KeyRefused),
        (422, {"name": "odoo.exceptions.UserError", "message": "No."}, Refused, Refused),
        (403, {"name": "odoo.exceptions.AccessError", "message": "No."}, Refused, Refused),
        (500, {"name": "psycopg2.errors.SerializationFailure", "message": "busy"}, Unavailable, Unavailable),
        (502, None, Uncertain, Unavailable),
        (200, None, Uncertain, Unavailable),
    ],
)
async def test_a_failure_means_what_its_text_tells_and_the_worst_where_it_tells_nothing(
    status: int, body: object, writing: type, reading: type
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if body is None:
            return web.Response(text="<html>Bad Gateway</html>", status=status)
        return web.json_response(body, status=status)

    async with nineteen(answer) as connection:
        told = [type(await failure(connection, writes=writes)) for writes in (True, False)]
    assert told == [writing, reading]


async def test_silence_ends_at_our_own_deadline_and_is_uncertain_for_what_writes() -> None:
    answered = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await answered.wait()
        return web.json_response(True)

    async with nineteen(answer) as connection:
        hasty = replace(connection, timeout_s=0.2)
        assert isinstance(await failure(hasty, writes=True), Uncertain)
        assert isinstance(await failure(hasty, writes=False), Unavailable)
        answered.set()


async def test_a_server_that_is_not_there_wrote_nothing() -> None:
    async def answer(request: web.Request) -> web.Response:
        raise AssertionError

    async with nineteen(answer) as connection:
        odoo = OdooApi(connection)
        await odoo.version()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await odoo.call("stock.lot", "write", writes=True, ids=[1])
    await odoo.close()


async def test_a_version_that_it_would_give_up_on_after_five_seconds_is_refused_before_the_first_call() -> None:
    service = open_service(DATABASE, administrator=ADMIN_KEY, bridge=BRIDGE_KEY, now_ms=lambda: AT_MS, version="18.0")
    async with serving(service) as url:
        plain = Connection(url=url, database=DATABASE, user="uns-bridge", key=lambda: BRIDGE_KEY, client_lib=True)
        server = OdooServer(OdooApi(plain), CONTEXT)
        with pytest.raises(Refused, match="gives up a call of this version after 5 s; write `transport: http`"):
            await server.check()
        await server.close()


async def test_postings_through_the_inbox_stand_once_although_an_answer_was_lost() -> None:
    service = open_service(DATABASE, administrator=ADMIN_KEY, bridge=BRIDGE_KEY, now_ms=lambda: AT_MS)
    async with serving(service) as url:
        plain = Connection(url=url, database=DATABASE, key=lambda: BRIDGE_KEY)
        admin, odoo = OdooApi(replace(plain, key=lambda: ADMIN_KEY)), OdooApi(replace(plain, client_lib=True))
        planner, server = Planner(admin), OdooServer(odoo, CONTEXT)
        await planner.prepare()
        order = await planner.create_order(10, press=1)
        bench = Bench(odoo=server, order=lambda quantity: planner.create_order(quantity, press=1), fresh="lib")
        assert (await server.check()).mode == "inbox"
        service.faults.set({"timeout_after_commit": 1})
        batch: list[Transaction] = [progress(bench, order, 4), complete(bench, order)]
        with pytest.raises(Uncertain):
            await bench.post(batch)
        outcomes = await bench.post(batch)
        await server.close()
        await admin.close()
    assert [one.receipt.repeated for one in outcomes if isinstance(one, Applied)] == [True, True]
