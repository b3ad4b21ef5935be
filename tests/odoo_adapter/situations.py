"""Transactions by situation, and what every implementation of `Odoo` must do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import pytest
from msgspec import structs

from bridge.core.standing import Standings
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection, Recorder
from odoo_adapter.look_first.odoo import LookFirstOdoo
from odoo_adapter.odoo import Applied, Declined, Held, Job, Odoo, Outcome, Passed, Receipt
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import OdooServer
from ruleset.transaction import (
    Complete,
    Consumption,
    IdempotencyKey,
    OrderRef,
    Progress,
    Provenance,
    QualityResult,
    Transaction,
)

AT_MS = 1_795_400_000_000
PRESS = "acme/berlin/machining/press-1"
CAUSE = Provenance(rule="progress", version="v7", topic="spBv1.0/acme/DDATA/packaging/line-1", seq=12)
HOUSING = (
    Consumption(product="RESIN-A", quantity=Decimal("0.3"), unit="kg", lot="R-1"),
    Consumption(product="RESIN-A", quantity=Decimal(200), unit="g", lot="R-2"),
    Consumption(product="BOX", quantity=Decimal(11), unit="pcs"),
)
"""What ten housings used up: half a kilogram from two lots, and one box too many."""


MODES: Final = ("inbox", "look-first")
HOLD_LOCATION: Final = "Quality Hold"
LOSSES: Final = {"tool_change": "Setup and Adjustments"}
"""A loss category of the plant's own, and what Odoo calls it."""


def opened(
    mode: str,
    connection: Connection,
    context: PlanContext,
    record: Recorder | None = None,
    hold_location: str = HOLD_LOCATION,
) -> Odoo:
    """A server to which postings happen in this way."""
    odoo = OdooApi(connection, record)
    return OdooServer(odoo, context) if mode == "inbox" else LookFirstOdoo(odoo, context, hold_location)


@pytest.fixture(params=MODES)
def both_modes(request: pytest.FixtureRequest) -> str:
    """For modules whose tests hold however postings happen: `mode = both_modes`."""
    return str(request.param)


