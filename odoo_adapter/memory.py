"""`MemoryOdoo`: keeps the inbox's promises in memory, with faults to order. For crash tests; it knows no stock.

With `look_first` it has no inbox: it remembers no keys and no totals of streams, its order has one quantity that people
may change too, and whether something stands is told by what stands: a quantity, or an effect that names its key.

What it keeps: which keys are applied and with what, the totals per order, which orders are done, and every effect in
the order in which it happened. An effect that appeared twice here would have been posted twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.odoo import (
    DELETED,
    INBOX,
    LOOK_FIRST,
    Applied,
    Declined,
    Held,
    Job,
    OdooInfo,
    OrderRead,
    OrdersRead,
    Outcome,
    Passed,
    Receipt,
)
from odoo_adapter.plan import PlanContext, Posting, lane, plan
from ruleset.sample import Plain
from ruleset.transaction import Progress, Transaction

_MODELS = {
    "start": "mrp.workorder",
    "pause": "mrp.workorder",
    "finish": "mrp.workorder",
    "progress": "mrp.production",
    "complete": "mrp.production",
    "correct": "mrp.production",
    "scrap": "stock.scrap",
    "consume": "stock.move",
    "lot": "stock.lot",
    "downtime": "mrp.workcenter.productivity",
    "downtime_open": "mrp.workcenter.productivity",
    "block": "resource.calendar.leaves",
    "unblock": "resource.calendar.leaves",
    "note": "mail.message",
    "maintenance": "maintenance.request",
}


class Fault(StrEnum):
    """What goes wrong with one call of `post`."""

    NONE = "none"
    BEFORE = "before"
    """Not reached: nothing is applied."""
    AFTER = "after"
    """Applied, but the answer is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one transaction did."""

    key: str
    kind: str
    p: Mapping[str, Plain]


@dataclass(slots=True)
class MemoryOdoo:
    """An Odoo of which tests see the inside.

    `faults` are used up one per `post`; `down` makes every call fail before it is sent; `refusals` declines a
    key with a code until it is taken out again.
    """

    context: PlanContext
    look_first: bool = False
    faults: deque[Fault] = field(default_factory=deque)
    down: bool = False
    refusals: dict[str, str] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)
    """What progress added up to, by order."""
    done: dict[str, Decimal] = field(default_factory=dict)
    """The quantity of each order that is complete."""
    streams: dict[str, Decimal] = field(default_factory=dict)
    corrected: dict[str, Decimal] = field(default_factory=dict)
    """What corrections added to what was counted, by order."""
    orders: dict[str, OrderRead] = field(default_factory=dict)
    _applied: dict[str, tuple[str, Receipt]] = field(default_factory=dict)
    _changes: list[str] = field(default_factory=list)

    async def check(self) -> OdooInfo:
        self._reach()
        mode = LOOK_FIRST if self.look_first else INBOX
        return OdooInfo(version="memory", mode=mode, simulator=True, database="memory", company=1, user="uns-bridge")

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        self._reach()
        fault = self.faults.popleft() if self.faults else Fault.NONE
        if fault is Fault.BEFORE:
            raise Unavailable("connection refused")
        blocked: set[str] = set()
        outcomes: list[Outcome] = []
        for job in batch:
            outcome = self._look_and_apply(job) if self.look_first else self._apply(job, blocked)
            if isinstance(outcome, Declined):
                blocked.add(lane(job.transaction))
            outcomes.append(outcome)
        if fault is Fault.AFTER:
            raise Uncertain("the answer was lost")
        return outcomes

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        self._reach()
        if self.look_first:
            return {job.transaction.key: receipt for job in jobs if (receipt := self._evidence(job)) is not None}
        return {key: self._again(key) for job in jobs if (key := job.transaction.key) in self._applied}

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        self._reach()
        return {job.transaction.key: one for job in jobs if (one := self._foreseen(job)) is not None}

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        self._reach()
        names = dict.fromkeys(self._changes[int(cursor or "0") :])
        read = [self.orders[name] for name in names]
        if not cursor:
            read = [order for order in read if order.state not in ("done", "cancel") or order.order in known]
            gone = [order for order in known if order not in self.orders]
            read += [OrderRead(order=order, name="", state=DELETED, document={}) for order in gone]
        return OrdersRead(orders=tuple(read), cursor=str(len(self._changes)))

    async def close(self) -> None:
        """Nothing to close."""

    def put_order(self, order: OrderRead) -> None:
        """Release an order, or change it."""
        self.orders[order.order] = order
        self._changes.append(order.order)

    def _foreseen(self, job: Job) -> Outcome | None:
        key, planned = job.transaction.key, plan(job.transaction, self.context, job.standing)
        if isinstance(planned, Declined):
            return planned
        if key in self._applied and self._applied[key][0] != planned.hash:
            return Declined(key=key, code="conflict", reason="posted before with other content")
        stands = self._evidence(job) if self.look_first else self._again(key) if key in self._applied else None
        if stands is not None:
            return Applied(key=key, receipt=stands)
        code = self.refusals.get(key)
        return Declined(key=key, code=code, reason="declined by the test") if code else None

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("connection refused")

    def _again(self, key: str) -> Receipt:
        receipt = self._applied[key][1]
        return Receipt(model=receipt.model, id=receipt.id, details=receipt.details, repeated=True)

    def _apply(self, job: Job, blocked: set[str]) -> Outcome:
        transaction, key = job.transaction, job.transaction.key
        if lane(transaction) in blocked and key not in self._applied:
            return Passed(key=key)
        planned = plan(transaction, self.context, job.standing)
        if isinstance(planned, Declined):
            return planned
        if key in self._applied:
            if self._applied[key][0] != planned.hash:
                return Declined(key=key, code="conflict", reason="posted before with other content")
            return Applied(key=key, receipt=self._again(key))
        try:
            details = self._effect(planned)
        except Refused as error:
            return Declined(key=key, code=error.code, reason=error.reason)
        self.effects.append(Effect(key=key, kind=planned.kind, p=planned.p))
        receipt = Receipt(model=_MODELS[planned.kind], id=len(self.effects), details=details)
        self._applied[key] = (planned.hash, receipt)
        return Applied(key=key, receipt=receipt)

    def _look_and_apply(self, job: Job) -> Outcome:
        planned, transaction = plan(job.transaction, self.context), job.transaction
        if isinstance(planned, Declined):
            return planned
        if (stands := self._evidence(job)) is not None:
            return Applied(key=planned.key, receipt=stands)
        if isinstance(transaction, Progress):
            before, after, found = self._change(transaction, job)
            if found != before:
                return Held(key=planned.key, reason=f"{found} stand in Odoo, {before} were expected")
            self.totals[str(transaction.order)] = after
        elif planned.kind == "complete":
            self.done[str(transaction.order)] = Decimal(str(planned.p["qty"]))
        self.effects.append(Effect(key=planned.key, kind=planned.kind, p=planned.p))
        return Applied(key=planned.key, receipt=self._seen(transaction, planned.kind))

    def _evidence(self, job: Job) -> Receipt | None:
        """What of the job stands already."""
        transaction = job.transaction
        if isinstance(transaction, Progress):
            before, after, found = self._change(transaction, job)
            stands = before == after or (job.uncertain and found == after)
            return self._seen(transaction, "progress", repeated=True) if stands else None
        kinds = [effect.kind for effect in self.effects if effect.key == transaction.key]
        return self._seen(transaction, kinds[0], repeated=True) if kinds else None

    def _change(self, progress: Progress, job: Job) -> tuple[Decimal, Decimal, Decimal]:
        """The quantity before and after this posting as far as the bridge knows, and the one that stands."""
        found = self.totals.get(str(progress.order), Decimal(0))
        before = found if job.released else job.standing.quantity or Decimal(0)
        return before, before + max(Decimal(0), progress.upto - job.standing.streams.get(progress.stream, 0)), found

    def _seen(self, transaction: Transaction, kind: str, *, repeated: bool = False) -> Receipt:
        quantity = float(self.totals.get(str(transaction.order), Decimal(0)))
        details = {"qty_producing": quantity} if kind == "progress" else {}
        return Receipt(model=_MODELS[kind], id=len(self.effects), details=details, repeated=repeated)

    def _effect(self, posting: Posting) -> dict[str, Plain]:
        if code := self.refusals.get(posting.key):
            raise Refused(code, "declined by the test")
        order = str(posting.p.get("order", ""))
        if posting.kind == "progress":
            return self._progress(order, posting.p)
        if posting.kind == "correct":
            return self._correct(order, posting.p)
        if posting.kind == "complete":
            if order in self.done:
                raise Refused("order_state", f"{order} is done")
            self.done[order] = Decimal(str(posting.p["qty"]))
            return {"qty": float(self.done[order]), "lot": posting.p.get("lot"), "hold": bool(posting.p.get("hold"))}
        return {}

    def _progress(self, order: str, p: Mapping[str, Plain]) -> dict[str, Plain]:
        stream, upto = str(p["stream"]), Decimal(str(p["upto"]))
        bases = p.get("bases")
        for name, known in bases.items() if isinstance(bases, dict) else ():
            total = Decimal(str(known[0] if isinstance(known, list) else 0))
            self.streams[name] = max(self.streams.get(name, Decimal(0)), total)
        old = self.streams.get(stream, Decimal(0))
        new = max(old, upto)
        others = [total for name, total in self.streams.items() if name.startswith(f"{order}/") and name != stream]
        counted, made = sum(others, new + self.corrected.get(order, 0)), self.done.get(order)
        if made is not None and counted > made:
            raise Refused("order_state", f"{order} is done with {made}, and {counted} were counted")
        self.streams[stream] = new
        if made is not None:
            return {"added": 0, "covered": True, "qty_producing": float(made)}
        self.totals[order] = self.totals.get(order, Decimal(0)) + new - old
        return {"added": float(new - old), "qty_producing": float(self.totals[order])}

    def _correct(self, order: str, p: Mapping[str, Plain]) -> dict[str, Plain]:
        change = Decimal(str(p["qty"])) * (-1 if p.get("less") else 1)
        if order in self.done:
            return {"added": float(change)}
        self.totals[order] = self.totals.get(order, Decimal(0)) + change
        self.corrected[order] = self.corrected.get(order, Decimal(0)) + change
        details: dict[str, Plain] = {"added": float(change), "qty_producing": float(self.totals[order])}
        return {**details, "corrected": float(self.corrected[order])}
