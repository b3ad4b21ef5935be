"""`LookFirstOdoo`: a real Odoo (or the simulator) without the inbox, asked what stands before each step.

Nothing in Odoo remembers which transactions were posted: every effect carries its key, progress is told by what the
bridge remembers of its own postings, and only one call writes at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.pace import giving_way
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.kinds import KINDS
from odoo_adapter.look_first.steps import Steps, WouldWrite
from odoo_adapter.odoo import Declined, Job, OdooInfo, OrdersRead, Outcome, Passed, Receipt
from odoo_adapter.orders import OVERLAP_S, OrderReader
from odoo_adapter.plan import PlanContext, lane, plan
from odoo_adapter.rights import is_administrator, key_expiry, missing_rights, read_clock

_NOT_FORESEEN: Final = (LookupError, AttributeError, TypeError, ValueError, ArithmeticError)
"""What our own code raises where Odoo answers what was never seen."""


class LookFirstOdoo:
    """One database as one company's integration user; implements `odoo_adapter.odoo.Odoo`.

    `hold_location` names the place of goods on hold, as Odoo shows it. `close` ends `odoo` too.
    """

    def __init__(self, odoo: OdooApi, context: PlanContext, hold_location: str) -> None:
        self._odoo = odoo
        self._orders = OrderReader(self._odoo, OVERLAP_S)
        self._context = context
        self._hold_location = hold_location
        self._user: int | None = None
        self._writing = asyncio.Lock()

    async def check(self) -> OdooInfo:
        version = await self._odoo.version()
        uid = self._user = await self._ask_user()
        company = self._odoo.connection.company
        (row,) = await self._odoo.call("res.users", "read", writes=False, ids=[uid], fields=["login", "company_ids"])
        login = row["login"]
        if await is_administrator(self._odoo):
            raise Refused("rights", f"{login} is an administrator: make an integration user of its own for the bridge")
        missing = await missing_rights(self._odoo, uid, login)
        if company not in row["company_ids"]:
            missing.append(f"the user {login} may not work in company {company}")
        if missing:
            raise Refused("rights", "; ".join(missing))
        return OdooInfo(
            version=version,
            mode="look-first",
            simulator=version.endswith("-simulator"),
            database=self._odoo.connection.database,
            company=company,
            user=login,
            key_expires_ms=await key_expiry(self._odoo, uid),
        )

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        """One job of each lane is tried; later ones of it are passed, since what they know of the order is stale then.

        Where Odoo goes away in the middle, the rest is passed.
        """
        async with self._writing:
            outcomes: list[Outcome] = []
            tried: set[str] = set()
            for job in batch:
                key, its_lane = job.transaction.key, lane(job.transaction)
                if its_lane in tried:
                    outcomes.append(Passed(key=key))
                    continue
                tried.add(its_lane)
                try:
                    outcomes.append(await self._post(job))
                except Unavailable:
                    if not outcomes:
                        raise
                    return [*outcomes, *(Passed(key=one.transaction.key) for one in batch[len(outcomes) :])]
            return outcomes

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        found: dict[str, Receipt] = {}
        for job in jobs:
            attempt = await self._attempt(job)
            if isinstance(attempt, Attempt) and (receipt := await _find(attempt)):
                found[attempt.key] = receipt
        return found

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        """Each by itself: what one of them would change for a later one is not foreseen."""
        known: dict[str, Any] = {}
        foreseen: dict[str, Outcome] = {}
        for job in jobs:
            with suppress(WouldWrite):
                foreseen[job.transaction.key] = await self._post(job, known)
        return foreseen

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        """The cursor is Odoo's clock before anything is read: no record is asked of the database for its time.

        That clock may differ from the database's; what lies between is read again at every poll.
        """
        with giving_way():
            now = await read_clock(self._odoo)
            return OrdersRead(orders=await self._orders.read(cursor, now, known), cursor=now)

    async def close(self) -> None:
        await self._odoo.close()

    async def _post(self, job: Job, rehearsal: dict[str, Any] | None = None) -> Outcome:
        attempt = await self._attempt(job, rehearsal)
        if isinstance(attempt, Declined):
            return attempt
        try:
            return await KINDS[attempt.posting.kind].apply(attempt)
        except Refused as error:
            return Declined(key=attempt.key, code=error.code, reason=error.reason)
        except Unavailable as error:
            if attempt.steps.wrote:
                raise Uncertain(f"{error}; an earlier step was carried out") from error
            raise
        except _NOT_FORESEEN as error:
            stands = "; a part of it may stand in Odoo: look there first" if attempt.steps.wrote else ""
            reason = f"not foreseen by the bridge: {type(error).__name__}: {error}{stands}"
            return Declined(key=attempt.key, code="not_foreseen", reason=reason[:500])

    async def _attempt(self, job: Job, rehearsal: dict[str, Any] | None = None) -> Attempt | Declined:
        planned = plan(job.transaction, self._context, job.standing)
        if isinstance(planned, Declined):
            return planned
        if self._user is None:
            self._user = await self._ask_user()
        steps = Steps(self._odoo, await self._odoo.capabilities(), self._user, rehearsal)
        return Attempt(steps=steps, posting=planned, job=job, hold_location=self._hold_location)

    async def _ask_user(self) -> int:
        context = await self._odoo.call("res.users", "context_get", writes=False)
        return int(context["uid"])


async def _find(attempt: Attempt) -> Receipt | None:
    try:
        return await KINDS[attempt.posting.kind].find(attempt)
    except (Refused, *_NOT_FORESEEN):
        return None
