"""`ChosenOdoo`: an Odoo that can be posted to in two ways. What was begun in one way may be finished in the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.odoo import Applied, Declined, Held, Job, Odoo, OdooInfo, OrdersRead, Outcome, Passed, Receipt
from ruleset.transaction import Correct, MaterialConsume, Progress

NO_INBOX = "no_inbox"
"""The code of a `Refused` that tells for sure that this database has no inbox."""


_UNSETTLED: Final = (
    "posted before the inbox was there, with no answer; it does not stand as posted: look in Odoo, then release to "
    "post it through the inbox, or skip"
)


class ChosenOdoo:
    """Posts through the inbox; where there surely is none, and `may_look_first`, by looking first.

    It is asked at the first check which way there is, and that stays so: an inbox that is installed meanwhile is taken
    at the next start. An inbox that cannot be used (no right, another version, no answer) is never passed by.

    A job that may have been carried out without the inbox is finished without it, by looking first. Where that is not
    allowed any more, so that nobody waits before the next look, it is applied only if it stands, else held.
    """

    def __init__(self, inbox: Odoo, look_first: Odoo, *, may_look_first: bool) -> None:
        self._inbox = inbox
        self._look_first = look_first
        self._may_look_first = may_look_first
        self._chosen: Odoo | None = None if may_look_first else inbox
        self._sent: set[str] = set()
        """What this process sent to the inbox and has no outcome of: nobody else was asked to carry it out."""

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
        doubtful = {job.transaction.key for job in await self._doubtful(batch)}
        place = next((place for place, job in enumerate(batch) if job.transaction.key in doubtful), len(batch))
        posted = await (self._settle(batch[0]) if batch and not place else self._send(batch[:place]))
        return [*posted, *(Passed(key=job.transaction.key) for job in batch[len(posted) :])]

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        chosen = await self._way()
        if chosen is self._look_first:
            return await chosen.look_up(jobs)
        found = await self._inbox.look_up(jobs)
        return {**await self._look_first.look_up(await self._doubtful(jobs)), **found}

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        """With the inbox, too, what would be looked at without it: it declines for the same reasons."""
        chosen = await self._way()
        foreseen = dict(await chosen.foresee(jobs))
        if chosen is self._look_first:
            return foreseen
        looked_at = [
            job
            for job in jobs
            if job.transaction.key not in foreseen and not isinstance(job.transaction, Progress | Correct)
        ]
        for key, outcome in (await self._look_first.foresee(looked_at)).items():
            if isinstance(outcome, Declined) or (isinstance(outcome, Held) and key in _consumed(looked_at)):
                foreseen[key] = outcome
        return foreseen

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        return await (await self._way()).read_orders(cursor, known)

    async def close(self) -> None:
        await self._inbox.close()
        await self._look_first.close()

    async def _way(self) -> Odoo:
        if self._chosen is None:
            await self.check()
        return self._chosen or self._inbox

    async def _doubtful(self, jobs: Sequence[Job]) -> list[Job]:
        """Those that may have been carried out without the inbox, and that it does not know."""
        by_calls = [job for job in jobs if job.uncertain and job.by_calls and not job.released]
        asked = [job for job in by_calls if job.transaction.key not in self._sent]
        known = await self._inbox.look_up(asked) if asked else {}
        return [job for job in asked if job.transaction.key not in known]

    async def _settle(self, job: Job) -> Sequence[Outcome]:
        """Finish what was begun without the inbox. The others of its batch are passed: they come again at once."""
        if self._may_look_first:
            return await self._look_first.post([job])
        key = job.transaction.key
        if (found := (await self._look_first.look_up([job])).get(key)) is not None:
            return [Applied(key=key, receipt=found)]
        return [Held(key=key, reason=_UNSETTLED)]

    async def _send(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        keys = {job.transaction.key for job in jobs}
        self._sent |= keys
        outcomes = await self._inbox.post(jobs)
        self._sent -= keys
        return outcomes


def _consumed(jobs: Sequence[Job]) -> frozenset[str]:
    """Those of material, which is held for the same reasons either way; other holds belong to looking first."""
    return frozenset(job.transaction.key for job in jobs if isinstance(job.transaction, MaterialConsume))
