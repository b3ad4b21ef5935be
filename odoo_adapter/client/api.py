"""The external API of an Odoo server, whichever its version has: asked for its version first, then called that way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from odoo_adapter.client.classify import Answer, classify
from odoo_adapter.client.connection import Connection, Line, NotJson, Recorder, Transport
from odoo_adapter.client.json2 import Json2
from odoo_adapter.client.jsonrpc import JsonRpc, ask
from odoo_adapter.versions import Capabilities, capabilities


class OdooApi:
    """Calls on one database. The version is asked at the first call and at every `version`; `close` ends it."""

    def __init__(self, connection: Connection, record: Recorder | None = None) -> None:
        self.connection = connection
        self._line = Line(connection, record)
        self._can: Capabilities | None = None
        self._transport: Transport | None = None
        self._connecting = asyncio.Lock()

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
        """The server's version, such as `18.0`, asked now; needs no key. Raises `Refused` for one that is not known."""
        version = await _version(self._line)
        can = capabilities(version)
        if can != self._can:
            self._can = can
            self._transport = Json2(self._line) if can.json2 else JsonRpc(self._line)
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


async def _version(line: Line) -> str:
    """From 19 on it has an address of its own; before that, it is a question over JSON-RPC."""
    database = {"X-Odoo-Database": line.connection.database}
    status, answer = await line.exchange("GET", "/web/version", None, headers=database, writes=False)
    if status == 404:
        answer = await ask(line, "common", "version", [], writes=False)
        answer = {"version": answer.get("server_version")} if isinstance(answer, dict) else None
    elif status != 200:
        raise classify(Answer(status, None if isinstance(answer, NotJson) else answer), writes=False)
    version = answer.get("version") if isinstance(answer, dict) else None
    if not isinstance(version, str):
        raise classify(Answer(404, None), writes=False)
    return version
