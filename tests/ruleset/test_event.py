"""Events: posted once by their id, counted, or waiting for another one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ruleset.output import Post, Retraction, Unmet
from ruleset.sample import Event, Plain, Source
from ruleset.transaction import Complete, Consumption, MaintenanceRequest, Scrap
from tests.ruleset.floor import LINE, PRESS, START_MS, STATION, Floor

SCRAP = """
- rule: scrap
  assets: "*"
  event: scrap
  order: scrap.order
  when: scrap.confirmed && scrap.qty > 0
  need:
    - {that: "scrap.reason in codes.scrap_reason", else: "scrap reason {scrap.reason} is not in codes.yaml"}
  do: production.scrap
  with: {quantity: scrap.qty, reason: "codes.scrap_reason[scrap.reason]", lot: scrap.lot}
"""
FAILURES = """
- rule: repeated-failure
  assets: "quality/*"
  event: quality
  when: quality.result == 'fail'
  count: {by: [quality.check], at_least: 3, within: 8h}
  once: 24h
  do: maintenance.request
  with: {title: "'3 failures of ' + quality.check + ' on ' + asset.name"}
"""
COMPLETE = """
- rule: disposition
  assets: "quality/*"
  event: disposition
  order: disposition.order
  do: quality.result
  with: {status: disposition.status, lot: disposition.lot}

- rule: complete
  assets: "packaging/*"
  event: finished
  order: finished.order
  wait: {for: disposition, match: "disposition.order == finished.order && disposition.lot == finished.lot", at_most: 4h}
  do:
    - when: "disposition.status == 'accept'"
      post: production.complete
      with: {quantity: finished.qty, lot: finished.lot, consumed: finished.consumed}
    - {when: "disposition.status == 'reject'", post: quality.hold, with: {quantity: finished.qty, lot: finished.lot}}
    - {when: timed_out, alert: "no disposition for {finished.order} lot {finished.lot} after 4 h"}
"""
HOUR_MS = 3_600_000


def scrapped(floor: Floor, **changed: Plain) -> list[str]:
    fields: dict[str, Plain] = {"order": "mo-1", "qty": 4, "reason": "S04", "lot": "L1", "confirmed": True, **changed}
    source = Source(topic="uns/scrap")
    event = Event(equipment=PRESS, signal="scrap", id="7", fields=fields, at_ms=floor.now_ms, source=source)
    return floor.observes([event])


def finished(floor: Floor, id: str = "f-1", lot: str = "L1") -> list[str]:
    return floor.happens("finished", id, at=LINE, order="mo-1", lot=lot, qty=480.0)


def decided(floor: Floor, status: str = "accept", id: str = "d-1", lot: str = "L1") -> list[str]:
    return floor.happens("disposition", id, at=STATION, order="mo-1", lot=lot, status=status)


def test_an_event_is_posted_with_its_values_and_keyed_by_its_id() -> None:
    floor = Floor(SCRAP)
    assert scrapped(floor) == ["scrap mo-1 4 pcs Wrong dimension lot L1"]
    (scrap,) = floor.posted
    assert isinstance(scrap, Scrap)
    assert (scrap.key, scrap.at_ms, scrap.quantity) == (f"{PRESS}:production.scrap:scrap:7", START_MS, Decimal(4))
    assert scrap.provenance.values == {
        "scrap.confirmed": True,
        "scrap.lot": "L1",
        "scrap.order": "mo-1",
        "scrap.qty": 4.0,
        "scrap.reason": "S04",
    }


def test_an_event_whose_condition_is_false_posts_nothing() -> None:
    assert scrapped(Floor(SCRAP), confirmed=False) == []
    assert scrapped(Floor(SCRAP), qty=0) == []


@pytest.mark.parametrize("restarting", [False, True])
def test_an_event_that_is_told_again_so_that_it_is_not_wanted_retracts_what_it_was(restarting: bool) -> None:
    floor = Floor(SCRAP, restarting=restarting)
    scrapped(floor)
    scrapped(floor, qty=0)
    told, retracted = floor.outputs
    assert isinstance(told, Post)
    assert isinstance(retracted, Retraction)
    refused = retracted.refused
    assert (refused.key, refused.action, refused.order, refused.reason) == (
        told.transaction.key,
        "production.scrap",
        "mo-1",
        "its source retracted it: as it is told now, scrap.confirmed && scrap.qty > 0 does not hold; skip it",
    )
    assert refused.saw is not None
    assert (refused.saw.values["scrap.qty"], retracted.telling != told.telling) == (0.0, True)


def test_an_event_that_says_the_same_is_the_same_telling_under_whatever_rule() -> None:
    stricter = SCRAP.replace("scrap.qty > 0", "scrap.qty > 4")
    told, again = Floor(SCRAP), Floor(stricter)
    scrapped(told)
    scrapped(again)
    assert [
        each.telling for floor in (told, again) for each in floor.outputs if isinstance(each, Post | Retraction)
    ] == ["81444fa49cc4f957"] * 2


@pytest.mark.parametrize("when", ["scrap.qty > 0 && state == 'RUN'", "scrap.reason in codes.scrap_reason"])
def test_only_what_the_event_itself_says_retracts_it(when: str) -> None:
    floor = Floor(SCRAP.replace("scrap.confirmed && scrap.qty > 0", f'"{when}"'), at=PRESS)
    floor.says(state="STOPPED")
    scrapped(floor, qty=0, reason="S99")
    assert floor.outputs == []


def test_an_alert_about_an_event_cannot_be_retracted() -> None:
    rule = """
