"""The connection to servers without JSON-2: what goes over the line, what its answers mean, and what is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import KeyRefused, OdooError, Refused, Unavailable, Uncertain

Body = dict[str, Any]
UID = 6
CONTEXT = {"lang": "en_US", "tz": "UTC", "allowed_company_ids": [3]}


def fault(name: str, message: str = "No.") -> Body:
    data = {"name": name, "message": message, "debug": "Traceback: secrets", "arguments": [message], "context": {}}
    return {"error": {"code": 200, "message": "Odoo Server Error", "data": data}}


@asynccontextmanager
async def eighteen(
    answer: Callable[[list[Any]], Body], login: Mapping[str, object] | None = None, version: str = "18.0-20251106"
) -> AsyncIterator[Connection]:
    """A server that knows no JSON-2. `answer` gets the arguments of `execute_kw`."""

    async def dispatch(request: web.Request) -> web.Response:
        parameters = (await request.json())["params"]
        given: Mapping[str, object] = {}
        match parameters["service"], parameters["method"]:
            case "common", "version":
                given = {"result": {"server_version": version}}
            case "common", "login":
                given = login or {"result": UID}
            case "object", "execute_kw":
                given = answer(parameters["args"])
        return web.json_response({"jsonrpc": "2.0", "id": 1, **given})

    async with serving(dispatch) as connection:
        yield connection


@asynccontextmanager
async def serving(dispatch: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[Connection]:
    application = web.Application()
    application.router.add_post("/jsonrpc", dispatch)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Connection(url=url, database="plant", user="uns-bridge", key=lambda: "k-1\n", company=3)
    await runner.cleanup()


async def failure(connection: Connection, *, writes: bool = True) -> OdooError:
    odoo = OdooApi(connection)
    try:
        with pytest.raises(OdooError) as caught:
            await odoo.call("mrp.production", "action_assign", writes=writes, ids=[1])
    finally:
        await odoo.close()
    return caught.value


async def test_a_call_names_the_database_the_user_and_the_key_and_the_login_is_asked_once() -> None:
    seen: list[object] = []

    def answer(arguments: list[Any]) -> Body:
        seen.append(arguments)
        return {"result": [7]}

    async with eighteen(answer) as connection:
        odoo = OdooApi(connection)
        assert await odoo.call("res.users", "search", writes=False, domain=[]) == [7]
        assert await odoo.call("stock.lot", "create", writes=True, vals_list=[{"name": "L"}]) == [7]
        await odoo.call("stock.lot", "write", writes=True, ids=[7], vals={"name": "M"})
        await odoo.close()
    assert seen == [
        ["plant", UID, "k-1", "res.users", "search", [], {"domain": [], "context": CONTEXT}],
        ["plant", UID, "k-1", "stock.lot", "create", [[{"name": "L"}]], {"context": CONTEXT}],
        ["plant", UID, "k-1", "stock.lot", "write", [[7], {"name": "M"}], {"context": CONTEXT}],
    ]


@pytest.mark.parametrize("answer", [{}, {"result": None}], ids=str)
async def test_what_has_no_error_was_carried_out(answer: Body) -> None:
    async with eighteen(lambda arguments: answer) as connection:
        odoo = OdooApi(connection)
        assert await odoo.call("mrp.workorder", "button_start", writes=True, ids=[1]) is None
        await odoo.close()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("odoo.exceptions.UserError", Refused),
        ("odoo.exceptions.AccessDenied", KeyRefused),
        ("psycopg2.errors.SerializationFailure", Unavailable),
        ("psycopg2.OperationalError", Uncertain),
    ],
)
async def test_a_fault_is_told_by_its_class(name: str, error: type[OdooError]) -> None:
    async with eighteen(lambda arguments: fault(name)) as connection:
        told = await failure(connection)
    assert type(told) is error
    assert "secrets" not in str(told)


@pytest.mark.parametrize(
    ("login", "sentence", "pause_ms"),
    [
        ({"result": False}, "API key", 60_000),
        (fault("psycopg2.OperationalError"), "database is not usable", None),
    ],
    ids=["wrong key", "no such database"],
)
async def test_a_login_that_fails_wrote_nothing_and_is_tried_again_later(
    login: Body, sentence: str, pause_ms: int | None
) -> None:
    async with eighteen(lambda arguments: {}, login) as connection:
        told = await failure(connection)
    assert isinstance(told, Unavailable)
    assert told.retry_after_ms == pause_ms
    assert sentence in str(told)


@pytest.mark.parametrize("version", ["16.0", "saas~18.2", "20.0", "18"])
async def test_an_unknown_version_is_an_error_and_not_a_guess(version: str) -> None:
    async with eighteen(lambda arguments: {}, version=version) as connection:
        told = await failure(connection)
    assert isinstance(told, Refused)
    assert told.reason == f"Odoo {version} is not supported; supported: 17.0, 18.0, 19.0"


async def test_the_key_is_not_recorded() -> None:
    told: list[str] = []

    async with eighteen(lambda arguments: {"result": True}) as connection:
        odoo = OdooApi(connection, lambda path, body, status, answer: told.append(f"{path} {body}"))
        await odoo.call("res.users", "search", writes=False, domain=[])
        await odoo.close()
    assert len(told) == 4
    assert "k-1" not in str(told)


async def test_json_of_somebody_else_is_not_taken_for_success() -> None:
    """A proxy's `{"status": "maintenance"}` has no error either."""

    async def dispatch(request: web.Request) -> web.Response:
        asked = (await request.json())["params"]
        if asked["service"] == "object":
            return web.json_response({"status": "maintenance"})
        answer = {"server_version": "18.0"} if asked["method"] == "version" else UID
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": answer})

    async with serving(dispatch) as connection:
        assert isinstance(await failure(connection, writes=True), Uncertain)
        assert isinstance(await failure(connection, writes=False), Unavailable)


async def test_after_a_refused_key_the_login_is_asked_again() -> None:
    answers = iter([fault("odoo.exceptions.AccessDenied"), {"result": [1]}])
    async with eighteen(lambda arguments: next(answers)) as connection:
        seen: list[str] = []
        odoo = OdooApi(connection, lambda path, body, status, told: seen.append(str(body)))
        with pytest.raises(Unavailable):
            await odoo.call("res.users", "search", writes=False, domain=[])
        assert await odoo.call("res.users", "search", writes=False, domain=[]) == [1]
        await odoo.close()
    assert sum("'login'" in body for body in seen) == 2
