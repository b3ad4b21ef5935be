"""The two workers: which outcome each answer becomes, and that no answer stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from bridge.broker.link import LinkUp, Publication
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.core.input import Destination, Input, Outcomes, Send, Setback
from bridge.delivery import RECHECK_MS, BrokerCarrier, Delivery, OdooCarrier
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.memory import Fault, MemoryOdoo
from odoo_adapter.odoo import Applied, Declined, Job, Outcome, Passed, Standing
from odoo_adapter.plan import PlanContext
from ruleset.transaction import encode
from state.entry import Entry, EntryState
from state.errors import Fenced
from tests.bridge.core.test_posting import start
from tests.bridge.simulator.listener import running, settings


def entry(key: str, body: bytes, lane: str = "mo-1") -> Entry:
    return Entry(
        key=key,
        number=1,
        lane=lane,
        action="workorder.start",
        destination="odoo",
        priority=50,
        body=body,
        content_hash="",
        state=EntryState.CLAIMED,
        created_ms=1,
        changed_ms=1,
    )


SERVER_LIMIT_MS = 120_000
START = entry("start", encode(start()))


async def outcomes_of(
    delivery: Delivery, entered: asyncio.Queue[Input], *entries: Entry, expected: int = 1, stored_in_s: float = 0
) -> Any:
    """What one batch becomes; afterwards the worker is idle again."""
    async with running(delivery.run()):
        delivery.send(Send(delivery.destination, entries, stored_in_s=stored_in_s))
        outcomes = [await asyncio.wait_for(entered.get(), 5) for _ in range(expected)]
    assert delivery.idle
    return outcomes[0] if expected == 1 else outcomes


class Answering(MemoryOdoo):
    """An Odoo that answers `post` with what it is told."""

    def __init__(self, answer: Exception | Sequence[Outcome]) -> None:
        super().__init__(context=PlanContext())
        self.answer = answer

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def odoo_delivery(odoo: MemoryOdoo, per_second: int = 1000) -> tuple[Delivery, asyncio.Queue[Input]]:
    entered: asyncio.Queue[Input] = asyncio.Queue(10)
    carrier = OdooCarrier(odoo, batch=10, per_second=per_second, checked=lambda _: None)
    return Delivery(carrier, entered.put), entered


@pytest.mark.parametrize(
    ("error", "setback"),
    [
        (Unavailable("away", 70), Setback(keys=("start",), reason="away", uncertain=False, retry_after_ms=70)),
        (Uncertain("lost"), Setback(keys=("start",), reason="lost", uncertain=True)),
        (
            Refused("rights", "no"),
            Setback(keys=("start",), reason="rights: no", uncertain=False, retry_after_ms=RECHECK_MS),
        ),
        (KeyError("x"), Setback(keys=("start",), reason="KeyError: 'x'", uncertain=True)),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_batch_without_an_outcome_is_set_back(error: Exception, setback: Setback) -> None:
    delivery, entered = odoo_delivery(Answering(error))
    assert await outcomes_of(delivery, entered, START) == setback


async def test_nothing_is_posted_once_another_one_leads() -> None:
    """What was claimed before the process froze is the new leader's to send."""
    odoo, leads = MemoryOdoo(context=PlanContext()), asyncio.Event()

    async def confirmed() -> None:
        if not leads.is_set():
            raise Fenced("another bridge took over the site")

    carrier = OdooCarrier(odoo, batch=10, per_second=1000, checked=lambda _: None, confirmed=confirmed)
    with pytest.raises(Fenced):
        await carrier.carry(Send(Destination.ODOO, (START,)))
    assert odoo.effects == []
    leads.set()
    await carrier.carry(Send(Destination.ODOO, (START,)))
    assert [effect.kind for effect in odoo.effects] == ["start"]


async def test_an_answer_about_something_else_is_no_answer() -> None:
    delivery, entered = odoo_delivery(Answering((Passed(key="other"),)))
    outcome = await outcomes_of(delivery, entered, START)
    assert (outcome.keys, outcome.uncertain) == (("start",), True)


async def test_an_odoo_that_refuses_the_bridge_is_told_once_and_posts_when_it_is_mended() -> None:
    odoo = Answering(Refused("rights", "no"))
    delivery, entered = odoo_delivery(odoo)
    with capture_logs() as logs:
        await outcomes_of(delivery, entered, START)
        await outcomes_of(delivery, entered, START)
        odoo.answer = (Passed(key="start"),)
        assert await outcomes_of(delivery, entered, START) == Outcomes((Passed(key="start"),))
    assert logs[0]["event"] == "odoo.refuses"


async def test_a_body_that_cannot_be_read_is_declined_and_its_lane_waits() -> None:
    odoo = MemoryOdoo(context=PlanContext())
    delivery, entered = odoo_delivery(odoo)
    outcome = await outcomes_of(delivery, entered, entry("bad", b"?", "mo-2"), entry("next", b"?", "mo-2"), START)
    applied, declined, passed = outcome.outcomes
    assert (type(applied), applied.key) == (Applied, "start")
    assert (type(declined), declined.key, declined.code) == (Declined, "bad", "unreadable")
    assert passed == Passed(key="next")


async def test_a_dead_letter_of_a_need_says_that_there_is_nothing_to_send() -> None:
    delivery, entered = odoo_delivery(MemoryOdoo(context=PlanContext()))
    outcome = await outcomes_of(delivery, entered, entry("s", b'{"rule": "scrap", "reason": "S9 is not mapped"}'))
    assert outcome.outcomes[0].reason.startswith("S9 is not mapped; there is nothing to send: mend")


