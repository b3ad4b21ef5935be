"""What is wrong with a rule although it could run is said when it is read."""

from __future__ import annotations

import pytest

from tests.ruleset.floor import LINE, PRESS, problems_of
from tests.ruleset.test_rules import ALL, COMPLETE, DOWNTIME, FAILURES, PROGRESS, SCRAP, VIBRATION
from tests.ruleset.test_template import TEMPLATE, USE

HOT = """\
- rule: hot
  assets: "machining/*"
  raise: {when: "vibration_rms > 7"}
  do: maintenance.request
  with: {title: "'Hot'"}
"""


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("false", "this is never true"),
        ("1 > 2", "this is never true"),
        ("true", "this is always true"),
        (
            "vibration_rms > 7 && state == 'RUN' && vibration_rms <= 7",
            "this is never true: `vibration_rms > 7` and `vibration_rms <= 7` exclude each other",
        ),
        (
            "state == 'RUN' && state in ['STOPPED', 'FAULT']",
            "this is never true: `state == 'RUN'` and `state in [ 'STOPPED' , 'FAULT' ]` exclude each other",
        ),
        ("70 < temperature && temperature < 70.5 && 71 <= temperature", "this is never true: `temperature < 70.5` and"),
    ],
)
def test_a_condition_that_cannot_decide_is_said(condition: str, problem: str) -> None:
    (found,) = problems_of(HOT.replace("vibration_rms > 7", condition))
    assert found.startswith(f"rules/a.yaml:3:17: {problem}")


@pytest.mark.parametrize(
    "condition",
    [
        "vibration_rms > 7 && vibration_rms < 9",
        "vibration_rms >= 7 && vibration_rms <= 7",
        "vibration_rms > 7 || vibration_rms < 5",
        "(vibration_rms > 7 || temperature > 3) && vibration_rms < 5",
        "state == 'RUN' && state in ['RUN', 'IDLE']",
        "vibration_rms > temperature * 2 && vibration_rms < temperature",
        "codes.scrap_reason['S01'] == fault && 'E12' in codes.fault_reason",
    ],
)
def test_a_condition_that_can_be_true_is_none(condition: str) -> None:
    assert problems_of(HOT.replace("vibration_rms > 7", condition)) == []


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("codes.scrap_reason['S09'] == fault", '3:37: codes.scrap_reason has no "S09"; did you mean "S04"?'),
        ("'E13' in codes.fault_reason", '3:18: codes.fault_reason has no "E13"; did you mean "E12"?'),
        ("fault in codes.falt_reason", '3:27: unknown name "codes.falt_reason"; did you mean "codes.fault_reason"?'),
        (
            "good_count > vibration_rms",
            "3:18: good_count is in pcs and vibration_rms in mm/s, which do not go together",
        ),
        ("good_count * 2 > vibration_rms", None),
        ("2 > good_count - vibration_rms && true", "3:22: good_count is in pcs and vibration_rms in mm/s"),
    ],
)
def test_missing_codes_and_units_that_do_not_go_together_are_said(condition: str, problem: str | None) -> None:
    found = problems_of(HOT.replace("vibration_rms > 7", condition))
    assert [each.startswith(f"rules/a.yaml:{problem}") for each in found] == ([True] if problem else []), found


def test_a_parameter_has_a_unit_that_is_compared_too() -> None:
    assert problems_of((TEMPLATE + USE).replace("unit: mm/s", "unit: kg")) == [
        "rules/a.yaml:7:18: param.what is in mm/s and param.limit in kg, which do not go together"
    ]


def test_a_line_that_is_never_reached_is_said() -> None:
    line = '    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}\n'
    always = '    - {when: "true", loss: "\'unclassified\'"}\n'
    assert problems_of(DOWNTIME.replace(line, line + line)) == [
        "rules/a.yaml:6:14: never reached: it stands at rules/a.yaml:5:14 already"
    ]
    assert problems_of(DOWNTIME.replace(line, always + line)) == [
        "rules/a.yaml:6:14: never reached: the condition at rules/a.yaml:5:14 is always true"
    ]
    assert problems_of(DOWNTIME.replace(line, line + always)) == []


def test_time_may_be_over_after_a_line_that_always_holds() -> None:
    assert problems_of(COMPLETE.replace("disposition.status == 'accept'", "true")) == []


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "problem"),
    [
        (
            DOWNTIME,
            'loss: "codes.fault_reason[episode.fault]"',
            "loss: \"'brakdown'\"",
            '5:59: "brakdown" is no loss category; did you mean "breakdown"?',
        ),
        (
            DOWNTIME,
            "loss: loss}",
            'loss: "codes.scrap_reason[fault]"}',
            '7:44: codes.scrap_reason has "Short shot", which is no loss category',
        ),
        (VIBRATION, "with: {", "with: {priority: 7, ", "7:20: it must be 0, 1, 2 or 3"),
        (FAILURES, "quality.result == 'fail'", "false", "4:9: this is never true"),
        (
            SCRAP,
            "scrap.reason in codes.scrap_reason",
            "scrap.reason in codes.reasons",
            '7:31: unknown name "codes.reasons"',
        ),
    ],
)
def test_a_value_that_is_not_possible_is_said(rule: str, right: str, wrong: str, problem: str) -> None:
    assert right in rule
    (found,) = problems_of(rule.replace(right, wrong, 1))
    assert found.startswith(f"rules/a.yaml:{problem}")


def test_a_completion_by_two_rules_is_refused_whichever_form_they_have() -> None:
    at_once = """\
- rule: complete-at-once
  assets: "packaging/*"
  event: finished
  order: finished.order
  do: production.complete
  with: {quantity: finished.qty}
"""
    (problem,) = problems_of(COMPLETE + at_once)
    assert f'each finished at {LINE} is one production.complete, which the rule "complete" posts already' in problem


def test_two_rules_that_say_the_same_are_refused() -> None:
    assert problems_of(HOT + HOT.replace("rule: hot", "rule: warm")) == [
        f'rules/a.yaml:6:3: at {PRESS} the rule "hot" says the same already; remove one of the two'
    ]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert problems_of(ALL + PROGRESS.replace("rule: progress", "rule: more").replace("25", "30")) == []
