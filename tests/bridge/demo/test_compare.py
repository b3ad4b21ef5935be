"""The comparison finds every kind of difference between the floor and Odoo, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.demo.compare import ON_THE_NAMESPACE, TOO_LITTLE, NamespaceView, Report, compare
from bridge.demo.odoo_view import (
    InboxRow,
    MaintenanceRow,
    OdooView,
    ScrapView,
)
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind, Ledger
from tests.bridge.demo.posted import all_seen, everything, one_order, with_row, without
from tests.bridge.simulator.day import START_MS, demonstration, run_day

SEED = 7


@pytest.fixture(scope="module")
def facts() -> tuple[Fact, ...]:
    """Everything that happens in the demonstration, the planner's releases included."""
    ledger = Ledger(SEED)
    day = run_day(demonstration())
    for fact in day.facts_of(FactKind.ACKNOWLEDGEMENT):
        ledger.add(FactKind.RELEASE, f"release:{fact.order}", at_ms=START_MS, order=fact.order)
    for fact in day.facts:
        ledger.append(fact)
    return ledger.facts


def judge(facts: Sequence[Fact], odoo: OdooView, namespace: NamespaceView | None = None) -> Report:
    return compare(facts, odoo, namespace or all_seen(facts), seed=SEED)


def test_a_day_that_was_posted_once_and_in_order_has_no_difference(facts: tuple[Fact, ...]) -> None:
    report = judge(facts, everything(facts))

    assert report == Report(
        facts=len(facts),
        kinds=10,
        postings=report.postings,
        lost=0,
        doubled=0,
        out_of_order=0,
        held=0,
        dead=1,
        seed=SEED,
        differences=(),
    )
    assert report.is_clean
    assert report.facts >= 150


def test_an_empty_odoo_lost_every_fact_but_those_kept_on_purpose(facts: tuple[Fact, ...]) -> None:
    report = judge(facts, OdooView(), NamespaceView())

    assert (report.lost, report.doubled, report.out_of_order) == (len(facts) - 1, 0, 0)


def test_a_run_in_which_nothing_was_to_be_posted_is_not_clean(facts: tuple[Fact, ...]) -> None:
    few = [fact for fact in facts if fact.kind in ON_THE_NAMESPACE or fact.outcome is ExpectedOutcome.DEAD]

    assert judge((), OdooView(), NamespaceView()).differences == (TOO_LITTLE,)
    report = judge(few, everything(few))
    assert (report.differences, report.is_clean) == ((TOO_LITTLE,), False)


def test_what_nobody_did_is_doubled(facts: tuple[Fact, ...]) -> None:
    report = judge((), everything(facts), all_seen(facts))

    assert report.lost == 0
    assert report.doubled > 150


