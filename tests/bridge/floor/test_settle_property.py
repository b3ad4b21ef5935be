"""Whatever order an outage is told in, and whatever befalls the bridge meanwhile, the rules see one story."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleset.sample import Event, Fresh, Observation, Sample, Source, Stale
from ruleset.transaction import Progress
from tests.bridge.floor.outage import GRACE_MS, Site, running
from tests.ruleset.floor import LINE, PRESS

WHERE = st.sampled_from([LINE, PRESS])
SIGNAL = {LINE: "good_count", PRESS: "vibration_rms"}


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that happens to the settler. `at_ms` is a device's time, relative to now."""

    kind: str
    where: str
    at_ms: int
    value: int
    pause_ms: int


CALLS = st.lists(
    st.builds(
        Call,
        kind=st.sampled_from(["birth", "stored", "stored", "stored", "live", "document", "death", "away", "start"]),
        where=WHERE,
        at_ms=st.integers(-60_000, 2_000),
        value=st.integers(0, 5),
        pause_ms=st.sampled_from([0, 0, 1, 2_000, 4_000, 20_000]),
    ),
    max_size=25,
)


def observations(call: Call, now_ms: int, number: int) -> list[Observation]:
    """What a call tells, each message told apart by its value or id."""
    topic, at_ms = f"spBv1.0/{call.where}", now_ms + call.at_ms
    source, value = Source(topic=topic, seq=number % 256), number * 10 + call.value
    signal = SIGNAL[call.where]
    match call.kind:
        case "birth" | "stored" | "live":
            sample = Sample(
                equipment=call.where,
                signal=signal,
                value=value,
                at_ms=at_ms,
                source=source,
                birth=call.kind == "birth",
                historical=call.kind == "stored",
            )
            fresh = [Fresh(equipment=call.where, at_ms=now_ms)] if call.kind == "birth" else []
            return [*fresh, sample]
        case "document":
            source = Source(topic=f"uns/v1/{call.where}/x")
            return [Event(equipment=call.where, signal="x", id=str(value), fields={}, at_ms=at_ms, source=source)]
        case _:
            return [Stale(equipment=call.where, at_ms=now_ms, reason="NDEATH")]


def perform(calls: list[Call], *, restarting: bool) -> tuple[Site, list[Observation]]:
    """A site to which all this happened, and what of it was told and not known before."""
    site, told = running(at_ms=100_000), list[Observation]()
    for number, call in enumerate(calls):
        site.after(call.pause_ms)
        if call.kind == "start" and restarting:
            site.restarts()
        elif call.kind == "start":
            site.engine.started(site.now_ms)
        if call.kind in ("away", "start"):
            site.settler.away(site.now_ms)
            continue
        site.after(0)
        new = observations(call, site.now_ms, number + 1)
        told += [
            each for each in new if not (isinstance(each, Sample) and each.historical and site.engine.is_told(each))
        ]
        site.tells(*new)
    site.after(2 * GRACE_MS)
    return site, told


def what(each: Observation) -> str:
    """What identifies a sample or an event wherever it is placed; nothing for births and deaths."""
    match each:
        case Sample(value=value):
            return f"{each.equipment} {value}"
        case Event(id=id):
            return f"{each.equipment} {id}"
        case _:
            return ""


@settings(deadline=None, max_examples=150)
@given(CALLS)
def test_a_restart_between_any_two_calls_changes_nothing_in_what_is_given(calls: list[Call]) -> None:
    (one, _), (other, _) = perform(calls, restarting=True), perform(calls, restarting=False)
    assert (one.given, one.outputs, one.waiting) == (other.given, other.outputs, [])


@settings(deadline=None, max_examples=150)
@given(CALLS)
def test_all_that_is_told_is_given_once_except_history_that_is_known(calls: list[Call]) -> None:
    site, told = perform(calls, restarting=True)
    late = {what(each) for flush in site.flushes for each in flush if isinstance(each, Sample) and each.historical} | {
        ""
    }
    wanted = Counter(name for name in map(what, told) if name not in late)
    assert Counter(name for flush in site.flushes for name in map(what, flush) if name not in late) == wanted


@settings(deadline=None, max_examples=150)
@given(CALLS)
def test_within_a_flush_the_time_of_an_equipment_never_goes_back(calls: list[Call]) -> None:
    site, _ = perform(calls, restarting=False)
    wrong: list[str] = []
    for flush in site.flushes:
        times: dict[str, list[int]] = defaultdict(list)
        for each in flush:
            if isinstance(each, Sample) and not each.historical:
                times[each.equipment].append(each.at_ms)
        wrong += [path for path, each in times.items() if any(later < sooner for sooner, later in pairwise(each))]
    assert wrong == []


