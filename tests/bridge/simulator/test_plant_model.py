"""The plant model: determinism, conservation of pieces, and what the MES, the PLCs and quality say in which order."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from bridge.simulator.happening import DocumentSent, FactHappened, MetricsChanged
from bridge.simulator.ledger import ExpectedOutcome, FactKind
from bridge.simulator.plant_model import PlantModel
from bridge.simulator.scenario import CounterReset, Scenario
from sparkplug.fact import DataSet
from tests.bridge.simulator.day import START_MS, Day, demonstration, release, run_day

COUNTER_END = 65536
CONTRACT = Path(__file__).parents[3] / "docs" / "contract"


@pytest.fixture(scope="module")
def day() -> Day:
    return run_day(demonstration())


def small(count: int) -> Scenario:
    scenario = demonstration()
    return replace(scenario, orders=replace(scenario.orders, count=count), incidents=())


def pieces(readings: list[object]) -> int:
    """What a counter counted, rollovers and resets taken into account."""
    counted = 0
    for before, after in pairwise(int(str(each)) for each in readings):
        counted += 0 if after == 0 and before < COUNTER_END - 1 else (after - before) % COUNTER_END
    return counted


def test_the_same_seed_gives_the_same_day(day: Day) -> None:
    assert run_day(demonstration()).happenings == day.happenings


def test_the_size_of_the_steps_changes_nothing_but_the_end(day: Day) -> None:
    coarse = run_day(demonstration(), step_ms=700)

    assert coarse.happenings[: len(day.happenings) - 50] == day.happenings[:-50]


def test_another_seed_gives_another_day(day: Day) -> None:
    assert run_day(replace(demonstration(), seed=8)).happenings != day.happenings


def test_the_demonstration_fits_a_minute_and_gives_enough_facts(day: Day) -> None:
    assert day.length_ms < 60_000
    assert len(day.facts) + demonstration().orders.count >= 150
    assert {fact.kind for fact in day.facts} == set(FactKind) - {FactKind.RELEASE}


def test_pieces_counted_on_the_plc_are_the_quantities_reported(day: Day) -> None:
    readings: list[object] = [demonstration().stations[2].counter, *day.values("line-1", "Counters/Good")]
    finished = sum(
        int(str(document["qty"])) for document in {str(d): d for d in day.documents_named("finished")}.values()
    )

    assert pieces(readings) == finished
    assert finished == sum(Decimal(str(fact.values["quantity"])) for fact in day.facts_of(FactKind.PROGRESS))
    assert finished == sum(Decimal(str(fact.values["quantity"])) for fact in day.facts_of(FactKind.COMPLETION))


def test_counters_roll_over_and_one_is_reset_between_two_pieces(day: Day) -> None:
    press = [int(str(each)) for each in day.values("press-1", "Counters/Good")]
    line = [int(str(each)) for each in day.values("line-1", "Counters/Good")]

    assert (65535, 0) in set(pairwise(press))
    assert sum(after == 0 and before != 65535 for before, after in pairwise(line)) == 1


def test_an_order_is_told_in_the_order_that_the_bridge_relies_on() -> None:
    scenario = replace(small(1), stops=(), mes=replace(demonstration().mes, duplicates=0))
    told: list[str] = []
    for each in run_day(scenario).happenings:
        match each:
            case DocumentSent(topic=topic):
                told.append(topic.removeprefix("uns/v1/acme/berlin/"))
            case FactHappened(fact=fact):
                told.append(f"fact {fact.kind}")
            case MetricsChanged(values=values) if "Vibration/RMS" not in values and "Scrap/Number" not in values:
                name, value = next(iter(values.items()))
                if name != "Counters/Good" or told[-1] != "pieces":
                    told.append("pieces" if name == "Counters/Good" else f"{name} {value!r}"[:14])

    assert [each for each in told if not each.startswith(("fact scrap", "Dispositions"))][:18] == [
        "fact acknowledgement",
        "order/mo-1/ack",
        "machining/press-2/work_started",
        "fact start",
        "Order 'mo-1'",
        "State 'RUN'",
        "pieces",
        "State 'IDLE'",
        "Order ''",
        "machining/press-2/work_finished",
        "fact finish",
        "quality/station-1/quality",
        "packaging/line-1/work_started",
        "fact start",
        "Order 'mo-1'",
        "State 'RUN'",
        "pieces",
        "State 'IDLE'",
    ]


def test_quality_decides_on_every_order_sometimes_before_it_is_reported(day: Day) -> None:
    reported = {str(d.document["order"]): d.at_ms for d in day.documents if d.topic.endswith("/finished")}
    decided = {fact.order: fact.at_ms for fact in day.facts_of(FactKind.DISPOSITION)}

    assert set(decided) == set(reported)
    assert {decided[order] < at_ms for order, at_ms in reported.items()} == {True, False}
    assert Counter(fact.values["status"] for fact in day.facts_of(FactKind.DISPOSITION))["reject"] == 2


def test_dispositions_hold_the_last_rows_with_an_id_each(day: Day) -> None:
    last = day.values(None, "Dispositions")[-1]

    assert isinstance(last, DataSet)
    assert last.columns == ("id", "at", "order", "lot", "status")
    assert len({row[0] for row in last.rows}) == len(last.rows) == 17


def test_some_documents_are_sent_twice_with_the_same_content(day: Day) -> None:
    times = Counter(str(each.document["id"]) for each in day.documents)

    assert set(times.values()) == {1, 2}
    assert len({str(each.document) for each in day.documents}) == len(times)


def test_only_confirmed_scrap_is_a_fact_and_an_unknown_reason_is_a_dead_letter(day: Day) -> None:
    reported = [
        each.values for each in day.happenings if isinstance(each, MetricsChanged) and "Scrap/Number" in each.values
    ]
    confirmed = [values for values in reported if values["Scrap/confirmed"]]

    assert len(confirmed) == len(day.facts_of(FactKind.SCRAP)) < len(reported)
    assert [f.values["reason"] for f in day.facts_of(FactKind.SCRAP) if f.outcome is ExpectedOutcome.DEAD] == ["S99"]


def test_stops_are_facts_from_a_second_on_and_never_near_each_other(day: Day) -> None:
    lengths = [
        int(str(f.values["ended_ms"])) - int(str(f.values["started_ms"])) for f in day.facts_of(FactKind.DOWNTIME)
    ]

    assert min(lengths) >= 1400
    for device in ("press-1", "press-2", "line-1"):
        states = [
            (each.values["State"], each.at_ms)
            for each in day.happenings
            if isinstance(each, MetricsChanged) and each.source.device == device and "State" in each.values
        ]
        stops = [at_ms for (before, at_ms), (after, _) in pairwise(states) if before == "RUN" and after != "IDLE"]
        assert all(later - earlier >= 500 for earlier, later in pairwise(stops))


def test_vibration_and_repeated_failures_ask_for_maintenance_once_each(day: Day) -> None:
    asked = Counter(str(fact.values["title"]) for fact in day.facts_of(FactKind.MAINTENANCE))

    assert asked == {"Vibration ": 3, "3 failures of torque ": 1}


def test_every_version_is_answered_and_a_resent_one_makes_no_second_order() -> None:
    model = PlantModel(small(1), START_MS)
    model.receive(release(1, 20), START_MS)
    model.receive(release(1, 20), START_MS + 10)
    model.receive(release(1, 25, version=2, status="changed"), START_MS + 20)
    happened = model.step(START_MS + 30_000)
    model.receive(release(1, 30, version=3, status="changed"), START_MS + 30_000)
    happened += model.step(START_MS + 31_000)

    answers = [each.document for each in happened if isinstance(each, DocumentSent) and each.topic.endswith("/ack")]
    assert sorted({(str(a["version"]), str(a["status"]), str(a.get("reason", ""))) for a in answers}) == [
        ("1", "accepted", ""),
        ("2", "accepted", ""),
        ("3", "refused", "already in production"),
    ]
    facts = [each.fact for each in happened if isinstance(each, FactHappened)]
    assert [f.values["quantity"] for f in facts if f.kind is FactKind.PROGRESS] == ["25"]
    assert sum(f.kind is FactKind.ACKNOWLEDGEMENT for f in facts) == 3


def test_a_refused_order_is_not_made_and_stays_refused() -> None:
    scenario = small(1)
    model = PlantModel(replace(scenario, mes=replace(scenario.mes, refuses={1: "unknown tool"})), START_MS)
    model.receive(release(1, 20), START_MS)
    model.receive(release(1, 25, version=2, status="changed"), START_MS + 500)
    happened = model.step(START_MS + 5_000)

    facts = [each.fact for each in happened if isinstance(each, FactHappened)]
    assert [(f.kind, f.values["status"], f.values["reason"]) for f in facts] == [
        (FactKind.ACKNOWLEDGEMENT, "refused", "unknown tool")
    ] * 2
    assert model.is_at_rest


def test_a_cancelled_order_leaves_the_queue() -> None:
    model = PlantModel(small(1), START_MS)
    model.receive(release(1, 20), START_MS)
    model.receive(release(1, 20, version=2, status="cancelled"), START_MS + 50)

    kinds = {each.fact.kind for each in model.step(START_MS + 5_000) if isinstance(each, FactHappened)}
    assert kinds == {FactKind.ACKNOWLEDGEMENT}


def test_winding_down_ends_what_was_begun_and_begins_nothing() -> None:
    scenario = small(1)
    model = PlantModel(scenario, START_MS)
    model.receive(release(2, 20), START_MS)
    model.receive(release(4, 20), START_MS)
    happened = model.step(START_MS + 1_000)
    model.wind_down()
    happened += model.step(START_MS + 40_000)

    finished = {
        each.fact.order for each in happened if isinstance(each, FactHappened) and each.fact.kind is FactKind.COMPLETION
    }
    assert finished == {"mo-2"}
    assert model.is_at_rest


def test_an_order_that_nobody_decides_on_is_held() -> None:
    scenario = small(1)
    held = replace(scenario, quality=replace(scenario.quality, undecided=frozenset({1})))

    assert [f.outcome for f in run_day(held).facts_of(FactKind.COMPLETION)] == [ExpectedOutcome.HELD]


def test_a_counter_is_reset_only_where_pieces_are_made() -> None:
    scenario = replace(small(0), incidents=(CounterReset(at_ms=100, station="packaging/line-1"),))

    assert run_day(scenario).values("line-1", "Counters/Good") == []


def test_a_counter_is_not_reset_shortly_before_it_rolls_over() -> None:
    scenario = replace(small(3), incidents=(CounterReset(at_ms=0, station="packaging/line-1"),))
    line = [int(str(each)) for each in run_day(scenario).values("line-1", "Counters/Good")]

    falls = [(before, after) for before, after in pairwise(line) if after < before]
    assert [after for _, after in falls] == [0, 0]
    assert [before > 32_768 for before, _ in falls] == [True, False]


def test_a_document_that_is_no_release_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="no operations"):
        PlantModel(small(1), START_MS).receive({"order": "mo-1", "operations": []}, START_MS)


def schema(name: str) -> Draft202012Validator:
    """A schema of the published contract."""
    registry: Registry[Any] = Registry().with_resources(
        (content["$id"], Resource.from_contents(content))
        for content in (json.loads(path.read_text()) for path in CONTRACT.glob("*.schema.json"))
    )
    content = json.loads((CONTRACT / f"{name}.schema.json").read_text())
    return Draft202012Validator(content, registry=registry, format_checker=FormatChecker())


def test_every_document_keeps_the_published_contract(day: Day) -> None:
    names = {"ack": "order-acknowledgement"}
    by_name = defaultdict(list)
    for each in day.documents:
        by_name[each.topic.rsplit("/", 1)[-1]].append(each.document)

    assert set(by_name) == {"ack", "work_started", "work_finished", "finished", "quality"}
    for name, documents in by_name.items():
        validator = schema(names.get(name, name))
        assert [error.message for each in documents for error in validator.iter_errors(each)] == []


@pytest.mark.spec("tck-id-operational-behavior-data-publish-dbirth-change")
def test_metrics_are_reported_when_they_change_and_not_by_the_clock(day: Day) -> None:
    shown = {source: dict(metrics) for source, metrics in PlantModel(demonstration(), START_MS).metrics().items()}
    unchanged = []
    for change in day.happenings:
        if isinstance(change, MetricsChanged):
            if all(shown[change.source][name] == value for name, value in change.values.items()):
                unchanged.append(change)
            shown[change.source].update(change.values)

    assert unchanged == []
