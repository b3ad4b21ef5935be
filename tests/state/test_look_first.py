"""A destination that remembers no keys: its entries wait before they are looked at again, and people decide."""

from __future__ import annotations

import pytest

from state.entry import Entry, EntryState, Offer
from state.outbox import Outbox
from tests.state.outbox_site import ODOO, POLICY, Site

LOOK_AFTER_MS = 120_000
HOUR_MS = 3_600_000


@pytest.fixture
def site() -> Site:
    return Site(look_after_ms={ODOO: LOOK_AFTER_MS})


def entry(site: Site, key: str = "a") -> Entry:
    found = site.outbox.entry(key)
    assert found is not None
    return found


def hold(site: Site, *, uncertain: bool) -> None:
    """An entry that was sent, and then held because of what stands in Odoo."""
    site.offer("a", body=b"5")
    site.claim()
    if uncertain:
        site.outbox.postponed(["a"], "the answer was lost", 0, uncertain=True)
        site.claim(LOOK_AFTER_MS)
    site.outbox.held("a", "30 stand in Odoo, 20 were expected", LOOK_AFTER_MS)


def test_an_uncertain_entry_waits_until_no_attempt_can_run_any_more_and_other_lanes_go_on(site: Site) -> None:
    site.offer("a")
    assert site.claim() == ["a"]
    site.offer("b", lane="mo-2", now_ms=1)
    site.outbox.postponed(["a"], "the answer was lost", 10, uncertain=True)
    assert site.claim(5_000) == ["b"]
    site.outbox.applied("b", b"{}", 5_001)
    assert site.outbox.next_due_ms == LOOK_AFTER_MS
    assert site.claim(LOOK_AFTER_MS - 1) == []
    assert site.claim(LOOK_AFTER_MS) == ["a"]


def test_the_wait_outlives_a_crash(site: Site) -> None:
    site.offer("a")
    site.claim(now_ms=7)
    site.commit()
    site.crash()
    assert site.claim(LOOK_AFTER_MS) == []
    assert site.claim(LOOK_AFTER_MS + 7) == ["a"]
    assert (entry(site).uncertain, entry(site).by_calls) == (True, True)


@pytest.mark.parametrize("later_ms", [60_000, HOUR_MS, -HOUR_MS], ids=["soon", "clock ahead", "clock behind"])
def test_another_process_waits_the_whole_time_by_its_own_clock(site: Site, later_ms: int) -> None:
    site.offer("a")
    site.offer("b", lane="mo-2")
    site.claim(2 * HOUR_MS, limit=1)
    site.commit()
    site.crash()
    began_ms = 2 * HOUR_MS + later_ms
    site.outbox.started(began_ms)
    assert site.claim(began_ms + LOOK_AFTER_MS - 1) == ["b"]
    assert site.claim(began_ms + LOOK_AFTER_MS) == ["a"]


def test_where_keys_are_remembered_another_process_sends_at_once_what_was_claimed() -> None:
    site = Site()
    site.offer("a")
    site.claim()
    site.commit()
    site.crash()
    site.outbox.started(7)
    assert site.claim(7) == ["a"]


def test_an_attempt_that_surely_wrote_nothing_is_repeated_after_its_pause(site: Site) -> None:
    site.offer("a")
    site.claim()
    site.outbox.postponed(["a"], "connection refused", 10)
    assert site.claim(1_010) == ["a"]


def test_a_destination_that_remembers_keys_is_asked_again_at_once_after_a_crash() -> None:
    site = Site()
    site.offer("a")
    site.claim()
    site.commit()
    site.crash()
    assert site.claim() == ["a"]
    assert not entry(site).by_calls


def test_what_a_person_releases_goes_on_from_what_stands(site: Site) -> None:
    hold(site, uncertain=True)
    assert (entry(site).state, entry(site).reason) == (EntryState.HELD, "30 stand in Odoo, 20 were expected")
    assert site.claim(10 * LOOK_AFTER_MS) == []
    site.outbox.act("release", ["a"], by="ana", reason="the ten are mine", now_ms=LOOK_AFTER_MS)
    assert site.claim(LOOK_AFTER_MS) == ["a"]
    assert (entry(site).goes_on, entry(site).uncertain, entry(site).released_by) == (True, True, "ana")


