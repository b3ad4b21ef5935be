"""Which order runs: a signal that names it, or events that begin and end it; and what becomes of pieces without one."""

from __future__ import annotations

import msgspec
import pytest

from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.form.collect import given_to
from ruleset.form.vocabulary import lacks_order
from ruleset.problem import Problems
from ruleset.transaction import OrderRef, Progress
from tests.ruleset.floor import ASSETS, CELL, CODES, PRESS, WITH_CELL, Floor
from tests.ruleset.test_rules import PROGRESS

METRIC = (
    "      order: {metric: Order, type: text, role: order}\n"
    "      good_count: {metric: Good, type: integer, role: counter, unit: pcs, rollover: 65536}\n"
    "      vib"
)
EVENTS = METRIC.replace(
    "{metric: Order, type: text, role: order}", "{started_by: work_started.order, ended_by: work_done.order}"
)
BY_EVENTS = ASSETS.replace(METRIC, EVENTS).replace(
    "      work_started: {", "      work_done: {document: work_done, fields: {order: text}}\n      work_started: {"
)
RULES = PROGRESS.replace("packaging", "machining").replace(", crew", "").replace(', or: "good >= 25"', "")
STARTED = """\
- rule: started
  assets: "machining/*"
  event: work_started
  order: running
  do: workorder.start
  with: {work_order: work_started.work_order}
"""


def press(rules: str = RULES, *, restarting: bool = False) -> Floor:
    floor = Floor(rules, at=PRESS, restarting=restarting, assets=BY_EVENTS)
    floor.comes_back(good_count=10)
    return floor


def starts(floor: Floor, order: str) -> list[str]:
    return floor.happens("work_started", f"s-{order}", order=order, work_order="W")


def ends(floor: Floor, order: str) -> list[str]:
    return floor.happens("work_done", f"d-{order}", order=order)


@pytest.mark.parametrize("restarting", [False, True])
def test_events_say_which_order_the_pieces_are_made_for(restarting: bool) -> None:
    floor = press(restarting=restarting)
    assert starts(floor, "mo-1") == []
    floor.says(good_count=15)
    assert ends(floor, "mo-1") == ["progress mo-1 epoch 0 upto 5 pcs"]
    assert floor.says(good_count=17) == [
        "remark count-without-order: good_count counts, but no order is running; its pieces belong to none"
    ]
    starts(floor, "mo-2")
    floor.says(good_count=20)
    assert starts(floor, "mo-3") == ["progress mo-2 epoch 0 upto 3 pcs"]


def test_an_order_that_ended_before_does_not_end_the_one_that_runs() -> None:
    floor = press()
    starts(floor, "mo-1")
    starts(floor, "mo-2")
    ends(floor, "mo-1")
    floor.says(good_count=12)
    assert floor.after(60_000) == ["progress mo-2 epoch 0 upto 2 pcs"]


def test_a_rule_about_the_event_sees_the_order_run() -> None:
    floor = press(STARTED)
    assert starts(floor, "mo-1") == ["work order W of mo-1"]


def test_pieces_without_an_order_are_an_alert_where_the_plant_says_so() -> None:
    assets = ASSETS.replace("type: text, role: order}", "type: text, role: order, without_order: alert}")
    floor = Floor(RULES, at=PRESS, assets=assets)
    floor.comes_back(order="", good_count=10)
    assert floor.says(good_count=12) == ["alert good_count counts, but no order is running; its pieces belong to none"]
    assert floor.says(good_count=13) == []


def cell(*, restarting: bool = False) -> Floor:
    floor = Floor(RULES.replace("machining", "assembly"), at=CELL, restarting=restarting, assets=WITH_CELL)
    floor.comes_back(good_count=10)
    return floor


def released(floor: Floor, order: str) -> list[str]:
    """Odoo says that this order runs there now."""
    return floor.happens("order", order, runs=order)


@pytest.mark.parametrize("restarting", [False, True])
def test_the_released_order_is_the_one_that_the_pieces_are_made_for(restarting: bool) -> None:
    floor = cell(restarting=restarting)
    assert released(floor, "mo-1") == []
    floor.says(good_count=15)
    assert released(floor, "mo-2") == ["progress mo-1 epoch 0 upto 5 pcs"]
    floor.says(good_count=18)
    assert released(floor, "") == ["progress mo-2 epoch 0 upto 3 pcs"]
    assert floor.says(good_count=19) == [
        "remark count-without-order: good_count counts, but no order is running; its pieces belong to none"
    ]


@pytest.mark.parametrize("where", [CELL, PRESS])
def test_a_time_that_is_not_the_equipments_own_says_nothing_of_how_far_it_is_known(where: str) -> None:
    """Else what its node stored before an order was started, or told of, would count as told already."""
    floor = cell() if where == CELL else press()
    known_ms = floor.engine.known_ms(where)
    floor.after(60_000)
    assert (released(floor, "mo-1") if where == CELL else starts(floor, "mo-1")) == []
    assert floor.engine.known_ms(where) == known_ms


SCRAP = """\
- rule: scrap
  assets: "assembly/*"
  event: scrap
  order: running
  do: production.scrap
  with: {quantity: scrap.qty, reason: scrap.reason}
"""
HOLDING = WITH_CELL.replace("without_order: remark", "without_order: hold")