async def test_a_lost_answer_is_uncertain_and_the_repeat_is_the_same_effect() -> None:
    odoo = MemoryOdoo(context=PlanContext())
    odoo.faults.append(Fault.AFTER)
    delivery, entered = odoo_delivery(odoo)
    assert (await outcomes_of(delivery, entered, START)).uncertain
    (applied,) = (await outcomes_of(delivery, entered, START)).outcomes
    assert (applied.receipt.repeated, len(odoo.effects)) == (True, 1)


async def test_no_more_batches_are_posted_per_second_than_allowed() -> None:
    delivery, entered = odoo_delivery(MemoryOdoo(context=PlanContext()), per_second=20)
    began_s = asyncio.get_running_loop().time()
    for _ in range(3):
        await outcomes_of(delivery, entered, START)
    assert asyncio.get_running_loop().time() - began_s >= 2 / 20


def looking(odoo: MemoryOdoo) -> tuple[Delivery, asyncio.Queue[Input]]:
    """A delivery to an Odoo without an inbox, where calls may go on for two minutes."""
    entered: asyncio.Queue[Input] = asyncio.Queue(10)
    carrier = OdooCarrier(odoo, batch=10, per_second=1000, checked=lambda _: None, server_limit_ms=SERVER_LIMIT_MS)
    return Delivery(carrier, entered.put), entered


def claimed(attempt_ms: int) -> Entry:
    """Claimed for an attempt of so long."""
    return msgspec.structs.replace(START, not_before_ms=START.changed_ms + attempt_ms + SERVER_LIMIT_MS)


async def test_without_the_inbox_each_entry_is_a_batch_of_its_own() -> None:
    delivery, entered = looking(MemoryOdoo(context=PlanContext(), look_first=True))
    assert delivery.batch == 1
    await outcomes_of(delivery, entered, claimed(60_000))
    assert delivery.batch == 1


async def test_where_the_inbox_turns_out_to_be_there_batches_are_as_large_as_the_settings_say() -> None:
    delivery, entered = looking(MemoryOdoo(context=PlanContext()))
    assert delivery.batch == 1
    await outcomes_of(delivery, entered, claimed(60_000))
    assert delivery.batch == 10


async def test_a_claim_that_was_stored_too_late_is_given_back_without_a_call() -> None:
    odoo = MemoryOdoo(context=PlanContext(), look_first=True)
    delivery, entered = looking(odoo)
    outcome = await outcomes_of(delivery, entered, claimed(60_000), stored_in_s=60)
    assert (outcome.keys, outcome.uncertain, odoo.effects) == (("start",), False, [])


class Silent(MemoryOdoo):
    """An Odoo that never answers `post`."""

    asked = 0

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        self.asked += 1
        await asyncio.Event().wait()
        return ()


async def test_an_attempt_ends_before_its_entry_may_be_looked_at_again() -> None:
    delivery, entered = looking(Silent(context=PlanContext(), look_first=True))
    outcome = await outcomes_of(delivery, entered, claimed(50))
    assert (outcome.keys, outcome.uncertain) == (("start",), True)


async def test_nothing_is_sent_again_while_the_attempt_before_may_go_on_whatever_the_clock_says() -> None:
    """The core asks too early where its clock was set ahead in between."""
    odoo = Silent(context=PlanContext(), look_first=True)
    delivery, entered = looking(odoo)
    await outcomes_of(delivery, entered, claimed(50))
    again = await outcomes_of(delivery, entered, claimed(60_000))
    assert (odoo.asked, again.keys, again.uncertain) == (1, ("start",), True)
    assert SERVER_LIMIT_MS - 5_000 < again.retry_after_ms <= SERVER_LIMIT_MS


async def test_what_the_core_knows_of_an_order_goes_out_with_its_entries() -> None:
    odoo = Noting(context=PlanContext(), look_first=True)
    delivery, entered = looking(odoo)
    standing = Standing(quantity=Decimal(5))
    async with running(delivery.run()):
        delivery.send(Send(Destination.ODOO, (claimed(60_000),), {START.lane: standing}))
        await asyncio.wait_for(entered.get(), 5)
    assert [job.standing for job in odoo.asked] == [standing]


class Noting(MemoryOdoo):
    """An Odoo that notes what it is asked."""

    asked: Sequence[Job] = ()

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        self.asked = batch
        return await super().post(batch)


def publication(order: str) -> Entry:
    body = f'{{"topic": "uns/{order}", "document": {{"order": "{order}"}}}}'.encode()
    return entry(f"publish:{order}", body, f"publish:{order}")


async def test_a_publication_is_delivered_when_the_broker_has_it_retained() -> None:
    broker, entered = MemoryBroker(), asyncio.Queue[Input](10)
    link = MemoryLink(broker, settings("bridge"), [])
    async with running(link.run()):
        assert isinstance(await link.next_event(), LinkUp)
        outcome = await outcomes_of(
            Delivery(BrokerCarrier(link), entered.put), entered, publication("a"), entry("bad", b"?")
        )
    assert [type(one) for one in outcome.outcomes] == [Applied, Declined]
    assert broker.retained("uns/a") == Publication(topic="uns/a", payload=b'{"order":"a"}', qos=1, retain=True)


async def test_what_was_not_acknowledged_is_uncertain_and_what_was_is_delivered() -> None:
    broker, entered = MemoryBroker(), asyncio.Queue[Input](10)
    link = MemoryLink(broker, settings("bridge"), [])
    async with running(link.run()):
        assert isinstance(await link.next_event(), LinkUp)
        broker.cut_at_next_publish("bridge")
        delivery = Delivery(BrokerCarrier(link), entered.put)
        outcome = await outcomes_of(delivery, entered, publication("a"), publication("b"))
    assert (delivery.destination, outcome.keys, outcome.uncertain) == (
        Destination.BROKER,
        ("publish:a", "publish:b"),
        True,
    )
