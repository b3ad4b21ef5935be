"""JSON-2, the external API of Odoo 19 and later: `POST /json/2/<model>/<method>`, bearer key, named arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odoo_adapter.client.classify import classify
from odoo_adapter.client.line import Line


class Json2:
    """Calls on one database as the key's user; a `Transport`."""

    def __init__(self, line: Line) -> None:
        self._line = line

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
        body: dict[str, object] = dict(arguments)
        if ids is not None:
            body["ids"] = list(ids)
        body["context"] = connection.context(context)
        with connection.revealed_key() as key:
            headers = {"X-Odoo-Database": connection.database, "Authorization": f"bearer {key}"}
            path = f"/json/2/{model}/{method}"
            answer = await self._line.exchange("POST", path, body, headers=headers, writes=writes)
            if answer.status != 200 or not answer.is_json:
                raise classify(answer, writes=writes)
        return answer.body
