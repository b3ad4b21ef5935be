"""What waits is found without a look at the rest, and what is kept for that does not grow with traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from state.entry import EntryState
from state.lane import LaneId
from state.waiting.earliest import FEW, Earliest
from tests.counted import steps_of
from tests.state.outbox_site import ODOO, Site


def outbox_with(entries: int) -> Site:
    """So many lanes in which nothing can be sent, and one with a completion that is on its way."""
    site = Site()
    site.offer("complete", "production.complete", lane="mo-1")
    site.claim()
    for number in range(entries):
        site.offer(f"held-{number}", lane=f"held-{number}", hold="too many", now_ms=number)
        site.offer(f"dead-{number}", lane=f"dead-{number}", dead="no mapping", now_ms=number)
    return site


def test_what_is_asked_often_costs_the_same_however_much_waits() -> None:
    def ask(site: Site) -> None:
        waiting = site.outbox.waiting
        assert [one.key for one in waiting.lane(LaneId(ODOO, "mo-1"))] == ["complete"]
        assert [one.key for state in EntryState if (one := waiting.oldest(state))] == ["held-0", "complete", "dead-0"]
        assert waiting.oldest_pending_ms == 0
        assert site.outbox.entries(EntryState.CLAIMED) == tuple(waiting.lane(LaneId(ODOO, "mo-1")))
        assert waiting.depth()[EntryState.CLAIMED] == 1

    few, many = outbox_with(10), outbox_with(1_000)
    assert steps_of(lambda: ask(few)) == steps_of(lambda: ask(many))


def test_the_oldest_of_a_state_is_the_one_that_is_in_it_for_longest(site: Site) -> None:
    for key in "ab":
        site.offer(key, lane=key, dead="no mapping")
    site.outbox.act("replay", "a", by="ann", reason="mapped", now_ms=1)
    (claimed,) = site.claim(now_ms=2)
    site.outbox.declined(claimed, "no_stock", "none", 3)
    for _ in range(2):
        oldest = site.outbox.waiting.oldest(EntryState.DEAD)
        assert oldest is not None
        assert (oldest.key, site.outbox.waiting.oldest(EntryState.HELD)) == ("b", None)
        site.commit()
        site.crash()


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.integers(0, 5))))
def test_the_earliest_is_that_of_what_is_there_in_whatever_order_it_came_and_went(
    told: list[tuple[str, int | None]],
) -> None:
    earliest, there = Earliest[str](), dict[str, int]()
    for name, at_ms in told:
        if at_ms is None:
            earliest.drop(name)
            there.pop(name, None)
        else:
            earliest.put(name, at_ms)
            there[name] = at_ms
        assert earliest.first() == min(((at_ms, name) for name, at_ms in there.items()), default=None)
        assert set(earliest) == there.keys()


def test_moments_that_are_out_of_date_do_not_pile_up_behind_one_that_stays() -> None:
    earliest = Earliest[str]()
    earliest.put("stays", 0)
    most = 0
    for number in range(10_000):
        earliest.put(f"passes-{number}", 1 + number)
        most = max(most, earliest.kept)
        earliest.drop(f"passes-{number}")
    assert most <= 3 * 2 + FEW + 1
    assert earliest.first() == (0, "stays")
