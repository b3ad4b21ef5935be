"""The simulator's HTTP face: JSON-2, JSON-RPC and `/simulator/faults`. Every answer says what it is.

Paths: `POST /json/2/<model>/<method>` with a bearer key and `X-Odoo-Database`, and `GET /web/version`, both only in
versions that have JSON-2; `POST /jsonrpc`; `GET /web/health`; `GET` and `POST /simulator/faults` with the
administrator's key; `/` shows what is in it and says that this is no Odoo.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import hdrs, web

from odoo_adapter.simulator import face, jsonrpc, rpc
from odoo_adapter.simulator.company import ADMINISTRATOR, INTEGRATION
from odoo_adapter.simulator.errors import (
    Fault,
    bad_request,
    not_found,
    serialization_failure,
    unauthorized,
    user_error,
    value_error,
)
from odoo_adapter.simulator.faults import Faults
from odoo_adapter.simulator.page import page
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.state import StateFile
from odoo_adapter.versions import capabilities
from ruleset.sample import Plain

DEFAULT_VERSION: Final = "19.0"
SERVER: Final = "uns-bridge-odoo-simulator (not an Odoo)"
READING: Final = frozenset(
    {"search", "search_read", "search_count", "read", "fields_get", "has_access", "context_get", "has_group"}
    | {"get_external_id", "default_get"}
)
_JSON2: Final = web.AppKey("json2", bool)
DEFAULT_LIMIT_S: Final = 120.0
"""Odoo's own."""
_LARGEST_BODY: Final = 64 * 1024 * 1024
_AWAY: Final = """<!DOCTYPE html>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>
<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>
"""


class Service:
    """One simulated server with one database. `keys` holds API keys by user id; `file` None keeps nothing on disk.

    A call that takes longer than `limit_s` is ended without an answer, having done nothing (Odoo's `limit_time_real`).
    """

    def __init__(
        self,
        database: Database,
        name: str,
        keys: Mapping[int, str],
        file: StateFile | None = None,
        version: str = DEFAULT_VERSION,
        limit_s: float = DEFAULT_LIMIT_S,
    ) -> None:
        self.database = database
        self._version = version
        self._can = capabilities(version)
        self.faults = Faults()
        self._name = name
        self._users = {key: user for user, key in keys.items()}
        self._file = file
        self._limit_s = limit_s

    def accept(self, administrator: str, bridge: Sequence[str]) -> None:
        """Accept these API keys of the administrator and of the integration user, and no others, from now on."""
        self._users = {administrator: ADMINISTRATOR, **dict.fromkeys(bridge, INTEGRATION)}

    def app(self) -> web.Application:
        """The application, to be served by an aiohttp runner."""
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_as_odoo])
        app.router.add_get("/", self._page)
        if self._can.json2:
            app.router.add_get("/web/version", self._tell_version)
            app.router.add_route("*", "/json/2/{model}/{method}", self._call)
        app.router.add_post("/jsonrpc", self._jsonrpc)
        app.router.add_get("/web/health", self._health)
        app.router.add_get("/simulator/faults", self._show_faults)
        app.router.add_post("/simulator/faults", self._set_faults)
        app[_JSON2] = self._can.json2
        app.on_response_prepare.append(_sign)
        return app

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=page(self.database, self._version), content_type="text/html")

    async def _tell_version(self, request: web.Request) -> web.Response:
        info: list[Plain] = [int(self._version.partition(".")[0]), 0, 0, "simulator", 0, ""]
        return _json({"version_info": info, "version": f"{self._version}-simulator", "simulator": True})

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
        await self._delay()
        model, method = request.match_info["model"], request.match_info["method"]
        return _json(self._carry_out(user, model, method, body))

    async def _jsonrpc(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        try:
            match jsonrpc.parse(body):
                case jsonrpc.Question(method, arguments):
                    value = self._common(method, arguments)
                case jsonrpc.Execute() as call:
                    await self._delay()
                    value = self._execute(call)
        except Fault as fault:
            return _json(jsonrpc.error(body, fault))
        return _json(jsonrpc.result(body, value))

    def _common(self, method: str, arguments: list[Plain]) -> Plain:
        if method == "version":
            return {"server_version": f"{self._version}-simulator", "server_serie": self._version}
        if method != "login" or len(arguments) != 3:
            raise value_error(f"common.{method}")
        if self.faults.away or arguments[0] != self._name:
            raise jsonrpc.no_database(arguments[0])
        user = self._users.get(str(arguments[2]).strip())
        named = user is not None and self.database.browse("res.users", user).text("login") == arguments[1]
        return user if named else False

    def _execute(self, call: jsonrpc.Execute) -> Plain:
        if self.faults.away or call.database != self._name:
            raise jsonrpc.no_database(call.database)
        user = self._users.get(str(call.key).strip())
        if user is None or user != call.user:
            raise jsonrpc.DENIED
        method = face.method_name(self._can, call.model, call.method)
        body = face.asked(self._can, call.model, jsonrpc.by_name(self.database, method, call))
        single = method == "create" and isinstance(body.get("vals_list"), dict)
        result = face.answered(self._can, self.database, call.model, self._carry_out(user, call.model, method, body))
        return result[0] if single and isinstance(result, list) else result

    async def _delay(self) -> None:
        if self.faults.delay_ms:
            await asyncio.sleep(min(self.faults.delay_ms / 1000, self._limit_s))
        if self.faults.delay_ms / 1000 > self._limit_s:
            raise _HungUp

    def _carry_out(self, user: int, model: str, method: str, body: dict[str, Plain]) -> Plain:
        """The call itself, without a pause: nobody else's runs in between. The state is saved before the answer."""
        writing = method not in READING and not _is_question(body) and not self.faults.take("spare")
        if writing and self.faults.take("timeout_before_commit"):
            raise _HungUp
        if writing and self.faults.take("serialization_failures"):
            raise serialization_failure()
        if writing and self.faults.take("refusals"):
            raise user_error("The company's rules do not allow this.")
        before = self.database.changes
        result = rpc.call(self.database, user, model, method, body)
        if self._file is not None and self.database.changes != before:
            self._file.save(self.database)
        if writing and self.faults.take("timeout_after_commit"):
            raise _HungUp
        return result

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


class _HungUp(Exception):
    """The connection is to be closed without an answer."""


def _hang_up(request: web.Request) -> web.StreamResponse:
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
    except _HungUp:
        return _hang_up(request)
    except Fault as fault:
        headers = {"WWW-Authenticate": "Bearer "} if fault.status == 401 else {}
        return _json(fault.body(), fault.status, headers)
    except web.HTTPNotFound:
        if request.path.startswith("/json/2") and request.app[_JSON2]:
            unknown = not_found("Did you mean POST /json/2/<model>/<method>?")
            return _json(unknown.body(), unknown.status)
        raise


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    response.headers[hdrs.SERVER] = SERVER
