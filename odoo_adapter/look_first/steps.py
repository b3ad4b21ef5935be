"""The calls of one attempt at one transaction, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused, Uncertain
from odoo_adapter.rights import is_there
from odoo_adapter.versions import Capabilities

Row: TypeAlias = Mapping[str, Any]
Domain: TypeAlias = Sequence[object]

EXTERNAL: Final = "uns_bridge_tx"
"""The module part of the external ids of records that a transaction made. No addon may have this name."""

_ONCE: Final = {"noupdate": True, "mode": "update"}
"""With these `load` creates a record that is not there, and leaves one that is there as people left it (17 to 19)."""

_RACES: Final = 2
"""How often a `load` is asked that lost a race: the second time the winner's record is there."""


class WouldWrite(Exception):
    """A rehearsal came to its first change: nothing that was read speaks against it."""


class Steps:
    """Calls on one database as `user`. `wrote` tells that one of them may have changed something.

    With `rehearsal` nothing is changed: the first change raises `WouldWrite`, and what was read once, by any attempt
    that shares it, is not asked again.
    """

    def __init__(self, odoo: OdooApi, can: Capabilities, user: int, rehearsal: dict[str, Any] | None = None) -> None:
        self._odoo = odoo
        self._rehearsal = rehearsal
        self.can = can
        self.user = user
        self.company = odoo.connection.company
        self.wrote = False

    async def search(self, model: str, domain: Domain, fields: Sequence[str], *, order: str = "id") -> list[Row]:
        """The records that match, archived ones left out."""
        rows: list[Row] = await self._ask(model, "search_read", domain=list(domain), fields=list(fields), order=order)
        return rows

    async def read(self, model: str, ids: Iterable[int], fields: Sequence[str]) -> list[Row]:
        """The records that are there, by id; archived ones too."""
        wanted = sorted(set(ids))
        if not wanted:
            return []
        found: list[Row] = await self._ask(model, "read", ids=wanted, fields=list(fields))
        return found

    async def one(self, model: str, id: int, fields: Sequence[str]) -> Row | None:
        """One record, or None where it is not there."""
        found = await self.read(model, [id], fields)
        return found[0] if found else None

    async def only(self, model: str, domain: Domain, fields: Sequence[str], what: str) -> Row:
        """The only record of our company that matches. Raises `Refused` where there is none, or several."""
        found = await self.search(model, [*domain, self.ours()], fields)
        if len(found) != 1:
            raise Refused("ambiguous" if found else "missing", what)
        return found[0]

    def ours(self) -> list[object]:
        """The condition that a record is of our company or of all."""
        return ["company_id", "in", [False, self.company]]

    async def external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """The external id of each of these records; "" for one that has none."""
        if not ids:
            return {}
        named = await self._ask(model, "get_external_id", ids=list(ids))
        return {int(id): name for id, name in named.items()}

    async def step(self, model: str, field: str) -> Decimal:
        """The least difference that Odoo keeps in a quantity."""
        known = await self._field(model, field, "digits")
        return Decimal(1).scaleb(-int(known["digits"][1]))

    async def has_field(self, model: str, field: str) -> bool:
        """Whether this database knows the field: some come with an app."""
        return bool(await self._field(model, field, "type"))

    async def choices(self, model: str, field: str) -> list[str]:
        """What a field of choices may hold."""
        known = await self._field(model, field, "selection")
        return [value for value, _ in known["selection"]]

    async def has_model(self, model: str) -> bool:
        """Whether this database knows the model: some come with an app."""
        return await is_there(self._odoo, model)

    async def _field(self, model: str, field: str, attribute: str) -> Row:
        known: dict[str, Row] = await self._ask(model, "fields_get", allfields=[field], attributes=[attribute])
        return known.get(field, {})

    async def write(
        self, model: str, ids: Sequence[int], values: Mapping[str, object], context: Mapping[str, object] | None = None
    ) -> None:
        """Write the values to all of these."""
        await self.act(model, "write", ids, context=context, vals=dict(values))

    async def act(
        self,
        model: str,
        method: str,
        ids: Sequence[int],
        *,
        context: Mapping[str, object] | None = None,
        **arguments: object,
    ) -> Any:
        """Call a method that changes something."""
        return await self._write(model, method, ids=list(ids), context=context, **arguments)

    async def load(
        self,
        model: str,
        name: str,
        rows: Sequence[Mapping[str, str]],
        context: Mapping[str, object] | None = None,
    ) -> list[int]:
        """The ids of these records, made now if they were not there: all of them, or none.

        `name` tells them from all others for ever; rows hold the same fields. Raises `Refused` with Odoo's words for
        a row that Odoo does not take.
        """
        names = [f"{EXTERNAL}.{digest(name)}" + (f"_{place}" if place else "") for place in range(len(rows))]
        fields = [*rows[0]]
        data = [[external, *(row[field] for field in fields)] for external, row in zip(names, rows, strict=True)]
        for left in reversed(range(_RACES)):
            asked = {"fields": ["id", *fields], "data": data}
            answer = await self._write(model, "load", context={**_ONCE, **(context or {})}, **asked)
            if answer["ids"]:
                return [int(id) for id in answer["ids"]]
            if not left:
                break
        said = "; ".join(str(one.get("message", "")).strip() for one in answer["messages"])
        raise Refused("not_taken", f"Odoo does not take it: {said}"[:500])

    async def _ask(self, model: str, method: str, **arguments: Any) -> Any:
        if self._rehearsal is None:
            return await self._odoo.call(model, method, writes=False, **arguments)
        asked = repr((model, method, arguments))
        if asked not in self._rehearsal:
            self._rehearsal[asked] = await self._odoo.call(model, method, writes=False, **arguments)
        return self._rehearsal[asked]

    async def _write(self, model: str, method: str, **arguments: Any) -> Any:
        if self._rehearsal is not None:
            raise WouldWrite
        try:
            answer = await self._odoo.call(model, method, writes=True, **arguments)
        except Uncertain:
            self.wrote = True
            raise
        self.wrote = True
        return answer


def digest(name: str) -> str:
    """A name for an external id: letters and digits, and never the same for two."""
    return hashlib.sha256(name.encode()).hexdigest()[:40]
