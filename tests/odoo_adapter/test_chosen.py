"""Which way postings go is asked once, never guessed; and what was begun the one way is finished the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from odoo_adapter.chosen import NO_INBOX, ChosenOdoo
from odoo_adapter.errors import OdooError, Refused, Unavailable
from odoo_adapter.memory import Fault, MemoryOdoo
from odoo_adapter.odoo import INBOX, LOOK_FIRST, Applied, Held, Job, OdooInfo, Passed
from ruleset.transaction import Transaction
from tests.odoo_adapter.situations import disposition, jobs, progress
from tests.odoo_adapter.test_memory import UNITS, bench

MISSING = Refused(NO_INBOX, "the inbox is not there")


class Inbox(MemoryOdoo):
    """The inbox of an Odoo, which cannot be used while there is `error`."""

    def __init__(self, error: OdooError | None = None) -> None:
        super().__init__(context=UNITS)
        self.error = error

    async def check(self) -> OdooInfo:
        if self.error is not None:
            raise self.error
        return await super().check()


def chosen(inbox: Inbox, *, may_look_first: bool = True) -> tuple[ChosenOdoo, MemoryOdoo]:
    look_first = MemoryOdoo(context=UNITS, look_first=True)
    return ChosenOdoo(inbox, look_first, may_look_first=may_look_first), look_first


async def applied(odoo: ChosenOdoo, batch: Sequence[Job]) -> list[bool]:
    """Whether each stood before."""
    return [one.receipt.repeated for one in await odoo.post(batch) if isinstance(one, Applied)]


async def test_the_inbox_is_taken_where_it_is() -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox)
    assert (await odoo.check()).mode == INBOX
    assert await applied(odoo, jobs(disposition(bench(inbox), "mo-1"))) == [False]
    assert (len(inbox.effects), len(look_first.effects)) == (1, 0)


async def test_without_an_inbox_the_bridge_looks_first_and_goes_on_so_when_one_is_installed() -> None:
    inbox = Inbox(MISSING)
    odoo, look_first = chosen(inbox)
    assert (await odoo.check()).mode == LOOK_FIRST
    inbox.error = None
    assert (await odoo.check()).mode == LOOK_FIRST
    await odoo.post(jobs(disposition(bench(inbox), "mo-1")))
    assert (len(inbox.effects), len(look_first.effects)) == (0, 1)


async def test_what_is_posted_or_looked_up_before_the_first_check_asks_for_the_way() -> None:
    inbox = Inbox(MISSING)
    odoo, look_first = chosen(inbox)
    assert await odoo.look_up(jobs(disposition(bench(inbox), "mo-1"))) == {}
    assert (await odoo.read_orders("")).orders == ()
    assert await applied(odoo, jobs(disposition(bench(inbox), "mo-1"))) == [False]
    assert len(look_first.effects) == 1


@pytest.mark.parametrize(
    "error", [Refused("not_installed", "no right"), Refused("inbox_version", "old"), Unavailable("away")], ids=str
)
async def test_an_inbox_that_cannot_be_used_is_never_passed_by(error: OdooError) -> None:
    inbox = Inbox(error)
    odoo, look_first = chosen(inbox)
    for _ in range(2):
        with pytest.raises(type(error)):
            await odoo.post(jobs(disposition(bench(inbox), "mo-1")))
    inbox.error = None
    assert (await odoo.check()).mode == INBOX
    assert look_first.effects == []


async def test_where_the_inbox_is_required_a_missing_one_is_refused() -> None:
    odoo, _ = chosen(Inbox(MISSING), may_look_first=False)
    with pytest.raises(Refused, match="not there"):
        await odoo.check()


@pytest.mark.parametrize("may_look_first", [True, False])
async def test_what_was_begun_without_the_inbox_and_stands_is_not_posted_again(may_look_first: bool) -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox, may_look_first=may_look_first)
    transaction, later = disposition(bench(inbox), "mo-1"), disposition(bench(inbox), "mo-1", "reject")
    await look_first.post(jobs(transaction))
    batch = [begun(transaction), *jobs(later)]
    assert set(await odoo.look_up(batch)) == {transaction.key}
    assert [type(one) for one in await odoo.post(batch)] == [Applied, Passed]
    assert await applied(odoo, jobs(later)) == [False]
    assert [effect.key for effect in inbox.effects] == [later.key]
    assert [effect.key for effect in look_first.effects] == [transaction.key]


async def test_what_was_begun_without_the_inbox_is_finished_without_it_after_what_comes_before_it() -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox)
    before, transaction = disposition(bench(inbox), "mo-1"), disposition(bench(inbox), "mo-2")
    batch = [*jobs(before), begun(transaction)]
    assert [type(one) for one in await odoo.post(batch)] == [Applied, Passed]
    assert await applied(odoo, [begun(transaction)]) == [False]
    assert await applied(odoo, [begun(transaction)]) == [True]
    assert [[effect.key for effect in one.effects] for one in (inbox, look_first)] == [
        [before.key],
        [transaction.key],
    ]


async def test_a_count_that_was_begun_without_the_inbox_is_held_where_a_person_edited_meanwhile() -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox)
    count = progress(bench(inbox), "mo-1", 5)
    look_first.totals["mo-1"] = Decimal(7)
    assert [type(one) for one in await odoo.post([begun(count)])] == [Held]
    assert (inbox.effects, look_first.effects) == ([], [])


async def test_where_looking_first_is_not_allowed_any_more_a_person_decides_what_becomes_of_what_was_begun_so() -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox, may_look_first=False)
    doubtful = begun(disposition(bench(inbox), "mo-1"))
    assert [type(one) for one in await odoo.post([doubtful])] == [Held]
    assert (inbox.effects, look_first.effects) == ([], [])
    assert await applied(odoo, [replace(doubtful, released=True)]) == [False]
    assert (len(inbox.effects), len(look_first.effects)) == (1, 0)


async def test_what_only_the_inbox_was_asked_for_is_sent_to_it_again() -> None:
    inbox = Inbox()
    odoo, look_first = chosen(inbox)
    transaction = disposition(bench(inbox), "mo-1")
    inbox.faults.append(Fault.BEFORE)
    with pytest.raises(Unavailable):
        await odoo.post(jobs(transaction))
    assert await applied(odoo, [begun(transaction)]) == [False]
    assert (len(inbox.effects), len(look_first.effects)) == (1, 0)


def begun(transaction: Transaction) -> Job:
    """A job of which an attempt without the inbox had no answer."""
    return Job(transaction=transaction, uncertain=True, by_calls=True)