PLANTED: list[tuple[str, Callable[[OdooView], OdooView], tuple[int, int, int], str]] = [
    (
        "a release that the planner cannot see on the order",
        lambda view: one_order(view, lambda order: replace(order, notes=order.notes[1:])),
        (1, 0, 0),
        "the line on mo-1 that it was released to the floor",
    ),
    (
        "a release that the planner sees twice on the order",
        lambda view: one_order(view, lambda order: replace(order, notes=(order.notes[0], *order.notes))),
        (0, 1, 0),
        'the line on mo-1 "Released to the floor as version 1."',
    ),
    (
        "a work order that was not started",
        lambda view: one_order(view, lambda order: replace(order, work_orders={**order.work_orders, "wo-2": "ready"})),
        (2, 0, 0),
        "start of wo-2 of mo-1: it is ready",
    ),
    (
        "a start that was posted twice",
        lambda view: with_row(view, InboxRow(key="x", kind="start", order=None, payload={"wo": "wo-2"})),
        (0, 1, 0),
        "start of wo-2 of mo-1: 2 postings",
    ),
    (
        "a finish that was never posted",
        lambda view: replace(view, inbox=tuple(r for r in view.inbox if r.key != "finish:mo-1:wo-3")),
        (1, 0, 0),
        "finish of wo-3 of mo-1: it is done, 0 postings",
    ),
    (
        "a start of a work order that never ran",
        lambda view: with_row(view, InboxRow(key="x", kind="start", order=None, payload={"wo": "wo-999"})),
        (0, 1, 0),
        "start of wo-999 was posted 1 times, but never happened",
    ),
    (
        "progress that was not posted",
        lambda view: without(view, "progress", "mo-1"),
        (1, 0, 0),
        "progress of mo-1: ",
    ),
    (
        "a piece that was posted twice",
        lambda view: with_row(
            view, InboxRow(key="x", kind="progress", order="mo-1", payload={"stream": "s", "upto": "1"})
        ),
        (0, 1, 1),
        "progress of mo-1: ",
    ),
    (
        "a disposition without its note",
        lambda view: one_order(view, lambda order: replace(order, notes=order.notes[:1])),
        (1, 0, 0),
        "disposition accept of mo-1, lot L-mo-1: 0 notes",
    ),
    (
        "a disposition that was noted twice",
        lambda view: one_order(view, lambda order: replace(order, notes=(*order.notes, order.notes[-1]))),
        (0, 1, 0),
        "disposition accept of mo-1, lot L-mo-1: 2 notes",
    ),
    (
        "an order that is not done",
        lambda view: one_order(view, lambda order: replace(order, state="progress")),
        (1, 0, 0),
        "completion of mo-1: it is progress",
    ),
    (
        "an order with another quantity",
        lambda view: one_order(view, lambda order: replace(order, produced=order.produced - 1)),
        (1, 0, 0),
        "produced instead of",
    ),
    (
        "an order in another lot",
        lambda view: one_order(view, lambda order: replace(order, lots=("L-9",))),
        (1, 0, 0),
        "lot L-9 instead of L-mo-1",
    ),
    (
        "a component from another lot",
        lambda view: one_order(view, lambda order: replace(order, consumed={("RESIN-A", "R-2"): Decimal(1)})),
        (1, 0, 0),
        "1 of RESIN-A lot R-2 consumed instead of 0",
    ),
    (
        "rejected goods that are available",
        lambda view: one_order(view, lambda order: replace(order, on_hold=False), "mo-5"),
        (1, 0, 0),
        "completion of mo-5: available though rejected",
    ),
    (
        "a stop that was not recorded",
        lambda view: replace(view, downtimes=view.downtimes[1:]),
        (1, 0, 0),
        "lost: ",
    ),
    (
        "a stop that was recorded twice",
        lambda view: replace(view, downtimes=(*view.downtimes, view.downtimes[0])),
        (0, 1, 0),
        "s long",
    ),
    (
        "a stop with another loss",
        lambda view: replace(view, downtimes=(replace(view.downtimes[0], loss="defect"), *view.downtimes[1:])),
        (1, 1, 0),
        "doubled: defect of ",
    ),
    (
        "a maintenance request that is missing",
        lambda view: replace(view, maintenance=view.maintenance[1:]),
        (1, 0, 0),
        'maintenance request "Vibration "',
    ),
    (
        "a maintenance request that nobody needs",
        lambda view: replace(view, maintenance=(*view.maintenance, MaintenanceRow(serial_number="X", title="Y"))),
        (0, 1, 0),
        'maintenance request "Y" for X',
    ),
    (
        "scrap that was a dead letter",
        lambda view: one_order(view, lambda order: replace(order, scraps=(*order.scraps, scrap(1)))),
        (0, 1, 0),
        "scrap of 1 of mo-1, lot L-mo-1: 1 too many in Odoo",
    ),
    (
        "an order that was refused and made all the same",
        lambda view: one_order(view, lambda order: replace(order, state="done"), "mo-9"),
        (0, 1, 0),
        "mo-9 is done, but was never completed",
    ),
]


def scrap(quantity: int) -> ScrapView:
    return ScrapView(quantity=Decimal(quantity), lot="L-mo-1")


