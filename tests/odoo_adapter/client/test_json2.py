"""The connection: what goes over the line, and what a cut or a silent line means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import OdooError, Unavailable, Uncertain

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def nineteen(request: web.Request) -> web.Response:
    return web.json_response({"version": "19.0"})


@asynccontextmanager
async def serving(answer: Answer, version: Answer | None = None) -> AsyncIterator[Connection]:
    application = web.Application()
    application.router.add_get("/web/version", version or nineteen)
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield Connection(url=f"http://{host}:{port}/", database="plant", key=lambda: "k-1\n", company=3, timeout_s=0.3)
    await runner.cleanup()


async def failure(connection: Connection, *, writes: bool) -> OdooError:
    odoo = OdooApi(connection)
    try:
        with pytest.raises(OdooError) as caught:
            await odoo.call("mrp.production", "read", writes=writes, ids=[1])
    finally:
        await odoo.close()
    return caught.value


async def test_a_call_carries_the_key_the_database_and_the_company() -> None:
    seen: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers["Authorization"], request.headers["X-Odoo-Database"]))
        seen.append(await request.json())
        return web.json_response([1])

    async with serving(answer) as connection:
        odoo = OdooApi(connection)
        assert await odoo.call("res.users", "search", writes=False, domain=[], context={"uns": {}}) == [1]
        await odoo.close()
    assert seen == [
        ("/json/2/res.users/search", "bearer k-1", "plant"),
        {"domain": [], "context": {"lang": "en_US", "tz": "UTC", "allowed_company_ids": [3], "uns": {}}},
    ]


async def test_a_rotated_key_is_taken_at_the_next_call() -> None:
    keys = iter(["old", "new"])
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response(True)

    async with serving(answer) as connection:
        odoo = OdooApi(replace(connection, key=lambda: next(keys)))
        await odoo.call("a", "b", writes=False)
        await odoo.call("a", "b", writes=False)
        await odoo.close()
    assert seen == ["bearer old", "bearer new"]


async def test_silence_is_uncertain_only_for_what_writes() -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with serving(answer) as connection:
        assert isinstance(await failure(connection, writes=True), Uncertain)
        assert isinstance(await failure(connection, writes=False), Unavailable)


async def test_a_cut_line_is_uncertain_only_for_what_writes() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(answer) as connection:
        assert isinstance(await failure(connection, writes=True), Uncertain)
        assert isinstance(await failure(connection, writes=False), Unavailable)


async def test_a_refused_connection_wrote_nothing() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(answer) as connection:
        gone = connection
    assert isinstance(await failure(gone, writes=True), Unavailable)


async def test_a_key_file_that_cannot_be_read_is_told_without_its_content(tmp_path: Path) -> None:
    async with serving(nineteen) as connection:
        told = await failure(replace(connection, key=(tmp_path / "missing").read_text), writes=True)
    assert str(told) == "the API key cannot be read: No such file or directory"


async def test_no_message_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for url in ("http://127.0.0.1:9", "nonsense", "http://nobody.invalid"):
        connection = Connection(url=url, database="plant", key=lambda: "top-secret", timeout_s=2.0)
        assert "top-secret" not in str(await failure(connection, writes=True))
    assert "top-secret" not in caplog.text


async def test_a_page_instead_of_a_version_is_no_usable_odoo() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>")

    async with serving(answer, answer) as connection:
        odoo = OdooApi(connection)
        with pytest.raises(Unavailable):
            await odoo.version()
        await odoo.close()


IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("asked", "pause_ms"),
    [
        ("7", 7_000),
        ("0", 0),
        ("86400", 600_000),
        (IN_AN_HOUR, 600_000),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("x", None),
    ],
)
async def test_a_pause_is_taken_from_the_answer_within_bounds(asked: str, pause_ms: int | None) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": asked})

    async with serving(answer) as connection:
        told = await failure(connection, writes=True)
    assert isinstance(told, Unavailable)
    assert told.retry_after_ms == pause_ms


async def test_a_redirect_is_not_followed() -> None:
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPFound("/web/login?redirect=x")

    async with serving(answer) as connection:
        told = await failure(connection, writes=True)
    assert isinstance(told, Unavailable)
    assert "to /web/login: something before Odoo asks for a log-in" in str(told)


async def test_an_answer_that_ends_too_early_is_uncertain_for_what_writes() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"[1, 2")
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(answer) as connection:
        assert isinstance(await failure(connection, writes=True), Uncertain)


async def test_a_company_that_is_named_is_looked_up_once_and_sent_with_every_call() -> None:
    seen: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append((request.path.rpartition("/")[2], body["context"]["allowed_company_ids"]))
        return web.json_response([{"id": 5, "name": "ACME"}])

    async with serving(answer) as connection:
        odoo = OdooApi(replace(connection, company_name="ACME"))
        await odoo.call("mrp.bom", "search", writes=False, domain=[])
        await odoo.call("mrp.bom", "search", writes=False, domain=[])
        await odoo.close()
    assert seen == [("search_read", []), ("search", [5]), ("search", [5])]
    assert odoo.connection.company == 5


@pytest.mark.parametrize(
    ("rows", "told"), [([], "no company"), ([{"id": 1}, {"id": 2}], "2 companies")], ids=["none", "two"]
)
async def test_a_company_that_is_not_there_once_is_refused(rows: list[object], told: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(rows)

    async with serving(answer) as connection:
        refused = await failure(replace(connection, company_name="ACME"), writes=False)
    assert str(refused) == f'company: Odoo has {told} "ACME" in which the user may work; mend odoo.company'


async def test_while_a_server_wants_a_pause_nobody_calls_it() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503, headers={"Retry-After": "60"})

    async with serving(answer) as connection:
        odoo = OdooApi(connection)
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                await odoo.call("mrp.production", "write", writes=True, ids=[1])
        await odoo.close()
    assert asked == ["/json/2/mrp.production/write"]
    assert str(caught.value) == "Odoo asked for a pause, which lasts 60 s more"
    assert caught.value.retry_after_ms in range(59_000, 60_001)
