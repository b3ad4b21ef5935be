"""`OdooServer`: a real Odoo (or the simulator), posting through the inbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from odoo_adapter.chosen import NO_INBOX
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.pace import giving_way
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.inbox.action import ACTIONS, LIGHT, Action, action_for, inbox_hash
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.odoo import Applied, Declined, Held, Job, OdooInfo, OrdersRead, Outcome, Passed, Receipt
from odoo_adapter.orders import OVERLAP_S, OrderReader
from odoo_adapter.plan import PlanContext, Posting, batches, lane, plan
from odoo_adapter.rights import is_absent, key_expiry, missing_rights

INBOX_VERSION: Final = 7
MOST: Final = 50
MOST_WITH_STOCK: Final = 10
"""Stock moves hold locks and the whole call is redone after a conflict; more than 10 were not faster on 17 and 19."""

MOST_ROWS: Final = 500
"""Rows of the inbox's list that are read at once."""

_WHOLE_CALL: Final = frozenset({"NotFound", "UnprocessableEntity", "Forbidden"})
"""Faults that concern the call itself, never one transaction in it."""

_INSTALL: Final = "an administrator runs `uns-bridge odoo install PLANT`"


class OdooServer:
    """One database as one company's integration user; implements `odoo_adapter.odoo.Odoo`. `close` ends `odoo` too."""

    def __init__(self, odoo: OdooApi, context: PlanContext) -> None:
        self._odoo = odoo
        self._orders = OrderReader(self._odoo, OVERLAP_S)
        self._context = context
        self._actions: Mapping[Action, int] = {}

    async def check(self) -> OdooInfo:
        version = await self._odoo.version()
        hello = await self.greet()
        missing = await missing_rights(self._odoo, hello["uid"], hello["login"])
        if missing:
            raise Refused("rights", "; ".join(missing))
        return OdooInfo(
            version=version,
            mode="inbox",
            simulator=bool(hello.get("simulator")),
            database=self._odoo.connection.database,
            company=hello["company"],
            user=hello["login"],
            key_expires_ms=await key_expiry(self._odoo, hello["uid"]),
        )

    async def greet(self) -> Mapping[str, Any]:
        """What the inbox says of itself. Raises `Refused` where it is not there, or not as it was shipped."""
        self._actions = {}
        hello = await self._run({"op": "hello"}, writes=False)
        self._compare(hello)
        return hello

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        blocked: set[str] = set()
        postings: list[Posting] = []
        places: list[int] = []
        for place, job in enumerate(batch):
            transaction = job.transaction
            planned = plan(transaction, self._context, job.standing)
            if lane(transaction) in blocked:
                outcomes[place] = Passed(key=transaction.key)
            elif isinstance(planned, Declined):
                outcomes[place] = planned
                blocked.add(lane(transaction))
            else:
                postings.append(planned)
                places.append(place)
        blocked.clear()
        done: list[Outcome] = []
        for call in batches(postings, most=MOST, most_with_stock=MOST_WITH_STOCK):
            done += await self._post(call, blocked)
        outcomes.update(zip(places, done, strict=True))
        return _in_lanes(batch, [outcomes[place] for place in range(len(batch))])

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        found: dict[str, Receipt] = {}
        keys = [job.transaction.key for job in jobs]
        for at in range(0, len(keys), MOST):
            answer = await self._run({"op": "find", "keys": keys[at : at + MOST]}, writes=False)
            found |= {one["key"]: _receipt(one["result"], repeated=True) for one in answer["results"]}
        return found

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        """What the inbox has, and what is declined before it is asked. It is `ChosenOdoo` that looks at more."""
        planned = {job.transaction.key: plan(job.transaction, self._context, job.standing) for job in jobs}
        foreseen: dict[str, Outcome] = {key: one for key, one in planned.items() if isinstance(one, Declined)}
        keys = list(planned)
        for at in range(0, len(keys), MOST_ROWS):
            domain = [["x_name", "in", keys[at : at + MOST_ROWS]], ["x_state", "=", "done"]]
            fields = ["x_name", "x_hash", "x_res_model", "x_res_id"]
            rows = await self._odoo.call(MODEL, "search_read", writes=False, domain=domain, fields=fields)
            for row in rows:
                key, one = row["x_name"], planned[row["x_name"]]
                kept = {"model": row["x_res_model"], "id": row["x_res_id"]}
                is_same = isinstance(one, Posting) and one.hash == row["x_hash"]
                foreseen[key] = _outcome({"key": key, "status": "dup" if is_same else "conflict", "result": kept})
        return foreseen

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        with giving_way():
            hello = await self._run({"op": "hello"}, writes=False)  # its time is before everything that is read below
            orders = await self._orders.read(cursor, hello["db_time"], known)
        return OrdersRead(orders=orders, cursor=hello["db_time"])

    async def close(self) -> None:
        await self._odoo.close()

    async def _post(self, call: Sequence[Posting], blocked: set[str]) -> list[Outcome]:
        """One call; lanes that met a refusal in an earlier call of the same batch are left out and added to."""
        tried = [one for one in call if one.lane not in blocked]
        results = iter(await self._apply(tried))
        outcomes: list[Outcome] = []
        for posting in call:
            outcome = next(results) if posting.lane not in blocked or posting in tried else Passed(key=posting.key)
            outcomes.append(outcome)
            if isinstance(outcome, Declined | Held):
                blocked.add(posting.lane)
        return outcomes

    async def _apply(self, postings: Sequence[Posting]) -> list[Outcome]:
        """Send; where Odoo fails on the call as a whole, send one by one to find what it cannot take."""
        if not postings:
            return []
        try:
            request = {"mode": "each", "tx": [one.request() for one in postings]}
            answer = await self._run(request, writes=True, action=action_for(one.kind for one in postings))
        except Refused as error:
            if error.code in _WHOLE_CALL or error.code in ("not_installed", NO_INBOX, "inbox_version"):
                raise
            if len(postings) == 1:
                return [Declined(key=postings[0].key, code=error.code, reason=error.reason)]
            outcomes: list[Outcome] = []
            blocked: set[str] = set()
            for one in postings:
                outcomes += await self._post([one], blocked)
            return outcomes
        results = answer.get("results")
        if not isinstance(results, list) or [one.get("key") for one in results] != [one.key for one in postings]:
            raise Uncertain("the inbox did not answer for each transaction")
        return [_outcome(one) for one in results]

    async def _run(self, request: Mapping[str, object], *, writes: bool, action: Action = LIGHT) -> dict[str, Any]:
        if not self._actions:
            self._actions = await self._find_actions()
        try:
            answer = await self._odoo.call(
                "ir.actions.server",
                "run",
                writes=writes,
                ids=[self._actions[action]],
                context={"active_model": MODEL, "uns": request},
            )
        except Refused as error:
            if error.code == "MissingError":
                self._actions = {}
                raise Unavailable("the inbox was installed anew; it is looked for again") from error
            if error.code == "AccessError":
                self._actions = {}
                raise Refused(
                    "not_installed", f"this user may not use the inbox ({error.reason}): {_INSTALL}"
                ) from error
            raise
        if not isinstance(answer, dict) or answer.get("inbox") != INBOX_VERSION:
            self._actions = {}
            raise Refused("inbox_version", f"the inbox in Odoo is not of version {INBOX_VERSION}: {_INSTALL}")
        return answer

    async def _find_actions(self) -> dict[Action, int]:
        """The inbox's actions, from their marker rows: the integration user may not read `ir.actions.server`."""
        try:
            rows = await self._odoo.call(
                MODEL,
                "search_read",
                writes=False,
                domain=[["x_name", "in", [action.marker for action in ACTIONS]]],
                fields=["x_name", "x_res_id", "x_hash"],
            )
        except Refused as error:
            code = NO_INBOX if is_absent(error) else "not_installed"
            raise Refused(code, f"the inbox is not there for this user ({error.reason}): {_INSTALL}") from error
        if not rows:
            raise Refused("not_installed", f"the inbox is not installed: {_INSTALL}")
        found = {row["x_name"]: int(row["x_res_id"]) for row in rows if row["x_hash"] == inbox_hash()}
        if len(found) != len(ACTIONS):
            raise Refused("inbox_version", f"the inbox in Odoo is of another version of the bridge: {_INSTALL}")
        return {action: found[action.marker] for action in ACTIONS}

    def _compare(self, hello: Mapping[str, Any]) -> None:
        if hello.get("sha") != inbox_hash():
            raise Refused(
                "inbox_changed", f"somebody changed the text of the inbox's server action in Odoo: {_INSTALL}"
            )
        if hello["su"]:
            raise Refused("rights", "the key belongs to a superuser; use an integration user of its own")


