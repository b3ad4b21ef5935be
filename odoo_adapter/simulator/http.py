"""The simulator's HTTP face: JSON-2 as Odoo 19 speaks it, and `/simulator/faults`. Every answer says what it is.

Paths: `POST /json/2/<model>/<method>` with a bearer key and `X-Odoo-Database`; `GET /web/version`, `GET /web/health`;
`GET` and `POST /simulator/faults` with the administrator's key; `/` says in words that this is no Odoo.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import hdrs, web

from odoo_adapter.simulator import rpc
from odoo_adapter.simulator.company import ADMINISTRATOR
from odoo_adapter.simulator.errors import Fault, bad_request, not_found, serialization_failure, unauthorized
from odoo_adapter.simulator.faults import Faults
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.state import StateFile
from ruleset.sample import Plain

VERSION: Final = "19.0-simulator"
SERVER: Final = "uns-bridge-odoo-simulator (not an Odoo)"
READING: Final = frozenset({"search", "search_read", "search_count", "read", "fields_get", "has_access", "context_get"})
_LARGEST_BODY: Final = 64 * 1024 * 1024
_PAGE: Final = """<!DOCTYPE html>
<title>Odoo simulator</title>
<h1>This is a simulator</h1>
<p>It answers like Odoo 19 as far as the UNS bridge asks. It is not Odoo and keeps no books.</p>
<p>It is for demonstrations and tests.</p>
"""
_AWAY: Final = """<!DOCTYPE html>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>
<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>
"""


class Service:
    """One simulated server with one database. `keys` holds API keys by user id; `file` None keeps nothing on disk."""

    def __init__(self, database: Database, name: str, keys: Mapping[int, str], file: StateFile | None = None) -> None:
        self.database = database
        self.faults = Faults()
        self._name = name
        self._users = {key: user for user, key in keys.items()}
        self._file = file

    def app(self) -> web.Application:
        """The application, to be served by an aiohttp runner."""
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_as_odoo])
        app.router.add_get("/", self._page)
        app.router.add_get("/web/version", self._version)
        app.router.add_get("/web/health", self._health)
        app.router.add_route("*", "/json/2/{model}/{method}", self._call)
        app.router.add_get("/simulator/faults", self._show_faults)
        app.router.add_post("/simulator/faults", self._set_faults)
        app.on_response_prepare.append(_sign)
        return app

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def _version(self, request: web.Request) -> web.Response:
        info: list[Plain] = [19, 0, 0, "simulator", 0, ""]
        return _json({"version_info": info, "version": VERSION, "simulator": True})

    async def _health(self, request: web.Request) -> web.Response:
        """Well, also while the database is away, as in Odoo."""
        return _json({"status": "pass"})

    async def _show_faults(self, request: web.Request) -> web.Response:
        self._administrator(request)
        return _json(self.faults.shown())

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._administrator(request)
        self.faults.set(await _body(request))
        return _json(self.faults.shown())

    def _administrator(self, request: web.Request) -> None:
        if self._user(request) != ADMINISTRATOR:
            raise Fault(403, "odoo.exceptions.AccessError", "Only the administrator's key sets faults.")

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.method != hdrs.METH_POST:
            raise not_found("Did you mean POST /json/2/<model>/<method>?")
        if self.faults.away or request.headers.get("X-Odoo-Database", self._name) != self._name:
            return web.Response(status=404, text=_AWAY, content_type="text/html")
        if request.content_type != "application/json":
            return web.Response(status=415, text="<title>415 Unsupported Media Type</title>", content_type="text/html")
        user = self._user(request)
        body = await _body(request)
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        if self.faults.delay_ms:
            await asyncio.sleep(self.faults.delay_ms / 1000)
        return self._carry_out(request, user, body)

    def _carry_out(self, request: web.Request, user: int, body: dict[str, Plain]) -> web.StreamResponse:
        """The call itself, without a pause: nobody else's runs in between. The state is saved before the answer."""
        model, method = request.match_info["model"], request.match_info["method"]
        writing = method not in READING and not _is_question(body)
        if writing and self.faults.take("timeout_before_commit"):
            return _hang_up(request)
        if writing and self.faults.take("serialization_failures"):
            raise serialization_failure()
        before = self.database.changes
        result = rpc.call(self.database, user, model, method, body)
        if self._file is not None and self.database.changes != before:
            self._file.save(self.database)
        if writing and self.faults.take("timeout_after_commit"):
            return _hang_up(request)
        return _json(result)

    def _user(self, request: web.Request) -> int:
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise unauthorized("User not authenticated, use an API Key with a Bearer Authorization header.")
        user = self._users.get(key.strip())
        if user is None:
            raise unauthorized("Invalid apikey")
        return user


def _is_question(body: Mapping[str, Plain]) -> bool:
    """Whether an inbox request only asks: faults that strike writing calls leave `hello` and `find` alone."""
    context = body.get("context")
    request = context.get("uns") if isinstance(context, dict) else None
    return isinstance(request, dict) and "op" in request


async def _body(request: web.Request) -> Plain:
    try:
        body: Plain = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise bad_request(f"could not parse the body as json: {error}") from error
    return body


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _json(value: Plain, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(value, ensure_ascii=False).encode(),
        headers={**(headers or {}), hdrs.CONTENT_TYPE: "application/json; charset=utf-8"},
    )


@web.middleware
async def _as_odoo(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer faults as Odoo does; anything else of `/json/2` is its 404 object."""
    try:
        return await handler(request)
    except Fault as fault:
        headers = {"WWW-Authenticate": "Bearer "} if fault.status == 401 else {}
        return _json(fault.body(), fault.status, headers)
    except web.HTTPNotFound:
        if request.path.startswith("/json/2"):
            unknown = not_found("Did you mean POST /json/2/<model>/<method>?")
            return _json(unknown.body(), unknown.status)
        raise


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    response.headers[hdrs.SERVER] = SERVER
