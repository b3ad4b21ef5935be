"""Pieces: counted at once, posted now and then, for the order that made them."""

from __future__ import annotations

from decimal import Decimal

from ruleset.transaction import IdempotencyKey, OrderRef, Progress, Provenance
from tests.ruleset.floor import LINE, START_MS, Floor

PROGRESS = """
- rule: progress
  assets: "packaging/*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, or: "good >= 25", and_when_changes: [order]}
  do: production.progress
  with: {quantity: good}
"""
DONE = (
    PROGRESS
    + """
- rule: complete
  assets: "packaging/*"
  event: finished
  order: finished.order
  do: production.complete
  with: {quantity: finished.qty, lot: finished.lot}
"""
)


def running(order: str = "mo-1", count: int = 100, rules: str = PROGRESS) -> Floor:
    """A line that runs an order and has counted `count` before."""
    floor = Floor(rules)
    assert floor.comes_back(order="", good_count=count) == []
    assert floor.says(order=order) == []
    return floor


def test_the_first_reading_is_a_baseline_and_a_window_posts_what_came_after_it() -> None:
    floor = running()
    assert floor.says(good_count=103) == []
    assert floor.says(good_count=110) == []
    assert floor.after(59_999) == []
    assert floor.after(1) == ["progress mo-1 epoch 0 upto 10 pcs"]
    assert floor.after(600_000) == []


def test_what_is_counted_in_pieces_is_posted_in_dozens_where_the_rule_says_so() -> None:
    floor = running(count=0, rules=DONE.replace("quantity: good", "quantity: good, unit: dozen"))
    floor.says(good_count=6)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 0.5 dozen"]
    floor.says(good_count=12)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 1 dozen"]


def test_an_events_quantity_is_posted_in_the_unit_that_the_rule_says() -> None:
    floor = running(rules=DONE.replace("quantity: finished.qty", "quantity: finished.qty, unit: dozen"))
    posted = floor.happens("finished", "f-1", order="mo-1", lot="L1", qty=30.0, consumed=[])
    assert [line for line in posted if line.startswith("complete")] == ["complete mo-1 2.5 dozen lot L1"]


def test_the_transaction_names_stream_key_message_and_reading() -> None:
    floor = running()
    floor.says(good_count=103)
    floor.after(60_000)
    (progress,) = floor.posted
    assert progress == Progress(
        key=IdempotencyKey(f"{LINE}:production.progress:mo-1:good_count:0:3"),
        equipment=LINE,
        at_ms=START_MS,
        provenance=Provenance(
            rule="progress",
            version=floor.rules.rules[0].version,
            topic=f"spBv1.0/{LINE}",
            seq=2,
            values={"good_count": 103},
        ),
        order=OrderRef("mo-1"),
        stream=f"mo-1/{LINE}/good_count/0",
        upto=Decimal(3),
        unit="pcs",
    )


def test_a_window_opened_while_the_clock_stood_ahead_is_over_in_time_after_a_restart() -> None:
    floor = running()
    floor.now_ms += 7_200_000
    floor.says(good_count=105)
    floor.now_ms -= 7_200_000
    floor.restarts()
    floor.comes_back(order="mo-1", good_count=105)
    assert floor.after(59_999) == []
    assert floor.after(1) == ["progress mo-1 epoch 0 upto 5 pcs"]


def test_enough_pieces_post_before_the_window_is_over() -> None:
    floor = running()
    assert floor.says(good_count=124) == []
    assert floor.says(good_count=125) == ["progress mo-1 epoch 0 upto 25 pcs"]
    assert floor.says(good_count=126) == []
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 26 pcs"]


def test_when_the_order_changes_what_it_made_is_posted_first() -> None:
    floor = running()
    floor.says(good_count=104)
    assert floor.says(order="mo-2") == ["progress mo-1 epoch 0 upto 4 pcs"]
    floor.says(good_count=106)
    assert floor.says(order="") == ["progress mo-2 epoch 0 upto 2 pcs"]


def test_the_delta_of_a_message_belongs_to_the_order_that_ran_before_it() -> None:
    floor = running()
    assert floor.says(order="mo-2", good_count=103) == ["progress mo-1 epoch 0 upto 3 pcs"]
    floor.says(good_count=105)
    assert floor.says(order="", good_count=106) == [
        "progress mo-2 epoch 0 upto 2 pcs",
        "progress mo-2 epoch 0 upto 3 pcs",
    ]


def test_where_no_order_ran_before_the_delta_belongs_to_the_one_that_the_message_brings() -> None:
    floor = running(order="")
    floor.says(order="mo-1", good_count=103)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 3 pcs"]


def test_pieces_without_an_order_belong_to_none_and_are_remarked_once() -> None:
    floor = running(order="")
    assert floor.says(good_count=101) == [
        "remark count-without-order: good_count counts, but no order is running; its pieces belong to none"
    ]
    assert floor.says(good_count=102) == []
    floor.says(order="mo-1")
    floor.says(good_count=103)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 1 pcs"]


