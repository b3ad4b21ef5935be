"""What holds of lanes whatever waits in them: who delays whom, who goes first, and what joining totals leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from state.entry import Entry
from state.ledger import BY_AGE_EVERY
from tests.state.outbox_site import ODOO, Site

SCRAP, HOLD, TOTAL, FINISH = "production.scrap", "quality.hold", "production.progress", "workorder.finish"
URGENT, USUAL = 10, 50
MINUTE_MS: Final = 60_000
UNHURRIED: Final = settings(deadline=None, max_examples=50)
LANES = st.sampled_from(["mo-1", "mo-2", "mo-3"])


class Told(NamedTuple):
    """What is offered; of a total, how many pieces are more."""

    lane: str
    action: str
    more: int = 0
    stream: str = ""


def totals(lanes: st.SearchStrategy[str]) -> st.SearchStrategy[Told]:
    return st.builds(Told, lanes, st.just(TOTAL), st.integers(1, 9), st.sampled_from(["good", "rework"]))


def others(lanes: st.SearchStrategy[str]) -> st.SearchStrategy[Told]:
    return st.builds(Told, lanes, st.sampled_from([SCRAP, FINISH]))


class Plant:
    """Offers what is told, and delivers it. `delivered` has it in the order in which it was applied."""

    def __init__(self) -> None:
        self.site = Site()
        self.delivered: list[Entry] = []
        self.now_ms = 0
        self._upto: dict[str, int] = {}
        self._told = 0

    def tell(self, told: Told, priority: int = USUAL) -> str:
        self._told += 1
        if told.action == TOTAL:
            stream = f"{told.lane}/{told.stream}"
            upto = self._upto[stream] = self._upto.get(stream, 0) + told.more
            self.site.total(upto, lane=told.lane, stream=stream)
            return f"progress:{stream}:{upto}"
        self.site.offer(f"{self._told}", told.action, told.lane, priority=priority)
        return f"{self._told}"

    def claim(self, limit: int) -> tuple[Entry, ...]:
        return self.site.outbox.claim(ODOO, now_ms=self.now_ms, limit=limit)

    def apply(self, entries: Sequence[Entry]) -> None:
        self.site.deliver(*(entry.key for entry in entries))
        self.delivered += entries

    def drain(self, limit: int) -> None:
        while batch := self.claim(limit):
            self.apply(batch)


@UNHURRIED
@given(st.lists(st.one_of(totals(LANES), others(LANES)), max_size=40), st.integers(1, 12), st.data())
def test_whatever_is_offered_and_delivered_each_lane_comes_in_its_order(
    told: list[Told], limit: int, data: st.DataObject
) -> None:
    plant = Plant()
    for one in told:
        plant.tell(one)
        if data.draw(st.booleans()):
            plant.apply(plant.claim(limit))
    plant.drain(limit)
    for lane in {one.lane for one in told}:
        numbers = [entry.number for entry in plant.delivered if entry.lane == lane]
        assert numbers == sorted(numbers)


@UNHURRIED
@given(st.lists(st.one_of(totals(LANES), others(LANES)), max_size=40), st.integers(1, 12), st.data())
def test_joining_totals_changes_no_sum_and_moves_no_total_past_another_entry(
    told: list[Told], limit: int, data: st.DataObject
) -> None:
    plant = Plant()
    stood: dict[str, dict[str, int]] = {}
    counted: dict[str, dict[str, int]] = {}
    for one in told:
        sums = counted.setdefault(one.lane, {})
        if one.action == TOTAL:
            sums[f"{one.lane}/{one.stream}"] = sums.get(f"{one.lane}/{one.stream}", 0) + one.more
        key = plant.tell(one)
        if one.action != TOTAL:
            stood[key] = dict(sums)
        if data.draw(st.booleans()):
            plant.apply(plant.claim(limit))
    plant.drain(limit)
    there: dict[str, dict[str, int]] = {}
    for entry in plant.delivered:
        sums = there.setdefault(entry.lane, {})
        if entry.stream is not None and entry.upto is not None:
            sums[entry.stream] = max(int(entry.upto), sums.get(entry.stream, 0))
        else:
            assert sums == stood[entry.key]
    assert {lane: sums for lane, sums in there.items() if sums} == {
        lane: sums for lane, sums in counted.items() if sums
    }


@UNHURRIED
@given(st.lists(others(st.just("mo-1")), max_size=6), st.integers(1, 50))
def test_however_many_totals_wait_one_of_a_stream_is_kept_between_two_entries(told: list[Told], times: int) -> None:
    plant = Plant()
    for one in (*told, None):
        for _ in range(times):
            plant.tell(Told("mo-1", TOTAL, 1, "good"))
        if one is not None:
            plant.tell(one)
    assert len(plant.site.outbox.entries()) == 2 * len(told) + 1


@UNHURRIED
@given(
    st.lists(st.tuples(others(LANES), st.sampled_from(["held", "dead", "declined", ""])), max_size=25),
    st.lists(others(st.sampled_from(["mo-8", "mo-9"])), min_size=1, max_size=10),
    st.integers(1, 8),
)
def test_what_is_held_dead_or_declined_in_one_lane_keeps_back_nothing_of_another(
    stopped: list[tuple[Told, str]], good: list[Told], limit: int
) -> None:
    plant, declined = Plant(), set()
    for number, (told, how) in enumerate(stopped):
        key = f"stopped-{number}"
        hold, dead = ("held", None) if how == "held" else (None, "dead") if how == "dead" else (None, None)
        plant.site.offer(key, told.action, told.lane, hold=hold, dead=dead, priority=URGENT)
        declined |= {key} if how == "declined" else set()
    wanted = {plant.tell(one) for one in good}
    batches = 0
    while batch := plant.claim(limit):
        batches += 1
        failed: set[str] = set()
        for entry in batch:
            if entry.lane in failed:
                plant.site.outbox.passed(entry.key, plant.now_ms)
            elif entry.key in declined:
                failed.add(entry.lane)
                plant.site.outbox.declined(entry.key, "no", "declined", plant.now_ms)
            else:
                plant.apply([entry])
    assert wanted <= {entry.key for entry in plant.delivered}
    assert batches <= len(stopped) + len(good) + len(declined)
    for entry in plant.site.outbox.entries():
        assert entry.state in ("held", "dead") or plant.site.outbox.waiting.waits_for(entry.key) is not None


@UNHURRIED
@given(st.lists(others(LANES), max_size=20), LANES, st.integers(1, 12))
def test_an_entry_that_ends_every_call_it_is_in_delays_other_lanes_by_its_pauses_only(
    told: list[Told], lane: str, limit: int
) -> None:
    plant = Plant()
    plant.site.offer("poison", "odd", lane, priority=URGENT)
    wanted = {plant.tell(one) for one in told if one.lane != lane}
    while not wanted <= {entry.key for entry in plant.delivered}:
        assert plant.now_ms < (len(told) + 1) * 2 * MINUTE_MS
        due_ms = plant.site.outbox.next_due_ms
        assert due_ms is not None
        plant.now_ms = max(plant.now_ms, due_ms)
        batch = plant.claim(limit)
        if "poison" in {entry.key for entry in batch}:
            plant.site.outbox.postponed([entry.key for entry in batch], "no answer", plant.now_ms, uncertain=True)
        else:
            plant.apply(batch)


@UNHURRIED
@given(st.lists(st.one_of(totals(LANES), others(LANES)), min_size=1, max_size=30), LANES)
def test_a_hold_overtakes_all_other_orders_and_nothing_of_its_own(told: list[Told], lane: str) -> None:
    plant = Plant()
    for one in told:
        plant.tell(one)
    hold = plant.tell(Told(lane, HOLD), priority=URGENT)
    waiting = [entry.key for entry in plant.site.outbox.entries()]
    before = [key for key in waiting if (entry := plant.site.outbox.entry(key)) and entry.lane == lane]
    plant.drain(len(waiting))
    assert [entry.key for entry in plant.delivered][: len(before)] == before
    assert before[-1] == hold


@UNHURRIED
@given(st.integers(0, 8), st.integers(1, 5))
def test_an_old_entry_that_is_not_urgent_is_sent_however_many_urgent_ones_keep_coming(older: int, limit: int) -> None:
    plant = Plant()
    waiting = [plant.tell(Told(f"old-{number}", SCRAP)) for number in range(older + 1)]
    claims = 0
    while waiting[-1] not in {entry.key for entry in plant.delivered}:
        claims += 1
        for number in range(limit + 1):
            plant.tell(Told(f"urgent-{claims}-{number}", HOLD), priority=URGENT)
        plant.apply(plant.claim(limit))
        assert claims <= BY_AGE_EVERY * (older // limit + 1)


def test_nine_of_ten_full_batches_go_by_priority() -> None:
    plant = Plant()
    for number in range(20):
        plant.tell(Told(f"old-{number}", SCRAP))
    for number in range(40):
        plant.tell(Told(f"urgent-{number}", HOLD), priority=URGENT)
    batches = [plant.claim(2) for _ in range(20)]
    assert [batch[0].priority for batch in batches] == [*[URGENT] * 9, USUAL, *[URGENT] * 9, USUAL]


def test_a_restarted_outbox_goes_on_counting_towards_the_turn_of_age() -> None:
    site = Site()
    site.offer("old", lane="old")
    for number in range(20):
        site.offer(f"urgent-{number}", HOLD, lane=f"mo-{number}", priority=URGENT)
    for _ in range(BY_AGE_EVERY - 1):
        site.deliver(*site.claim(limit=1))
        site.commit()
        site.crash()
    assert site.claim(limit=1) == ["old"]
