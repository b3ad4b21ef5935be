"""Calls made by odoo-client-lib, for plants that want Odoo's own library between the bridge and Odoo.

It opens a connection for every call, waits no longer than a minute, whatever is set, and tells the kind of a failure in
a text only. So it is used over JSON-2 alone, with the inbox alone, where a repeated call does no harm. Over JSON-RPC
it gives up after five seconds and over XML-RPC never, and there a method that returns nothing fails after its commit.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from odoo_adapter.client.classify import Answer, Failure, classify
from odoo_adapter.client.line import Line, user_agent
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.versions import Capabilities

LONGEST_S: Final = 60
"""When the library gives up by itself."""

_TOLD: Final = re.compile(r"Unexpected status code (\d+): (.*)", re.DOTALL)
_DECLINED: Final = re.compile(r"Invalid request: (.*)", re.DOTALL)


class ClientLib:
    """Calls on one database as the key's user, each in a thread with its own deadline; a `Transport`."""

    def __init__(self, line: Line, can: Capabilities) -> None:
        if not can.json2:
            text = "odoo-client-lib gives up a call of this version after 5 s; write `transport: http` in odoo"
            raise Refused("transport", text)
        self._line = line
        import_module("odoolib")  # it takes as long as a call, and only plants that want it have it

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
        """After the deadline the thread goes on for as long as the library waits; what it hears is not listened to."""
        connection = self._line.connection
        named: dict[str, object] = {**arguments, "context": connection.context(context)}
        if ids is not None:
            named["ids"] = list(ids)
        with connection.revealed_key() as key:
            return await self._in_turn(key, model, method, named, writes=writes)

    async def _in_turn(self, key: str, model: str, method: str, named: Mapping[str, object], *, writes: bool) -> Any:
        async with self._line.pace.turn():
            try:
                async with asyncio.timeout(self._line.connection.timeout_s):
                    return await asyncio.to_thread(self._call, key, model, method, named)
            except (TimeoutError, OSError) as error:
                raise classify(error, writes=writes) from error
            except _Failed as error:
                raise error.meaning(writes=writes) from error.__cause__

    def _call(self, key: str, model: str, method: str, named: Mapping[str, object]) -> Any:
        import httpx
        import odoolib
        from odoolib.tools import AuthenticationError

        connection = self._line.connection
        url = urlsplit(connection.url)
        protocol, port = ("json2s", 443) if url.scheme == "https" else ("json2", 80)
        opened = odoolib.get_connection(
            hostname=url.hostname,
            protocol=protocol,
            port=url.port or port,
            database=connection.database,
            password=key,
        )
        opened.bearer_header["User-Agent"] = user_agent()
        try:
            # not `.read`: that one gives a row in place of a list of one
            return opened.get_model(model).__getattr__(method)(**named)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Failed(Unavailable(f"Odoo cannot be reached: {error}")) from error
        except AuthenticationError as error:
            raise _Failed(Answer(401, {"name": "AccessDenied", "message": str(error)})) from error
        except (httpx.HTTPError, ValueError) as error:
            raise _Failed(_told(str(error))) from error


class _Failed(Exception):
    """What the library raised, brought out of the thread: what its text tells, as far as it does."""

    def __init__(self, told: Answer | Unavailable | None) -> None:
        super().__init__()
        self._told = told

    def meaning(self, *, writes: bool) -> Failure:
        match self._told:
            case Answer() as answer:
                return classify(answer, writes=writes)
            case Unavailable() as error:
                return error
            case None:
                lost = "odoo-client-lib got no answer that it understands"
                return Uncertain(lost) if writes else Unavailable(lost)


def _told(text: str) -> Answer | None:
    """The answer of which the library's text tells. The text is nobody's promise: what is not found in it is None."""
    status, body = 422, text
    if found := _TOLD.match(text):
        status, body = int(found[1]), found[2]
    elif found := _DECLINED.match(text):
        body = found[1]
    else:
        return None
    with suppress(ValueError):
        fault, _ = json.JSONDecoder().raw_decode(body)
        return Answer(status, fault, is_json=True)
    return Answer(status, None)