def _in_lanes(batch: Sequence[Job], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What we declined ourselves was not even looked at, where Odoo had declined an earlier one of the lane."""
    blocked: set[str] = set()
    kept: list[Outcome] = []
    for job, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Declined | Held):
            if lane(job.transaction) in blocked:
                outcome = Passed(key=outcome.key)
            blocked.add(lane(job.transaction))
        kept.append(outcome)
    return kept


def _outcome(result: Mapping[str, Any]) -> Outcome:
    key = result["key"]
    match result["status"]:
        case "done" | "dup":
            return Applied(key=key, receipt=_receipt(result["result"], repeated=result["status"] == "dup"))
        case "conflict":
            kept = result["result"]
            reason = f"posted before with other content, as {kept.get('model')} {kept.get('id')}"
            return Declined(key=key, code="conflict", reason=reason)
        case "refused":
            return Declined(key=key, code=result["code"], reason=result["message"])
        case "held":
            return Held(key=key, reason=result["message"])
        case "passed":
            return Passed(key=key)
        case status:
            raise Uncertain(f"the inbox answered {status!r}")


def _receipt(result: Mapping[str, Any], *, repeated: bool) -> Receipt:
    details = {name: value for name, value in result.items() if name not in ("model", "id")}
    return Receipt(model=result["model"], id=result["id"], details=details, repeated=repeated)
