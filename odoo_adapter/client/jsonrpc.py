"""JSON-RPC, the external API of Odoo before JSON-2: `POST /jsonrpc`, service `object`, the key in a password's place.

Seen on 17 and 18: faults come with status 200 and an `error`, whose `data` is what JSON-2 has as its body. A method
that returns None is answered without a `result`: what has no `error` was carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from odoo_adapter.client.classify import CONNECTION_LOST, Answer, classify, not_usable
from odoo_adapter.client.line import Line
from odoo_adapter.errors import Unavailable

PATH: Final = "/jsonrpc"
MASK: Final = "***"

_POSITIONAL: Final = {"create": "vals_list", "write": "vals", "default_get": "fields"}
"""Arguments that cannot go by name: `create` looks at the first one, and those of the others have several names."""


class JsonRpc:
    """Calls on one database as the key's user, whose id is asked once; a `Transport`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._uid: int | None = None

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
        connection = self._line.connection
        positional: list[object] = [] if ids is None else [list(ids)]
        first = _POSITIONAL.get(method, "")
        if first in arguments:
            positional.append(arguments.pop(first))
        named = {**arguments, "context": connection.context(context)}
        with connection.revealed_key() as key:
            if self._uid is None:
                self._uid = await self._login(key)
            asked = [connection.database, self._uid, key, model, method, positional, named]
            try:
                return await ask(self._line, "object", "execute_kw", asked, writes=writes)
            except Unavailable:
                self._uid = None  # a restored database, or a new key, may know the user by another id
                raise

    async def _login(self, key: str) -> int:
        connection = self._line.connection
        asked = [connection.database, connection.user, key]
        uid = await ask(self._line, "common", "login", asked, writes=False)
        if not isinstance(uid, int) or isinstance(uid, bool):
            denied = {"name": "AccessDenied", "message": f"it is not one of the user {connection.user}"}
            raise classify(Answer(401, denied), writes=False)
        return uid


async def ask(line: Line, service: str, method: str, asked: Sequence[object], *, writes: bool) -> Any:
    """Call a method of a service; without arguments it needs no key. The third argument is the key, if there is one."""
    body = _body(service, method, asked)
    told = _body(service, method, [*asked[:2], MASK, *asked[3:]]) if len(asked) > 2 else body
    answer = await line.exchange("POST", PATH, body, headers={}, writes=writes, told=told)
    if answer.status != 200 or not isinstance(answer.body, dict) or "jsonrpc" not in answer.body:
        raise classify(answer, writes=writes)
    error = answer.body.get("error")
    if not error:
        return answer.body.get("result")
    fault = error.get("data") if isinstance(error, dict) else None
    name = str(fault.get("name", "")) if isinstance(fault, dict) else ""
    if service == "common" and name.rpartition(".")[2] in CONNECTION_LOST:
        raise not_usable("PostgreSQL does not open it")
    raise classify(Answer(500, fault), writes=writes)


def _body(service: str, method: str, asked: Sequence[object]) -> dict[str, object]:
    parameters = {"service": service, "method": method, "args": list(asked)}
    return {"jsonrpc": "2.0", "id": 1, "method": "call", "params": parameters}
