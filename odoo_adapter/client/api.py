"""The external API of an Odoo server, whichever its version has: asked for its version first, then called that way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from odoo_adapter.client.classify import classify
from odoo_adapter.client.client_lib import ClientLib
from odoo_adapter.client.connection import Connection, Recorder, Transport
from odoo_adapter.client.json2 import Json2
from odoo_adapter.client.jsonrpc import JsonRpc, ask
from odoo_adapter.client.line import Line
from odoo_adapter.errors import Refused, Unavailable
from odoo_adapter.versions import Capabilities, capabilities


class OdooApi:
    """Calls on one database. The version is asked at the first call and at every `version`; `close` ends it.

    All who call one server share one of these: its session, its pace, and what is known of the server.
    """

    def __init__(self, connection: Connection, record: Recorder | None = None) -> None:
        self._line = Line(connection, record)
        self._can: Capabilities | None = None
        self._transport: Transport | None = None
        self._connecting = asyncio.Lock()

    @property
    def connection(self) -> Connection:
        """Where it is; with the company's id as soon as that was asked for."""
        return self._line.connection

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
        """Call a method and return its result. Raises `Unavailable`, `Uncertain` (only where `writes`) or `Refused`."""
        transport = await self._connected()
        return await transport.call(model, method, writes=writes, ids=ids, context=context, **arguments)

    async def version(self) -> str:
        """The server's version, such as `18.0`, asked now; needs no key. Raises `Refused` for one that is not known
        or accepted."""
        version = await _version(self._line)
        can = capabilities(version, accept_unknown=self.connection.accept_unknown_version)
        if can != self._can:
            transport = _transport(self._line, can)
            if name := self.connection.company_name:
                company = await _company(transport, name)
                self._line.connection = replace(self.connection, company=company, company_name="")
            self._can, self._transport = can, transport
        return version

    async def capabilities(self) -> Capabilities:
        """What the server's version can do."""
        await self._connected()
        assert self._can is not None
        return self._can

    async def close(self) -> None:
        await self._line.close()

    async def _connected(self) -> Transport:
        async with self._connecting:
            if self._transport is None:
                await self.version()
                assert self._transport is not None
            return self._transport


def _transport(line: Line, can: Capabilities) -> Transport:
    if line.connection.client_lib:
        return ClientLib(line, can)
    return Json2(line) if can.json2 else JsonRpc(line)


async def _company(transport: Transport, name: str) -> int:
    """The id of a company, of those in which the user may work."""
    domain = [["name", "=", name]]
    rows = await transport.call("res.company", "search_read", writes=False, domain=domain, fields=["name"])
    if len(rows) != 1:
        told = "no company" if not rows else f"{len(rows)} companies"
        raise Refused("company", f'Odoo has {told} "{name}" in which the user may work; mend odoo.company')
    return int(rows[0]["id"])


async def _version(line: Line) -> str:
    """From 19 on it has an address of its own; before that, it is a question over JSON-RPC."""
    database = {"X-Odoo-Database": line.connection.database}
    answer = await line.exchange("GET", "/web/version", None, headers=database, writes=False)
    if answer.status == 404:
        told = await ask(line, "common", "version", [], writes=False)
        version = told.get("server_version") if isinstance(told, dict) else None
    elif answer.status != 200 or not answer.is_json:
        raise classify(answer, writes=False)
    else:
        version = answer.body.get("version") if isinstance(answer.body, dict) else None
    if not isinstance(version, str):
        raise Unavailable("what answers at odoo.url does not tell a version of Odoo: is it the address of Odoo itself?")
    return version