def test_a_reset_begins_an_epoch_and_the_reading_counts_from_it() -> None:
    floor = running(count=8400)
    floor.says(good_count=8412)
    assert floor.says(good_count=3) == [
        "remark counter-reset: good_count went from 8412 to 3: reset; 3 counted, "
        "what else was made before the reset is not known"
    ]
    floor.says(good_count=5)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 12 pcs", "progress mo-1 epoch 1 upto 5 pcs"]


def test_a_rollover_near_the_top_is_exact_and_stays_in_its_epoch() -> None:
    floor = running(count=65_530)
    floor.says(good_count=65_535)
    assert floor.says(good_count=3) == [
        "remark counter-rollover: good_count went from 65535 to 3: it started at 0 again after 65536; 4 counted"
    ]
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 9 pcs"]


def test_a_birth_with_the_same_value_counts_nothing() -> None:
    floor = running()
    floor.says(good_count=105)
    assert floor.comes_back(order="mo-1", good_count=105) == []
    assert floor.comes_back(order="mo-1", good_count=105) == []
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 5 pcs"]


def test_a_jump_over_an_outage_counts_for_the_order_that_runs() -> None:
    floor = running()
    floor.goes_away()
    floor.after(600_000)
    assert floor.comes_back(order="mo-1", good_count=130) == ["progress mo-1 epoch 0 upto 30 pcs"]
    assert floor.after(60_000) == []


def test_a_birth_with_a_jump_and_another_order_says_which_order_got_the_pieces() -> None:
    floor = running()
    floor.goes_away()
    floor.after(600_000)
    floor.says_at(birth=True, order=("mo-2", 100_000))
    assert floor.comes_back(order="mo-2", good_count=105) == [
        "remark count-jump: good_count: 5 made while nothing was known count for mo-2; mo-1 ran before, mo-2 runs now"
    ]
    assert floor.comes_back(order="mo-2", good_count=110) == []
    assert floor.after(60_000) == ["progress mo-2 epoch 0 upto 10 pcs"]


def test_what_a_birth_counts_and_an_order_that_it_brings_belongs_to_the_order_before() -> None:
    floor = running()
    floor.goes_away()
    assert floor.comes_back(order="mo-2", good_count=110) == [
        "remark count-jump: good_count: 10 made while nothing was known count for mo-1; mo-1 ran before, mo-2 runs now",
        "progress mo-1 epoch 0 upto 10 pcs",
    ]


def test_late_history_changes_no_total_and_is_remarked_once() -> None:
    floor = running()
    floor.goes_away()
    floor.after(600_000)
    floor.comes_back(order="mo-1", good_count=120)
    assert floor.stored(START_MS + 100_000, good_count=110) == [
        "remark history-late: stored readings of good_count came after their time had been settled; they change nothing"
    ]
    assert floor.stored(START_MS + 200_000, good_count=120) == []
    assert floor.says(good_count=121) == []
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 21 pcs"]


def test_completion_posts_what_is_collected_first() -> None:
    floor = running(rules=DONE)
    floor.says(good_count=107)
    assert floor.happens("finished", "f-1", order="mo-1", lot="L1", qty=7) == [
        "progress mo-1 epoch 0 upto 7 pcs",
        "complete mo-1 7 pcs lot L1",
    ]
    assert floor.after(60_000) == []


def test_several_rules_may_watch_one_counter_and_its_total_is_posted_once() -> None:
    other = PROGRESS.replace("rule: progress", "rule: other").replace("60s", "90s")
    floor = running(rules=PROGRESS + other)
    floor.says(good_count=110)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 10 pcs"]
    assert floor.after(60_000) == []


def test_a_reading_that_is_no_count_is_remarked_and_changes_nothing() -> None:
    floor = running()
    assert floor.says(good_count=-1) == ["remark reading-invalid: good_count: -1 is no cumulative count"]
    assert floor.says(good_count=None) == []
    floor.says(good_count=101)
    assert floor.after(60_000) == ["progress mo-1 epoch 0 upto 1 pcs"]


def test_totals_of_a_closed_order_are_forgotten_after_a_week() -> None:
    floor = running()
    floor.says(good_count=103)
    floor.after(60_000)
    assert f"total/{LINE}|mo-1" in floor.records
    floor.engine.order_closed("mo-1", floor.now_ms)
    floor.restarts()
    floor.after(8 * 24 * 3_600_000)
    assert f"total/{LINE}|mo-1" not in floor.records


def test_a_thousand_pieces_one_by_one_need_at_most_one_posting_a_minute() -> None:
    floor = running()
    for count in range(101, 1101):
        floor.says(good_count=count)
        floor.after(3_000)
    floor.after(60_000)
    posted = [each for each in floor.posted if isinstance(each, Progress)]
    assert (len(posted) <= 51, posted[-1].upto) == (True, Decimal(1000))