async def is_there(code: str) -> str:
    """A work center that needs no making."""
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An Odoo with ways to make confirmed orders and work centers in it, and a word that no earlier run used.

    It posts as the bridge does: `standings` is what it remembers of orders, `sent` the jobs that may stand in Odoo.
    """

    odoo: Odoo
    order: Callable[[float], Awaitable[str]]
    fresh: str
    center: Callable[[str], Awaitable[str]] = is_there
    standings: Standings = field(default_factory=Standings)
    sent: dict[str, Job] = field(default_factory=dict)

    def key(self, name: str) -> IdempotencyKey:
        return IdempotencyKey(f"{PRESS}/{name}/{self.fresh}")

    async def post(self, transactions: Sequence[Transaction]) -> Sequence[Outcome]:
        """Post them: what may stand is sent as uncertain, and what was passed only since its lane was busy, again."""
        outcomes: dict[int, Outcome] = {}
        while left := [place for place in range(len(transactions)) if place not in outcomes]:
            asked = [self.job(transactions[place]) for place in left]
            self.sent.update({job.transaction.key: job for job in asked})
            answers = await self.odoo.post(asked)
            stopped = {job.transaction.order for job, one in zip(asked, answers, strict=True) if _stops(one)}
            for place, job, outcome in zip(left, asked, answers, strict=True):
                if not isinstance(outcome, Applied):
                    self.sent.pop(outcome.key, None)
                else:
                    self.standings.applied(job.transaction, outcome.receipt, AT_MS)
                if not isinstance(outcome, Passed) or job.transaction.order in stopped:
                    outcomes[place] = outcome
        return [outcomes[place] for place in range(len(transactions))]

    def job(self, transaction: Transaction) -> Job:
        """What is asked of Odoo, with what the bridge would know."""
        if (sent := self.sent.get(transaction.key)) is not None:
            return replace(sent, transaction=transaction, uncertain=True)
        return Job(transaction=transaction, standing=self.standings.of(transaction.order or ""))


def _stops(outcome: Outcome) -> bool:
    return isinstance(outcome, Declined | Held)


def jobs(*transactions: Transaction) -> list[Job]:
    """The transactions with nothing known of them."""
    return [Job(transaction=transaction) for transaction in transactions]


def progress(bench: Bench, order: str, upto: int, *, name: str = "", unit: str = "pcs", stream: str = "1") -> Progress:
    return Progress(
        key=bench.key(f"progress/{order}/{stream}/{upto}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        stream=f"{order}/{PRESS}/good/{stream}",
        upto=Decimal(upto),
        unit=unit,
    )


def complete(bench: Bench, order: str, *, quantity: int = 10, name: str = "", lot: str = "") -> Complete:
    return Complete(
        key=bench.key(f"complete/{order}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(quantity),
        unit="pcs",
        lot=lot or f"H-{order}-{bench.fresh}",
        consumed=HOUSING,
    )


def disposition(bench: Bench, order: str, status: str = "accept") -> QualityResult:
    return QualityResult(
        key=bench.key(f"quality/{order}/{status}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        status=status,
    )


async def sent_twice_is_applied_once(bench: Bench) -> None:
    transaction = progress(bench, await bench.order(10), 4)
    (first,) = await bench.post([transaction])
    (second,) = await bench.post([transaction])
    assert isinstance(first, Applied)
    assert not first.receipt.repeated
    assert second == Applied(key=transaction.key, receipt=again(first.receipt))


async def four_at_once_are_applied_once(bench: Bench) -> None:
    transaction = progress(bench, await bench.order(10), 4)
    answers = await asyncio.gather(*(bench.post([transaction]) for _ in range(4)))
    repeated = sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied))
    assert repeated == [False, True, True, True]


async def another_content_under_the_same_key_is_declined(bench: Bench) -> None:
    order = await bench.order(10)
    (_, declined) = await bench.post([disposition(bench, order), disposition_with_lot(bench, order)])
    assert isinstance(declined, Declined)
    assert declined.code == "conflict"


def disposition_with_lot(bench: Bench, order: str) -> QualityResult:
    plain = disposition(bench, order)
    return QualityResult(
        key=plain.key,
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=plain.order,
        status=plain.status,
        lot="OTHER",
    )


async def another_rule_version_is_the_same_fact(bench: Bench) -> None:
    first = progress(bench, await bench.order(10), 4)
    newer = Provenance(rule="progress", version="v8", topic=CAUSE.topic, seq=99)
    second = Progress(
        key=first.key,
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=newer,
        order=first.order,
        stream=first.stream,
        upto=first.upto,
        unit="pcs",
    )
    await bench.post([first])
    (outcome,) = await bench.post([second])
    assert isinstance(outcome, Applied)
    assert outcome.receipt.repeated


async def after_a_refusal_its_lane_waits_and_the_others_go_on(bench: Bench) -> None:
    done, other = await bench.order(10), await bench.order(10)
    await bench.post([complete(bench, done)])
    batch: list[Transaction] = [
        disposition(bench, other),
        complete(bench, done, name="/again", lot="ANOTHER"),
        disposition(bench, done),
        progress(bench, other, 3),
    ]
    first, refused, passed, last = await bench.post(batch)
    assert isinstance(first, Applied)
    assert isinstance(refused, Declined)
    assert refused.code == "order_state"
    assert passed == Passed(key=batch[2].key)
    assert isinstance(last, Applied)


async def totals_add_only_what_is_new(bench: Bench) -> None:
    order = await bench.order(100)
    steps = [
        progress(bench, order, 10),
        progress(bench, order, 25),
        progress(bench, order, 20, name="/late"),
        progress(bench, order, 5, stream="2"),
        progress(bench, order, 26),
    ]
    outcomes = await bench.post(steps)
    details = [one.receipt.details for one in outcomes if isinstance(one, Applied)]
    assert [one["added"] for one in details] == [10, 15, 0, 5, 1]
    assert details[-1]["qty_producing"] == 31


async def an_unmapped_unit_is_declined_and_changes_nothing(bench: Bench) -> None:
    order = await bench.order(10)
    outcomes = await bench.post([progress(bench, order, 4, unit="furlong"), progress(bench, order, 4)])
    (declined, passed) = outcomes
    assert declined == Declined(
        key=progress(bench, order, 4).key, code="unit", reason='unit "furlong" has no unit of Odoo in codes.yaml'
    )
    assert isinstance(passed, Passed)
    assert await bench.odoo.look_up(jobs(progress(bench, order, 4))) == {}


async def looking_up_finds_what_stands(bench: Bench) -> None:
    order = await bench.order(10)
    transaction = progress(bench, order, 4)
    nobody = structs.replace(progress(bench, order, 5), key=IdempotencyKey("nobody"))
    (applied,) = await bench.post([transaction])
    assert isinstance(applied, Applied)
    asked = [bench.job(transaction), bench.job(nobody)]
    assert await bench.odoo.look_up(asked) == {transaction.key: again(applied.receipt)}


def again(receipt: Receipt) -> Receipt:
    """The receipt as a repetition gets it."""
    return Receipt(model=receipt.model, id=receipt.id, details=receipt.details, repeated=True)


SUITE: tuple[Callable[[Bench], Awaitable[None]], ...] = (
    sent_twice_is_applied_once,
    four_at_once_are_applied_once,
    another_content_under_the_same_key_is_declined,
    another_rule_version_is_the_same_fact,
    after_a_refusal_its_lane_waits_and_the_others_go_on,
    totals_add_only_what_is_new,
    an_unmapped_unit_is_declined_and_changes_nothing,
    looking_up_finds_what_stands,
)