def test_a_release_is_spent_by_an_attempt_that_may_have_been_carried_out(site: Site) -> None:
    hold(site, uncertain=True)
    site.outbox.act("release", ["a"], by="ana", reason="mine", now_ms=0)
    site.claim(0)
    site.outbox.postponed(["a"], "connection refused", 1)
    site.claim(60_000)
    assert entry(site).goes_on
    site.outbox.postponed(["a"], "the answer was lost", 60_001, uncertain=True)
    site.claim(60_000 + LOOK_AFTER_MS)
    assert not entry(site).goes_on


def test_a_release_is_spent_by_a_crash(site: Site) -> None:
    hold(site, uncertain=False)
    site.outbox.act("release", ["a"], by="ana", reason="mine", now_ms=0)
    site.claim(0)
    site.commit()
    site.crash()
    assert site.claim(LOOK_AFTER_MS) == ["a"]
    assert (entry(site).goes_on, entry(site).uncertain) == (False, True)


def test_what_a_person_skips_is_never_sent(site: Site) -> None:
    hold(site, uncertain=True)
    site.outbox.act("skip", ["a"], by="ana", reason="it stands", now_ms=0)
    assert site.states() == {"a": EntryState.SKIPPED}


@pytest.mark.parametrize(("uncertain", "offer"), [(True, Offer.WAITING), (False, Offer.REPLACED)])
def test_other_content_takes_the_place_of_a_held_entry_only_if_the_first_surely_does_not_stand(
    site: Site, uncertain: bool, offer: Offer
) -> None:
    hold(site, uncertain=uncertain)
    assert site.offer("a", body=b"4") is offer
    assert entry(site).body == (b"5" if uncertain else b"4")


def test_a_released_total_is_not_joined_with_others() -> None:
    site = Site(look_after_ms={ODOO: LOOK_AFTER_MS})
    site.total(5)
    site.claim()
    site.outbox.held("progress:mo-1/good:5", "7 stand in Odoo", 0)
    site.outbox.act("release", ["progress:mo-1/good:5"], by="ana", reason="mine", now_ms=0)
    site.total(9)
    assert site.claim() == ["progress:mo-1/good:5", "progress:mo-1/good:9"]


def test_a_total_that_is_declined_may_still_stand_by_an_earlier_attempt(site: Site) -> None:
    site.total(5)
    site.claim()
    site.outbox.postponed(["progress:mo-1/good:5"], "the answer was lost", 0, uncertain=True)
    site.claim(LOOK_AFTER_MS)
    site.outbox.declined("progress:mo-1/good:5", "AccessError", "no right to read orders", LOOK_AFTER_MS)
    site.outbox.act("replay", ["progress:mo-1/good:5"], by="ana", reason="right given", now_ms=LOOK_AFTER_MS)
    site.total(9)
    assert site.claim(LOOK_AFTER_MS) == ["progress:mo-1/good:5", "progress:mo-1/good:9"]
    assert [entry(site, f"progress:mo-1/good:{upto}").uncertain for upto in (5, 9)] == [True, False]


def test_a_held_entry_keeps_back_what_must_not_happen_before_it(site: Site) -> None:
    site.offer("a", action="workorder.start")
    site.offer("b", action="workorder.finish")
    site.offer("c", action="production.progress")
    assert site.claim(limit=1) == ["a"]
    site.outbox.held("a", "somebody works on it", 0)
    assert site.claim() == ["c"]


def test_an_outbox_without_the_wait_reads_what_one_with_it_wrote() -> None:
    site = Site(look_after_ms={ODOO: LOOK_AFTER_MS})
    site.offer("a")
    site.claim()
    site.commit()
    other = Outbox(POLICY)
    other.restore(site.records)
    assert other.claim(ODOO, now_ms=LOOK_AFTER_MS - 1, limit=9) == ()
    assert [one.by_calls for one in other.claim(ODOO, now_ms=LOOK_AFTER_MS, limit=9)] == [True]


def test_who_decides_is_told_that_a_held_entry_may_stand_already(site: Site) -> None:
    hold(site, uncertain=True)
    (prediction,) = site.outbox.act("release", ["a"], by="ana", reason="", now_ms=0, dry_run=True)
    assert prediction.text == (
        "will be sent; was held: 30 stand in Odoo, 20 were expected, and may stand at its destination already"
    )
