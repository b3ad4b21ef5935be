"""Properties of the whole engine: nothing that happens to the bridge changes what is posted in the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ruleset.form.vocabulary import ACTIONS, PROGRESS
from ruleset.output import Post
from ruleset.transaction import Progress
from tests.ruleset.floor import LINE, START_MS, Floor

RULE = """
- rule: progress
  assets: "packaging/*"
  order: running
  collect: {{good: {{delta: good_count}}}}
  post: {{{window}}}
  do: production.progress
  with: {{quantity: good}}
"""
WINDOWS = (
    "every: 60s",
    "every: 1s, and_when_changes: [order]",
    'every: 7s, or: "good >= 3"',
    'or: "good >= 10", and_when_changes: [order]',
)
TOP = 65_536


@dataclass(frozen=True, slots=True)
class Step:
    """What the line does next, and what befalls the bridge meanwhile."""

    made: int
    turn: str
    order: str | None
    restart: bool
    births: int
    as_birth: bool
    pause_ms: int


STEPS = st.lists(
    st.builds(
        Step,
        made=st.integers(0, 12),
        turn=st.sampled_from(["on", "on", "on", "reset"]),
        order=st.sampled_from([None, None, None, "", "mo-1", "mo-2"]),
        restart=st.booleans(),
        births=st.integers(0, 2),
        as_birth=st.booleans(),
        pause_ms=st.sampled_from([0, 10, 1_000, 2_999, 4_000, 61_000]),
    ),
    max_size=25,
)


def expected(steps: list[Step], start: int) -> dict[str, Decimal]:
    """What each order made, by the simplest way to say it."""
    made: dict[str, Decimal] = defaultdict(Decimal)
    order, reading = "mo-1", start
    for step in steps:
        order = order if step.order is None else step.order
        reading, new = next_reading(reading, step)
        if order:
            made[order] += new
    return {order: each for order, each in made.items() if each}


def next_reading(reading: int, step: Step) -> tuple[int, int]:
    """The counter's next reading, and how many pieces that is. Near its top a fall is no reset but a rollover."""
    if step.turn == "reset" and step.made < reading < TOP - TOP // 5:
        return step.made, step.made
    return (reading + step.made) % TOP, step.made


@settings(deadline=None, max_examples=150)
@given(STEPS, st.sampled_from(WINDOWS), st.sampled_from([0, 100, TOP - 20]))
def test_restarts_births_and_windows_change_no_sum(steps: list[Step], window: str, start: int) -> None:
    floor = Floor(RULE.format(window=window))
    floor.comes_back(order="mo-1", good_count=start)
    order, reading = "mo-1", start
    for step in steps:
        if step.restart:
            floor.restarts()
        if step.order is not None:
            order = step.order
            floor.says(order=order)
        reading, _ = next_reading(reading, step)
        if step.as_birth:
            floor.goes_away()
            floor.comes_back(order=order, good_count=reading)
        else:
            floor.says(good_count=reading)
        if step.restart:
            floor.restarts()
        for _ in range(step.births):
            floor.comes_back(order=order, good_count=reading)
        floor.after(step.pause_ms)
    end(floor)
    assert last_totals(floor) == expected(steps, start)


def last_totals(floor: Floor) -> dict[str, Decimal]:
    """The sum over all streams of an order, each at the highest total that was posted, as Odoo adds them."""
    streams: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in floor.posted:
        assert isinstance(each, Progress)
        stream = (str(each.order), each.stream)
        assert each.upto > streams[stream], "a stream only grows"
        streams[stream] = each.upto
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (order, _), upto in streams.items():
        sums[order] += upto
    return dict(sums)


def end(floor: Floor) -> None:
    """A window without time keeps the last few pieces until the order changes."""
    floor.after(61_000)
    floor.says(order="the end")
    floor.after(61_000)


def test_a_restart_between_any_two_observations_changes_no_output() -> None:
    def day(*, restarting: bool) -> list[str]:
        floor = Floor(RULE.format(window=WINDOWS[2]), restarting=restarting)
        floor.comes_back(order="mo-1", good_count=0)
        for count in range(1, 20):
            floor.says(good_count=count)
            floor.after(900)
        floor.says(order="mo-2")
        return [repr(each) for each in floor.outputs]

    assert day(restarting=True) == day(restarting=False)


def test_records_of_a_rule_that_is_gone_are_removed_and_totals_stay() -> None:
    floor = Floor(RULE.format(window="every: 60s"))
    floor.comes_back(order="mo-1", good_count=0)
    floor.says(good_count=5)
    renamed = Floor(RULE.format(window="every: 60s").replace("rule: progress", "rule: renamed"))
    for id, snapshot in floor.records.items():
        renamed.engine.restore(id, snapshot)
    gone = f"rule/progress/{LINE}"
    assert renamed.engine.take_changed() == frozenset({gone})
    assert renamed.engine.snapshot(gone) is None
    renamed.now_ms = floor.now_ms
    renamed.says(good_count=6)
    assert renamed.after(60_000) == ["progress mo-1 epoch 0 upto 6 pcs"]


def test_a_snapshot_carries_its_version() -> None:
    floor = Floor(RULE.format(window="every: 60s"))
    floor.comes_back(order="mo-1", good_count=0)
    assert floor.records[f"equipment/{LINE}"].startswith(b'{"v":1,')


def test_what_the_plant_does_not_know_is_left_alone() -> None:
    floor = Floor(RULE.format(window="every: 60s"))
    assert floor.says(at="acme/berlin/nowhere", state="RUN") == []
    assert floor.says(nonsense=3) == []
    assert floor.happens("nonsense", "1") == []
    assert floor.goes_away(at="acme/berlin/nowhere") == []
    assert floor.records == {}


def test_every_action_of_the_rules_is_one_of_the_vocabulary() -> None:
    tags = {str(each.transaction.__struct_config__.tag) for each in ACTIONS.values()}
    assert tags == set(ACTIONS)
    assert PROGRESS not in ACTIONS


def test_timers_run_in_the_order_of_their_times() -> None:
    both = RULE.format(window="every: 60s")
    floor = Floor(both + both.replace("packaging/*", "machining/*").replace("rule: progress", "rule: press"))
    press = "acme/berlin/machining/press-1"
    floor.comes_back(order="mo-1", good_count=0)
    floor.comes_back(at=press, order="mo-2", good_count=0)
    floor.says(at=press, good_count=1)
    floor.after(10)
    floor.says(good_count=1)
    assert floor.engine.next_due_ms == START_MS + 60_000
    late = floor.engine.due(START_MS + 600_000)
    assert [each.transaction.order for each in late if isinstance(each, Post)] == ["mo-2", "mo-1"]
    assert floor.engine.next_due_ms is None
