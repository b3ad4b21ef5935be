"""What an administrator's key does for the installer: find, make and name records of Odoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused
from odoo_adapter.versions import Capabilities

MODULE: Final = "uns_bridge"
"""The module part of the external ids of what the installer makes. No addon may have this name."""

MODEL: Final = "x_uns_transaction"
"""The list of transactions."""


@dataclass(slots=True)
class Administrator:
    """One run of the installer: the connection, and the log of what it did. Raises what `OdooApi.call` does."""

    odoo: OdooApi
    can: Capabilities
    log: list[str] = field(default_factory=list)

    async def search(self, model: str, domain: Sequence[object]) -> list[int]:
        found: list[int] = await self.odoo.call(
            model, "search", writes=False, domain=list(domain), context={"active_test": False}, limit=1, order="id"
        )
        return found

    async def one(self, model: str, domain: Sequence[object], what: str) -> int:
        found = await self.search(model, domain)
        if not found:
            raise Refused("missing", f"{what} is not in this database; are Manufacturing and Inventory installed?")
        return found[0]

    async def create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self.odoo.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]

    async def write(self, model: str, id: int, values: Mapping[str, object]) -> None:
        await self.odoo.call(model, "write", writes=True, ids=[id], vals=dict(values))

    async def find(self, name: str, module: str = MODULE) -> int | None:
        """The record of an external id, if both still exist. An external id can outlive its record."""
        rows: list[dict[str, Any]] = await self.odoo.call(
            "ir.model.data",
            "search_read",
            writes=False,
            domain=[["module", "=", module], ["name", "=", name]],
            fields=["model", "res_id"],
        )
        for row in rows:
            if await self.search(row["model"], [["id", "=", row["res_id"]]]):
                return int(row["res_id"])
            await self.odoo.call("ir.model.data", "unlink", writes=True, ids=[row["id"]])
        return None

    async def ref(self, name: str, module: str = "mrp") -> int:
        found = await self.find(name, module)
        if found is None:
            raise Refused("missing", f"{module}.{name} is not in this database; is Manufacturing installed?")
        return found

    async def ensure(
        self, name: str, model: str, values: Mapping[str, object], first: Mapping[str, object] | None = None
    ) -> int:
        """The record of our external id with these values; `first` is set only when it is created."""
        id = await self.find(name)
        if id is not None:
            if not await self.change(name, model, id, values):
                self.log.append(f"kept {name}")
            return id
        id = await self.create(model, {**values, **(first or {})})
        await self._name(name, model, id)
        self.log.append(f"created {name}")
        return id

    async def change(self, name: str, model: str, id: int, values: Mapping[str, object]) -> bool:
        """Write what differs, and say whether anything did. What is equal is left alone: a write to what Odoo is set up
        with empties its caches, for everybody."""
        (row,) = await self.odoo.call(model, "read", writes=False, ids=[id], fields=list(values))
        differing = {field: value for field, value in values.items() if not _stands(row[field], value)}
        if differing:
            await self.write(model, id, differing)
            self.log.append(f"changed {name}: {', '.join(sorted(differing))}")
        return bool(differing)

    async def adopt(self, name: str, model: str, domain: Sequence[object]) -> None:
        """Give our external id to a record that a person made for us, where there is one and no record has it yet."""
        if await self.find(name) is None and (found := await self.search(model, domain)):
            await self._name(name, model, found[0])
            self.log.append(f"adopted {name}")

    async def _name(self, name: str, model: str, id: int) -> None:
        values = {"module": MODULE, "name": name, "model": model, "res_id": id, "noupdate": True}
        await self.create("ir.model.data", values)

    async def code(self, code: str) -> Mapping[str, object]:
        """The values of a server action with this code. On res.partner, where nobody's rights depend on our model."""
        model = await self.one("ir.model", [["model", "=", "res.partner"]], "the model res.partner")
        return {"name": "UNS bridge installer", "model_id": model, "state": "code", "code": code}

    async def run(self, action: int, *, writes: bool, **context: object) -> Mapping[str, object]:
        """Run such an action as the administrator; what its code puts into `action` is the answer."""
        asked = {"active_model": "res.partner", **context}
        result: Mapping[str, object] = await self.odoo.call(
            "ir.actions.server", "run", writes=writes, ids=[action], context=asked
        )
        return result

    async def run_once(self, code: str, **context: object) -> Mapping[str, object]:
        """Run a piece of code as the administrator."""
        action = await self.create("ir.actions.server", await self.code(code))
        try:
            return await self.run(action, writes=True, **context)
        finally:
            await self.odoo.call("ir.actions.server", "unlink", writes=True, ids=[action])


def _stands(read: Any, value: object) -> bool:
    """Whether a field that was read has the value to be written. A link is read as `[id, name]`; links to many are read
    as ids, and written as a command that adds (4) or sets (6)."""
    match value:
        case [[6, _, list(ids)]]:
            return set(read) == set(ids)
        case list(added):
            return {id for _, id in added} <= set(read)
        case int() if isinstance(read, list):
            return bool(read[0] == value)
    return bool(read == value)