def holding(*, restarting: bool = False) -> Floor:
    """The cell, where what happens without an order waits for a person to say which it belongs to."""
    rules = RULES.replace("machining", "assembly") + SCRAP
    floor = Floor(rules, at=CELL, restarting=restarting, assets=HOLDING)
    floor.comes_back(good_count=10)
    return floor


@pytest.mark.parametrize("restarting", [False, True])
def test_pieces_without_an_order_are_posted_as_one_stretch_once_an_order_runs(restarting: bool) -> None:
    floor = holding(restarting=restarting)
    assert floor.says(good_count=12) == [
        "remark count-without-order: good_count counts, but no order is running; its pieces will be held for a person"
    ]
    floor.after(600_000)
    assert floor.says(good_count=15) == []
    assert released(floor, "mo-1") == ["progress cell-1 epoch 0+0 upto 5 pcs"]
    floor.says(good_count=18)
    assert released(floor, "") == ["progress mo-1 epoch 0 upto 3 pcs"]
    floor.says(good_count=19)
    assert released(floor, "mo-2") == ["progress cell-1 epoch 0+5 upto 1 pcs"]
    first, _, second = (each for each in floor.posted if isinstance(each, Progress))
    assert [first.order, second.order] == [None, None]
    assert [first.key.partition("progress")[2], second.key.partition("progress")[2]] == [
        ":-:good_count:0:5",
        ":-:good_count:0:6",
    ]


def test_stretches_that_are_given_to_one_order_add_up_and_each_counts_once() -> None:
    floor = holding()
    floor.says(good_count=15)
    released(floor, "mo-1")
    released(floor, "")
    floor.says(good_count=16)
    released(floor, "mo-2")
    given = [given_to(each, OrderRef("mo-1")) for each in floor.posted if isinstance(each, Progress)]
    assert [f"{each.order} {each.stream} {each.upto}" for each in given] == [
        f"mo-1 mo-1/{CELL}/good_count/0+0 5",
        f"mo-1 mo-1/{CELL}/good_count/0+5 1",
    ]


def test_of_a_counter_that_is_reset_again_and_again_without_an_order_only_the_last_epoch_is_kept() -> None:
    floor = holding()
    for _ in range(3):
        floor.says(good_count=15)
        floor.says(good_count=2)
    released(floor, "mo-1")
    stored = msgspec.json.decode(floor.records[f"total/{CELL}|"])
    assert list(stored["record"]["totals"]["good_count"]) == ["3"]


def test_an_event_without_an_order_is_posted_without_one_for_a_person_to_say_which() -> None:
    floor = holding()
    assert floor.happens("scrap", "S1", qty=2.0, reason="S01") == ["scrap cell-1 2 pcs S01"]
    (scrap,) = floor.posted
    assert (scrap.order, lacks_order(scrap)) == (None, True)


def test_an_event_without_an_order_is_a_dead_letter_where_the_plant_does_not_hold() -> None:
    floor = Floor(SCRAP, at=CELL, assets=WITH_CELL)
    assert floor.happens("scrap", "S1", qty=2.0, reason="S01") == ["dead production.scrap None: no order is running"]


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("released: started", "released: begun", '"begun" is not possible here; known here: accepted, started'),
        ("    work_center: CELL-1\n", "", 'signal "order" is the order that is released to its work center: add'),
        ("work_center: CELL-1", "work_center: PRESS-1", ""),
        (
            "    work_center: CELL-1\n",
            "    work_center: CELL-1\n  assembly/cell-2:"
            " {type: cell, source: {group: G, node: assembly, device: cell-2}, work_center: CELL-1}\n",
            'the work center "CELL-1" is that of acme/berlin/assembly/cell-1 too',
        ),
        (
            "    work_center: CELL-1\n",
            "    work_center: CELL-1\n    signals: {job: {metric: Order, type: text, role: order}}\n",
            "the signals order and job both say which order runs; leave one of them",
        ),
    ],
)
def test_what_is_wrong_with_releases_is_said(right: str, wrong: str, problem: str) -> None:
    assert right in WITH_CELL
    problems = Problems()
    read_assets("assets.yaml", WITH_CELL.replace(right, wrong, 1), read_codes("codes.yaml", CODES, problems), problems)
    assert [problem in each.text for each in problems.all] == [True] * bool(problem), problems.all


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        (
            "work_started.order,",
            "work_startd.order,",
            'no text field of an event of this type; did you mean "work_started.order"?',
        ),
        (
            "work_started.order,",
            "work_started,",
            '"work_started" must be an event and one of its fields, such as work_started.order',
        ),
        ("work_done.order}", "scrap.qty}", '"scrap.qty" is no text field of an event of this type'),
        ("work_done.order}", "work_done.order, role: order}", 'unknown key "role"'),
        (
            "role: counter, unit",
            "role: counter, without_order: alert, unit",
            "only the signal that names the running order says this",
        ),
    ],
)
def test_what_is_wrong_is_said(right: str, wrong: str, problem: str) -> None:
    assert right in BY_EVENTS
    problems = Problems()
    read_assets("assets.yaml", BY_EVENTS.replace(right, wrong, 1), read_codes("codes.yaml", CODES, problems), problems)
    assert [problem in each.text for each in problems.all] == [True], problems.all
