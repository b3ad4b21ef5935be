"""`ChosenOdoo`: an Odoo that can be posted to in two ways. What was begun in one way may be finished in the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odoo_adapter.errors import Refused
from odoo_adapter.odoo import Applied, Job, Odoo, OdooInfo, OrdersRead, Outcome, Receipt

NO_INBOX = "no_inbox"
"""The code of a `Refused` that tells for sure that this database has no inbox."""


class ChosenOdoo:
    """Posts through the inbox; where there surely is none, and `may_look_first`, by looking first.

    It is asked at the first check which way there is, and that stays so: an inbox that is installed meanwhile is taken
    at the next start. An inbox that cannot be used (no right, another version, no answer) is never passed by.
    """

    def __init__(self, inbox: Odoo, look_first: Odoo, *, may_look_first: bool) -> None:
        self._inbox = inbox
        self._look_first = look_first
        self._chosen: Odoo | None = None if may_look_first else inbox

    async def check(self) -> OdooInfo:
        if self._chosen is not None:
            return await self._chosen.check()
        try:
            info, chosen = await self._inbox.check(), self._inbox
        except Refused as error:
            if error.code != NO_INBOX:
                raise
            info, chosen = await self._look_first.check(), self._look_first
        self._chosen = chosen
        return info

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        chosen = await self._way()
        if chosen is self._look_first:
            return await chosen.post(batch)
        found = await self._begun_by_calls(batch)
        posted = iter(await self._inbox.post([job for job in batch if job.transaction.key not in found]))
        return [
            Applied(key=key, receipt=found[key]) if (key := job.transaction.key) in found else next(posted)
            for job in batch
        ]

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        chosen = await self._way()
        if chosen is self._look_first:
            return await chosen.look_up(jobs)
        found = await self._inbox.look_up(jobs)
        return {**await self._begun_by_calls([job for job in jobs if job.transaction.key not in found]), **found}

    async def read_orders(self, cursor: str) -> OrdersRead:
        return await (await self._way()).read_orders(cursor)

    async def close(self) -> None:
        await self._inbox.close()
        await self._look_first.close()

    async def _way(self) -> Odoo:
        if self._chosen is None:
            await self.check()
        return self._chosen or self._inbox

    async def _begun_by_calls(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        """What stands already of jobs that may have been carried out without the inbox, which does not know them."""
        doubtful = [job for job in jobs if job.uncertain and job.by_calls]
        known = await self._inbox.look_up(doubtful) if doubtful else {}
        unknown = [job for job in doubtful if job.transaction.key not in known]
        return await self._look_first.look_up(unknown) if unknown else {}
