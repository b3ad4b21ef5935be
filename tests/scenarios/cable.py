"""The line between the plant and its Odoo, which can be cut."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from odoo_adapter.errors import Unavailable
from odoo_adapter.odoo import Job, Odoo, OdooInfo, OrdersRead, Outcome, Receipt


@dataclass(slots=True)
class Cable:
    """An `Odoo` that is reached over this line. While it is cut, no call gets there."""

    odoo: Odoo
    is_cut: bool = False

    async def check(self) -> OdooInfo:
        return await self._reached().check()

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        return await self._reached().post(batch)

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        return await self._reached().look_up(jobs)

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        return await self._reached().foresee(jobs)

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        return await self._reached().read_orders(cursor, known)

    async def close(self) -> None:
        await self.odoo.close()

    def _reached(self) -> Odoo:
        if self.is_cut:
            raise Unavailable("the line is cut")
        return self.odoo
