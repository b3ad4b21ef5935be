"""What Odoo would answer is foreseen by reading, and is what it answers; and 312 dead letters of a wrong mapping."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from odoo_adapter.chosen import ChosenOdoo
from odoo_adapter.odoo import Applied, Declined
from ruleset.transaction import OrderRef, Transaction
from tests.bridge.intervention.story import Site, check_what_was_foreseen
from tests.live_odoo.postings import completion, component_scrap, consume, downtime, lot, maintenance, note, scrap
from tests.odoo_adapter.situations import Bench, both_modes, complete

mode = both_modes

Build = Callable[[Bench, str], Awaitable[Transaction]]
KINDS: tuple[Build, ...] = (scrap, component_scrap, consume, lot, downtime, note, maintenance, completion)


@pytest.fixture
def asked(bench: Bench, benches: Callable[..., Bench], mode: str) -> Bench:
    """The bench as the bridge has it: with the inbox, it looks at Odoo as without it before it lets anything go."""
    if mode == "look-first":
        return bench
    return replace(bench, odoo=ChosenOdoo(bench.odoo, benches("look-first").odoo, may_look_first=False))


@pytest.mark.parametrize("build", KINDS, ids=lambda build: build.__name__)
async def test_what_is_not_there_is_foreseen_to_be_posted_and_then_to_stand(build: Build, asked: Bench) -> None:
    transaction = await build(asked, await asked.order(10))
    before = await asked.odoo.foresee([asked.job(transaction)])
    assert before == {}
    (posted,) = await asked.post([transaction])
    assert isinstance(posted, Applied)
    found = (await asked.odoo.foresee([asked.job(transaction)]))[transaction.key]
    assert isinstance(found, Applied)
    assert (found.receipt.model, found.receipt.id) == (posted.receipt.model, posted.receipt.id)


async def lost_lot(bench: Bench, order: str) -> Transaction:
    return structs.replace(await component_scrap(bench, order), lot="nowhere")


async def unknown_product(bench: Bench, order: str) -> Transaction:
    return structs.replace(await component_scrap(bench, order), product="NOTHING-OF-THIS-NAME")


async def no_order(bench: Bench, order: str) -> Transaction:
    return structs.replace(await scrap(bench, order), order=OrderRef("mo-999999999"))


async def too_much(bench: Bench, order: str) -> Transaction:
    return structs.replace(complete(bench, order), quantity=Decimal(99))


@pytest.mark.parametrize("build", [lost_lot, unknown_product, no_order, too_much], ids=lambda build: build.__name__)
async def test_what_odoo_would_decline_is_foreseen_with_its_reason(build: Build, asked: Bench) -> None:
    transaction = await build(asked, await asked.order(10))
    foreseen = await asked.odoo.foresee([asked.job(transaction)])
    (outcome,) = await asked.post([transaction])
    assert isinstance(outcome, Declined)
    said = foreseen[transaction.key]
    assert isinstance(said, Declined)
    assert said.code == outcome.code


async def test_other_content_under_a_key_that_stands_is_foreseen_to_be_declined(asked: Bench) -> None:
    first = await scrap(asked, await asked.order(10))
    await asked.post([first])
    other = structs.replace(first, quantity=Decimal(4))
    foreseen = (await asked.odoo.foresee([asked.job(other)]))[first.key]
    assert isinstance(foreseen, Declined)
    assert foreseen.code == "conflict"


async def test_after_a_wrong_mapping_the_run_does_exactly_what_the_dry_run_said(asked: Bench, mode: str) -> None:
    count, there = (312, 2) if mode == "inbox" else (24, 2)
    order = await asked.order(1000)
    await check_what_was_foreseen(Site(asked.odoo), count, there, order=order, of=f"{asked.fresh}-")