@pytest.mark.parametrize(("change", "counts", "sentence"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_a_planted_difference_is_found(
    facts: tuple[Fact, ...], change: Callable[[OdooView], OdooView], counts: tuple[int, int, int], sentence: str
) -> None:
    report = judge(facts, change(everything(facts)))

    assert (report.lost, report.doubled, report.out_of_order) == counts
    assert len(report.differences) == sum(counts)
    assert any(sentence in each for each in report.differences)


def test_a_scrap_that_is_missing_is_lost(facts: tuple[Fact, ...]) -> None:
    order = next(f.order for f in facts if f.kind is FactKind.SCRAP and f.outcome is ExpectedOutcome.POSTED)
    report = judge(facts, one_order(everything(facts), lambda view: replace(view, scraps=()), order or ""))

    assert (report.lost, report.doubled) == (1, 0)


def test_times_may_differ_by_a_second(facts: tuple[Fact, ...]) -> None:
    view = everything(facts)
    later = tuple(replace(row, started_s=row.started_s + 1, ended_s=row.ended_s + 1) for row in view.downtimes)
    far = tuple(replace(row, started_s=row.started_s + 2) for row in view.downtimes)

    assert judge(facts, replace(view, downtimes=later)).is_clean
    assert judge(facts, replace(view, downtimes=far)).lost == len(far)


def test_releases_and_answers_are_compared_with_the_namespace(facts: tuple[Fact, ...]) -> None:
    seen = all_seen(facts)
    unseen = replace(seen, releases=(*seen.releases[1:], ("mo-77", 1)))
    unanswered = replace(
        seen, answers={**seen.answers, "mo-2": (0, "waiting"), "mo-3": (1, "refused"), "mo-77": (1, "accepted")}
    )

    assert judge(facts, everything(facts), unseen).differences == (
        "lost: the MES never saw the release of mo-1",
        "doubled: the MES saw mo-77, which nobody released",
    )
    assert judge(facts, everything(facts), unanswered).differences == (
        "lost: the MES accepted mo-2 version 1; the bridge has no answer",
        "lost: the MES accepted mo-3 version 1; the bridge has refused for version 1",
        "doubled: the bridge has mo-77 version 1 as accepted, which the MES never said",
    )


def test_postings_in_the_wrong_order_are_found(facts: tuple[Fact, ...]) -> None:
    view = everything(facts)
    of_order = [row for row in view.inbox if row.order == "mo-1"]
    others = [row for row in view.inbox if row.order != "mo-1"]

    report = judge(facts, replace(view, inbox=(*others, *reversed(of_order))))

    assert (report.lost, report.doubled) == (0, 0)
    assert {each.removeprefix("out of order: ") for each in report.differences} == {
        "progress of mo-1 was applied before its start",
        "progress of mo-1 was applied after its completion",
        "the disposition of mo-1 was applied after its completion",
        "start of wo-3 of mo-1 was applied after finish of wo-3 of mo-1",
        "finish of wo-2 of mo-1 was applied after start of wo-3 of mo-1",
        "start of wo-2 of mo-1 was applied after finish of wo-2 of mo-1",
    } - ({"the disposition of mo-1 was applied after its completion"} - {each[14:] for each in report.differences})


def test_stops_of_one_work_center_are_applied_as_they_began(facts: tuple[Fact, ...]) -> None:
    view = everything(facts)
    stops = [row for row in view.inbox if row.kind == "downtime"]
    others = [row for row in view.inbox if row.kind != "downtime"]

    report = judge(facts, replace(view, inbox=(*others, *reversed(stops))))

    assert report.out_of_order > 0
    assert all("the stop of" in each for each in report.differences)


def test_progress_before_a_start_that_the_mes_told_late_is_told_and_not_counted(facts: tuple[Fact, ...]) -> None:
    view = everything(facts)
    start = next(fact for fact in facts if fact.kind is FactKind.START)
    starts = [row for row in view.inbox if row.kind == "start" and row.order == start.order]
    late = replace(view, inbox=(*(row for row in view.inbox if row not in starts), *starts))
    id = f"work_started-{start.order}-{start.values['work_order']}"
    judged = compare(facts, late, all_seen(facts), seed=7, late={id})

    assert judge(facts, late).out_of_order == judged.out_of_order + 1
    assert judged.not_promised == (
        f"not promised: progress of {start.order} was applied before its start; the MES told it late",
    )


def test_a_completion_that_waits_must_not_be_posted(facts: tuple[Fact, ...]) -> None:
    held = tuple(
        replace(fact, outcome=ExpectedOutcome.HELD) if fact.id == "completion:mo-1" else fact for fact in facts
    )

    assert judge(held, everything(held)).held == 1
    assert judge(held, everything(held)).is_clean
    assert judge(held, everything(facts)).differences == ("doubled: mo-1 is done, but was never completed",)