@dataclass(frozen=True, slots=True)
class Piece:
    """What the line does in one second: it changes its order or makes pieces; and who hears of it."""

    order: str | None
    made: int
    event: str


DAY = st.lists(
    st.builds(
        Piece,
        order=st.sampled_from([None, None, None, "", "mo-1", "mo-2"]),
        made=st.integers(0, 9),
        event=st.sampled_from(["", "", "", "node dies", "node is back", "bridge restarts", "session breaks"]),
    ),
    max_size=30,
)


@dataclass(slots=True)
class Line:
    """A packaging line that stores what nobody hears, and sends it after its next birth, perhaps twice."""

    site: Site
    often: int
    old_times: bool
    order: str = "mo-1"
    good: int = 100
    heard: bool = True
    stored: list[tuple[int, str, int | str]] = field(default_factory=list)

    def tells(self, signal: str, value: int | str) -> None:
        if self.heard:
            self.site.tells(self.site.sample(LINE, signal, self.site.now_ms, value))
        else:
            self.stored.append((self.site.now_ms, signal, value))

    def is_back(self) -> None:
        self.heard = True
        ago = {"good_count": 40_000, "order": 40_000} if self.old_times else {}
        self.site.born(ago=ago, order=self.order, good_count=self.good)
        for _ in range(self.often):
            for at_ms, signal, value in self.stored:
                self.site.tells(self.site.sample(LINE, signal, at_ms, value, historical=True))
        self.stored.clear()

    def meets(self, event: str) -> None:
        match event:
            case "node dies" if self.heard:
                self.heard = False
                self.site.dies(LINE)
            case "node is back" if not self.heard:
                self.is_back()
            case "bridge restarts":
                self.heard = False
                self.site.restarts()
            case "session breaks":
                self.heard = False
                self.site.settler.away(self.site.now_ms)
                self.site.dies(LINE, PRESS)
            case _:
                pass


@settings(deadline=None, max_examples=200)
@given(DAY, st.integers(1, 2), st.booleans())
def test_outages_change_no_sum_where_the_node_stores_what_nobody_hears(
    day: list[Piece], often: int, old_times: bool
) -> None:
    site = running(at_ms=100_000)
    line, made = Line(site, often, old_times), defaultdict[str, int](int)
    for piece in day:
        line.meets(piece.event)
        site.after(500)
        if piece.order is not None and piece.order != line.order:
            line.order = piece.order
            line.tells("order", line.order)
        site.after(500)
        if piece.made:
            line.good += piece.made
            made[line.order] += piece.made
            line.tells("good_count", line.good)
    if not line.heard:
        line.is_back()
    site.after(100_000)
    totals = {str(each.order): each.upto for each in site.posted if isinstance(each, Progress)}
    assert totals == {order: Decimal(each) for order, each in made.items() if order and each}


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9)), max_size=20), st.randoms(use_true_random=False))
def test_history_in_any_order_and_sent_twice_is_the_same_story(readings: list[tuple[int, int]], random: Random) -> None:
    one, other = running(at_ms=100_000), running(at_ms=100_000)
    good = 100
    history: list[tuple[int, int]] = []
    for at_ms, steps in sorted(dict(readings).items()):
        good += steps
        history.append((100_000 + at_ms * 1_000, good))
    shuffled = history * 2
    random.shuffle(shuffled)
    for site, sent in ((one, history), (other, shuffled)):
        site.dies(LINE)
        site.after(500_000)
        site.born(order="mo-1", good_count=good)
        for at_ms, count in sent:
            site.stored(at_ms, good_count=count)
        site.after(100_000)
    assert [each for each, _ in groupby(one.given)] == [each for each, _ in groupby(other.given)]
    assert one.said == other.said


@pytest.mark.parametrize("dies_between", [True, False])
def test_readings_of_one_millisecond_that_are_sent_twice_are_no_counter_that_is_set_back(dies_between: bool) -> None:
    site = running(at_ms=100_000)
    site.dies(LINE)
    site.after(500_000)
    for again in (False, True):
        if dies_between or not again:
            site.dies(LINE)
            site.born(good_count=120)
        for count in (110, 115):
            site.stored(200_000, good_count=count)
    site.after(60_000)
    assert site.said == ["progress mo-1 epoch 0 upto 15 pcs", "progress mo-1 epoch 0 upto 20 pcs"]
