"""What differs between what was expected and what came, and how it is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleset.testing.case import Expected, Offset, Shown
from ruleset.testing.compare import Difference, Got, Wrong, compare, fits
from ruleset.testing.shown import Holds, member_fields
from tests.ruleset.testing.tried import SCENARIOS, plant, why


def posting(number: int) -> Got:
    return Got({"do": "production.scrap", "quantity": Decimal(number), "asset": "press-1"})


def expected(*came: Got) -> list[Expected]:
    """What is expected where just this comes."""
    return [Expected(line=number, values=each.values) for number, each in enumerate(came, start=1)]


def test_the_answers_of_an_inspection_are_named_as_its_rule_names_them() -> None:
    assert member_fields("quality.result", "values") == {"name": Holds.TEXT, "value": Holds.TEXT}


postings = st.lists(st.integers(min_value=1, max_value=4).map(posting), max_size=8)


@given(postings)
def test_what_came_as_expected_does_not_differ(came: list[Got]) -> None:
    assert compare(expected(*came), came) == ()


@given(postings, st.integers(min_value=0, max_value=8))
def test_one_that_did_not_come_is_missing_and_one_too_many_is_extra(came: list[Got], at: int) -> None:
    odd = Got({"do": "workorder.start"})
    more = [*came[:at], odd, *came[at:]]

    (missing,) = compare(expected(*more), came)
    assert (missing.wrong, missing.expected and missing.expected.values, missing.got) == (
        Wrong.MISSING,
        odd.values,
        None,
    )
    assert compare(expected(*came), more) == (Difference(wrong=Wrong.EXTRA, got=odd),)


@given(postings, postings)
def test_two_that_differ_never_pass(some: list[Got], others: list[Got]) -> None:
    assert (compare(expected(*some), others) == ()) == (some == others)


def test_one_with_another_value_is_told_with_its_field() -> None:
    (difference,) = compare(expected(posting(1), posting(2)), [posting(1), posting(3)])

    assert (difference.wrong, difference.fields, difference.got) == (Wrong.OTHER, ("quantity",), posting(3))


def test_one_that_came_at_another_place_is_out_of_order() -> None:
    came = [posting(2), posting(3), posting(1)]

    (difference,) = compare(expected(posting(1), posting(2), posting(3)), came)

    assert (difference.wrong, difference.got) == (Wrong.MOVED, posting(1))


@pytest.mark.parametrize(
    ("wanted", "got", "fitting"),
    [
        (Decimal("4.0"), Decimal(4), True),
        (2, Decimal(2), True),
        (None, None, True),
        (None, "L1", False),
        ("L1", None, False),
        (Offset(4000), Offset(4000), True),
        (Offset(4000), 4000, False),
        (({"lot": "A"},), ({"lot": "A", "product": "P"},), True),
        (({"lot": "A"},), ({"lot": "B"},), False),
        (({"lot": None},), ({"product": "P"},), True),
        (({"lot": "A"},), (), False),
        (("S1", "S2"), ("S1", "S2"), True),
        (("S1",), ("S1", "S2"), False),
    ],
)
def test_values_fit_by_what_is_named(wanted: Shown, got: Shown, fitting: bool) -> None:
    assert fits(wanted, got) is fitting


FAILING = """\
- test: t
  rules: [scrap]
  asset: pressing/press-1
  events:
    - {at: 1m, scrap: {id: E1, order: mo-1, qty: 4, reason: S01, lot: L1}}
    - {at: 2m, scrap: {id: E2, order: mo-1, qty: 1, reason: S99}}
  expect:
    - {do: production.scrap, quantity: 5, lot: ~, reason: Short shot}
    - {do: production.scrap, order: mo-2, at: 3m}
  alerts: [nobody is here]
"""


def test_a_failed_test_says_what_was_expected_what_came_and_where() -> None:
    assert why(FAILING, plant(SCENARIOS)) == [
        "different posting, rules/x_test.yaml:8",
        "    expected  production.scrap: quantity 5, lot none, reason 'Short shot'",
        "    got       production.scrap: quantity 4, lot L1, reason 'Short shot'",
        "              quantity: expected 5, got 4",
        "              lot: expected none, got L1",
        "              asset pressing/press-1, rule scrap, at 1m, posted 1m, "
        "key acme/hamburg/pressing/press-1:production.scrap:scrap:E1",
        "              need 1 `scrap.reason in codes.scrap_reason` was true: "
        "codes.scrap_reason = {S01: Short shot, S04: Wrong dimension}, scrap.reason = S01",
        "missing posting, rules/x_test.yaml:9",
        "    expected  production.scrap: order mo-2, at 3m",
        "not expected dead letter",
        "    got       production.scrap: reason 'scrap reason S99 is not in codes.yaml', quantity 1, "
        "asset pressing/press-1, order mo-1, rule scrap, at 2m, "
        "key acme/hamburg/pressing/press-1:production.scrap:scrap:E2, posted 2m",
        "              need 1 else 2 `scrap.reason` is S99: scrap.reason = S99",
        "missing alert, rules/x_test.yaml:10",
        "    expected  text 'nobody is here'",
    ]


def test_a_failed_test_says_how_the_rules_looked_last_and_what_was_remarked_meanwhile() -> None:
    text = """\
- test: t
  rule: downtime
  asset: pressing/press-1
  every: 1m
  given: {state: "RUN STOPPED RUN"}
  expect: [{do: downtime.record, start: 1m, end: 2m}]
"""
    lines = why(text, plant(SCENARIOS))

    assert lines[:4] == [
        "missing posting, rules/x_test.yaml:6",
        "    expected  downtime.record: start 1m, end 2m",
        "the rules looked last:",
        "    downtime at press-1, 2m5s it held, but too short; close `state == 'RUN'` was true: state = RUN; "
        "one episode over gaps up to 5s; a micro-stop is shorter than 2m; began 1m; ended 2m",
    ]
    assert lines[-2:] == [
        "remarked meanwhile:",
        "    2m5s pressing/press-1: rule downtime: 1m; 1 so far, 1m in all (micro-stop)",
    ]
