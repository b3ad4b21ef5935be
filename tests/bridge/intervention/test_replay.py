"""Dead letters that a rule made: decided anew when the cause is mended, foreseen before it is done."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from bridge.core.input import ActKind
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from ruleset.refused.retrial import Retrial
from ruleset.rules import Rules
from ruleset.transaction import Scrap, decode
from state.entry import EntryState, FollowUp
from state.intervention import Prediction
from tests.bridge.intervention.story import MAPPED, Site, check_what_was_foreseen, content


@pytest.fixture
def site() -> Site:
    return Site(MemoryOdoo(context=PlanContext(units={"pcs": "Units", "kg": "kg"}, over=Decimal("0.05"))))


def scrap(site: Site, key: str) -> Scrap:
    transaction = decode(site.entry(key).body)
    assert isinstance(transaction, Scrap)
    return transaction


async def test_after_a_wrong_mapping_the_run_does_exactly_what_the_dry_run_said(site: Site) -> None:
    await check_what_was_foreseen(site, 312, 2)


def test_what_a_rule_refused_is_decided_by_what_is_live_now_under_the_same_key(site: Site) -> None:
    key = site.scrapped("1", qty=4)
    assert (site.entry(key).state, site.entry(key).reason) == (
        EntryState.DEAD,
        "scrap reason S77 is not in codes.yaml",
    )
    site.promoted(MAPPED)
    site.act()
    posted = scrap(site, key)
    assert (site.entry(key).state, posted.key, posted.order, posted.quantity, posted.reason) == (
        EntryState.PENDING,
        key,
        "mo-1",
        Decimal(4),
        "Flash",
    )
    noted = site.entry(key).history[-1]
    assert (noted.what.partition(";")[0], noted.by) == ("replay: mapped now", "ada")


def test_what_is_still_refused_stays_dead_with_the_reason_of_today(site: Site) -> None:
    key = site.scrapped("1")
    site.promoted("S78: Flash")
    (said,) = site.steps()
    assert (said.prediction.would, said.prediction.text) == (
        EntryState.DEAD,
        "rule scrap still refuses it: scrap reason S77 is not in codes.yaml",
    )
    site.act()
    assert site.entry(key).state is EntryState.DEAD


def test_the_same_fact_told_again_after_a_replay_is_the_same_entry(site: Site) -> None:
    key = site.scrapped("1")
    site.promoted(MAPPED)
    site.act()
    replayed = site.entry(key)
    assert site.scrapped("1") == key
    assert msgspec.json.decode(site.entry(key).body)["quantity"] == "1"
    assert (site.states(), site.entry(key).number) == ({EntryState.PENDING: 1}, replayed.number)


def test_what_no_rule_decides_any_more_is_left_as_it_is(site: Site) -> None:
    key = site.scrapped("1")
    without = [each for each in content(MAPPED).rules.instances if each.rule != "scrap"]
    site.core.floor.retrial = Retrial(Rules(rules=(), instances=tuple(without)), site.core.floor.assets)
    (said,) = site.steps()
    assert said.prediction == Prediction(
        key,
        None,
        "there is no rule scrap at acme/berlin/machining/press-1 any more; skip it, or let the event come again",
    )


def test_what_an_earlier_bridge_kept_without_what_the_rule_saw_is_not_guessed(site: Site) -> None:
    key = site.scrapped("1")
    body = msgspec.json.decode(site.entry(key).body)
    del body["saw"]
    told = FollowUp(body=msgspec.json.encode(body), content_hash="old", at_ms=1, lane="mo-1", priority=1, dead="as was")
    site.core.outbox.take(key, told, action="production.scrap", destination="odoo")
    assert [(one.prediction.would, one.prediction.text) for one in site.steps()] == [
        (None, "what the rule saw was not kept with it; skip it, or let the event come again")
    ]


def test_a_value_that_its_source_cannot_mend_is_corrected_by_a_person_and_says_so(site: Site) -> None:
    key = site.scrapped("1", qty=400)
    site.act(ActKind.CORRECT, **{"scrap.reason": "S04", "scrap.qty": "4"})
    posted = scrap(site, key)
    assert (posted.quantity, posted.reason) == (Decimal(4), "Wrong dimension")
    assert (posted.provenance.corrected_by, posted.provenance.corrected) == (
        "ada",
        {"scrap.reason": "S04", "scrap.qty": "4"},
    )
    assert site.entry(key).history[-1].what.startswith("correct scrap.reason=S04 scrap.qty=4: mapped now")


async def test_a_transaction_that_odoo_declined_is_corrected_field_by_field(site: Site) -> None:
    key = site.scrapped("1", reason="S01", qty=400)
    assert isinstance(site.odoo, MemoryOdoo)
    site.odoo.refusals[key] = "quantity"
    await site.drain()
    assert site.entry(key).state is EntryState.DEAD
    assert [one.text for one in await site.foreseen()] == ["Odoo would decline it: quantity: declined by the test"]
    del site.odoo.refusals[key]
    site.act(ActKind.CORRECT, quantity="4")
    await site.drain()
    (effect,) = [each for each in site.odoo.effects if each.key == key]
    assert (effect.p["qty"], site.state(key)) == ("4", EntryState.DELIVERED)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"key": "other"}, "key cannot be corrected; these can: quantity, unit, reason, product, lot"),
        ({"quantity": "four"}, "quantity=four: "),
    ],
)
async def test_a_correction_that_cannot_be_is_a_sentence(site: Site, values: dict[str, str], text: str) -> None:
    key = site.scrapped("1", reason="S01")
    assert isinstance(site.odoo, MemoryOdoo)
    site.odoo.refusals[key] = "quantity"
    await site.drain()
    (said,) = site.steps(ActKind.CORRECT, **values)
    assert (said.prediction.would, said.prediction.text.startswith(text)) == (None, True)


def test_a_value_that_the_rule_never_saw_cannot_be_corrected(site: Site) -> None:
    site.scrapped("1")
    (said,) = site.steps(ActKind.CORRECT, quantity="4")
    assert said.prediction.text.startswith("the rule saw no quantity; it saw ")


async def test_an_odoo_that_cannot_be_asked_is_said_and_the_act_is_possible_all_the_same(site: Site) -> None:
    site.scrapped("1")
    site.promoted(MAPPED)
    assert isinstance(site.odoo, MemoryOdoo)
    site.odoo.down = True
    (said,) = await site.foreseen()
    assert (said.would, "(Odoo could not be asked: connection refused)" in said.text) == (EntryState.PENDING, True)