- {rule: rework, assets: "machining/*", event: scrap, when: scrap.qty > 0, alert: "{scrap.qty} scrapped"}
"""
    floor = Floor(rule)
    scrapped(floor, qty=0)
    assert floor.outputs == []


def test_an_optional_value_may_be_missing_or_empty() -> None:
    assert scrapped(Floor(SCRAP), lot=None) == ["scrap mo-1 4 pcs Wrong dimension"]
    assert scrapped(Floor(SCRAP), lot="") == ["scrap mo-1 4 pcs Wrong dimension"]


def test_a_need_that_is_not_met_is_a_dead_letter_with_the_reason_and_the_key() -> None:
    floor = Floor(SCRAP)
    assert scrapped(floor, reason="S99") == ["dead production.scrap mo-1: scrap reason S99 is not in codes.yaml"]
    (dead,) = floor.outputs
    assert isinstance(dead, Unmet)
    assert (dead.key, dead.rule, dead.fields) == (
        f"{PRESS}:production.scrap:scrap:7",
        "scrap",
        {"quantity": "4", "lot": "L1"},
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"order": None}, "it names no order"),
        ({"order": ""}, "it names no order"),
        ({"qty": "four"}, "when: scrap.qty is not known"),
        ({"confirmed": None}, "when: scrap.confirmed is not known"),
    ],
)
def test_an_event_that_lacks_what_the_rule_needs_is_a_dead_letter(changed: dict[str, Plain], reason: str) -> None:
    order = None if "order" in changed else "mo-1"
    assert scrapped(Floor(SCRAP), **changed) == [f"dead production.scrap {order}: {reason}"]


def test_a_float_of_32_bits_is_the_quantity_that_was_meant() -> None:
    floor = Floor(SCRAP)
    assert scrapped(floor, qty=0.10000000149011612) == ["scrap mo-1 0.1 pcs Wrong dimension lot L1"]


def test_order_running_is_the_order_of_the_equipment() -> None:
    floor = Floor(SCRAP.replace("order: scrap.order", "order: running"))
    assert scrapped(floor) == ["dead production.scrap None: no order is running"]
    floor.says(at=PRESS, order="mo-8")
    assert scrapped(floor) == ["scrap mo-8 4 pcs Wrong dimension lot L1"]


def test_a_unit_may_be_written_where_the_field_has_none() -> None:
    floor = Floor(SCRAP.replace("quantity: scrap.qty", "quantity: scrap.weight * 2, unit: kg"))
    assert scrapped(floor, weight=1.25) == ["scrap mo-1 2.5 kg Wrong dimension lot L1"]


def test_three_failures_within_the_window_make_one_request_that_names_them() -> None:
    floor = Floor(FAILURES)
    for number in range(1, 5):
        answer = floor.happens("quality", str(number), at=STATION, check="torque", result="fail")
        floor.happens("quality", f"x{number}", at=STATION, check="width", result="pass")
        assert bool(answer) == (number == 3)
        floor.after(HOUR_MS)
    (request,) = floor.posted
    assert isinstance(request, MaintenanceRequest)
    assert request.key == f"{STATION}:maintenance.request:-:repeated-failure:3"
    assert request.text == "quality: 1 (2023-11-14 22:13:20Z), 2 (2023-11-14 23:13:20Z), 3 (2023-11-15 00:13:20Z)"


def test_failures_are_counted_by_check_and_by_event_time() -> None:
    floor = Floor(FAILURES)
    floor.happens("quality", "1", at=STATION, check="torque", result="fail")
    floor.happens("quality", "2", at=STATION, check="width", result="fail")
    floor.after(9 * HOUR_MS)
    floor.happens("quality", "3", at=STATION, check="torque", result="fail")
    floor.happens("quality", "4", at=STATION, check="torque", result="fail")
    assert floor.posted == []
    late = floor.happens("quality", "5", at=STATION, ago_ms=2 * HOUR_MS, check="torque", result="fail")
    assert [each.split(" (")[0] for each in late] == ["maintenance SN-STATION 3 failures of torque on station-1"]


def test_the_same_failure_again_counts_once_also_after_restarts() -> None:
    floor = Floor(FAILURES, restarting=True)
    for _ in range(5):
        floor.happens("quality", "1", at=STATION, check="torque", result="fail")
    assert floor.posted == []
    floor.happens("quality", "2", at=STATION, check="torque", result="fail")
    floor.happens("quality", "3", at=STATION, check="torque", result="fail")
    assert len(floor.posted) == 1


def test_a_failure_older_than_what_is_remembered_is_remarked() -> None:
    floor = Floor(FAILURES)
    floor.happens("quality", "1", at=STATION, check="torque", result="fail")
    assert floor.happens("quality", "2", at=STATION, ago_ms=30 * HOUR_MS, check="torque", result="fail") == [
        "remark event-late: rule repeated-failure: quality 2 is too old to be counted"
    ]


def test_completion_waits_for_the_disposition_which_is_posted_first() -> None:
    floor = Floor(COMPLETE)
    assert finished(floor) == []
    floor.after(HOUR_MS)
    assert decided(floor, lot="L2") == ["result mo-1 accept lot L2"]
    assert decided(floor, id="d-2") == ["result mo-1 accept lot L1", "complete mo-1 480 pcs lot L1"]
    assert decided(floor, id="d-3") == ["result mo-1 accept lot L1"]
    assert floor.posted[-2].key == f"{LINE}:production.complete:finished:f-1"
    assert floor.after(5 * HOUR_MS) == []


def test_a_rejected_lot_goes_on_hold() -> None:
    floor = Floor(COMPLETE, restarting=True)
    finished(floor)
    assert decided(floor, "reject") == ["result mo-1 reject lot L1", "hold mo-1 480 pcs lot L1"]


def test_a_disposition_that_came_before_counts() -> None:
    floor = Floor(COMPLETE, restarting=True)
    decided(floor)
    floor.after(3 * HOUR_MS)
    assert finished(floor) == ["complete mo-1 480 pcs lot L1"]


def test_of_several_dispositions_that_came_before_the_newest_decides() -> None:
    floor = Floor(COMPLETE)
    decided(floor, "accept", "d-1")
    decided(floor, "reject", "d-2")
    assert finished(floor) == ["hold mo-1 480 pcs lot L1"]


def test_a_disposition_is_forgotten_after_the_time_of_the_wait() -> None:
    floor = Floor(COMPLETE)
    decided(floor)
    floor.after(4 * HOUR_MS)
    decided(floor, lot="other", id="d-2")
    assert finished(floor) == []


def test_without_a_disposition_it_alerts_once_and_stays_open() -> None:
    floor = Floor(COMPLETE, restarting=True)
    finished(floor)
    assert floor.after(4 * HOUR_MS) == ["alert no disposition for mo-1 lot L1 after 4 h"]
    assert floor.after(40 * HOUR_MS) == []
    assert decided(floor) == ["result mo-1 accept lot L1", "complete mo-1 480 pcs lot L1"]


def test_a_wait_that_says_nothing_about_time_alerts_all_the_same() -> None:
    floor = Floor("\n".join(line for line in COMPLETE.splitlines() if "timed_out" not in line))
    finished(floor)
    assert floor.after(4 * HOUR_MS) == ["alert rule complete: finished f-1 still waits for disposition after 4h"]


def test_a_status_that_decides_nothing_leaves_it_open() -> None:
    floor = Floor(COMPLETE)
    finished(floor)
    assert decided(floor, "pending") == ["result mo-1 pending lot L1"]
    assert decided(floor, "accept", "d-2") == ["result mo-1 accept lot L1", "complete mo-1 480 pcs lot L1"]


def test_the_same_event_again_changes_nothing() -> None:
    floor = Floor(COMPLETE, restarting=True)
    finished(floor)
    finished(floor)
    decided(floor)
    assert finished(floor) == []
    assert decided(floor) == ["result mo-1 accept lot L1"]
    assert [str(each.key) for each in floor.posted].count(f"{LINE}:production.complete:finished:f-1") == 1


def test_what_was_consumed_goes_along() -> None:
    floor = Floor(COMPLETE)
    used: list[Plain] = [
        {"product": "RESIN", "lot": "R1", "qty": 12.5, "unit": "kg"},
        {"product": "BOX", "qty": 40, "unit": "pcs"},
    ]
    floor.happens("finished", "f-1", at=LINE, order="mo-1", lot="L1", qty=480, consumed=used)
    decided(floor)
    complete = floor.posted[-1]
    assert isinstance(complete, Complete)
    assert complete.consumed == (
        Consumption(product="RESIN", quantity=Decimal("12.5"), unit="kg", lot="R1"),
        Consumption(product="BOX", quantity=Decimal(40), unit="pcs"),
    )


def test_a_consumption_without_a_product_is_a_dead_letter() -> None:
    floor = Floor(COMPLETE)
    used: list[Plain] = [{"lot": "R1", "qty": 12.5, "unit": "kg"}]
    floor.happens("finished", "f-1", at=LINE, order="mo-1", lot="L1", qty=480, consumed=used)
    assert decided(floor)[-1] == "dead production.complete mo-1: consumed: entry 1 names no product"


def test_numbers_beyond_all_measure_are_not_taken_for_quantities() -> None:
    for wrong in (float("nan"), float("inf"), 10**400):
        assert scrapped(Floor(SCRAP), qty=wrong) == ["dead production.scrap mo-1: when: scrap.qty is not known"]
    floor = Floor(COMPLETE, restarting=True)
    used: list[Plain] = [{"product": "RESIN", "qty": 10**400, "unit": "kg"}]
    floor.happens("finished", "f-1", at=LINE, order="mo-1", lot="L1", qty=480, consumed=used)
    assert decided(floor)[-1] == "dead production.complete mo-1: consumed: the quantity of RESIN is not a number"
