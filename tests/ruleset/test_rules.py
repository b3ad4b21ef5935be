"""Rule files: what is wrong with them is said with its place and what was meant."""

from __future__ import annotations

import pytest

from ruleset.rules import compile_rules
from tests.ruleset.floor import LINE, PRESS, compiled, plant, problems_of

SCRAP = """\
- rule: scrap
  assets: "*"
  event: scrap
  order: scrap.order
  when: scrap.confirmed && scrap.qty > 0
  need:
    - {that: "scrap.reason in codes.scrap_reason", else: "reason {scrap.reason} is not known"}
  do: production.scrap
  with: {quantity: scrap.qty, reason: "codes.scrap_reason[scrap.reason]", lot: scrap.lot}
"""
PROGRESS = """\
- rule: progress
  assets: "packaging/*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, or: "good >= 25", and_when_changes: [order, crew]}
  do: production.progress
  with: {quantity: good}
"""
VIBRATION = """\
- rule: vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7.1", for: 30s}
  clear: {when: "vibration_rms < 5.5", for: 5m}
  once: while_open
  do: maintenance.request
  with: {title: "'Vibration on ' + asset.name"}
"""
DOWNTIME = """\
- rule: downtime
  assets: "*"
  episode: {open: "state in ['STOPPED', 'FAULT']", close: "state == 'RUN'", merge_gaps: 5s}
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}
"""
FAILURES = """\
- rule: failures
  assets: "quality/*"
  event: quality
  when: quality.result == 'fail'
  count: {by: [quality.check], at_least: 3, within: 8h}
  do: maintenance.request
  with: {title: "'3 failures of ' + quality.check"}
"""
COMPLETE = """\
- rule: complete
  assets: "packaging/*"
  event: finished
  order: finished.order
  wait: {for: disposition, match: "disposition.lot == finished.lot", at_most: 4h}
  do:
    - {when: "disposition.status == 'accept'", post: production.complete, with: {quantity: finished.qty}}
    - {when: timed_out, alert: "no disposition for {finished.order}"}
"""
ALL = SCRAP + PROGRESS + VIBRATION + DOWNTIME + FAILURES + COMPLETE


def test_rules_are_for_the_equipment_that_has_what_they_name() -> None:
    press_2 = PRESS.replace("press-1", "press-2")
    assert {each.name: (each.form, each.line, each.equipment) for each in compiled(ALL).rules} == {
        "scrap": ("event", 1, (PRESS, press_2)),
        "progress": ("collect", 10, (LINE,)),
        "vibration": ("raise", 17, (PRESS, press_2)),
        "downtime": ("episode", 24, (PRESS, press_2)),
        "failures": ("count", 31, ("acme/berlin/quality/station-1",)),
        "complete": ("wait", 38, (LINE,)),
    }


def test_a_version_is_what_the_rule_says_not_how_it_is_written() -> None:
    def version(text: str) -> str:
        return compiled(text).rules[0].version

    reordered = VIBRATION.replace("  once: while_open\n", "").replace("  do:", "  once: while_open   # why\n  do:")
    assert version(reordered) == version(VIBRATION)
    assert version(SCRAP + VIBRATION) == version(SCRAP)
    assert version(VIBRATION.replace("7.1", "7.2")) != version(VIBRATION)


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "problem"),
    [
        (SCRAP, "event: scrap", "event: scrapp", '3:10: unknown event "scrapp"; did you mean "scrap"?'),
        (
            SCRAP,
            "event: scrap",
            "event: state",
            '3:10: "state" is a value, not an event; '
            "known here: disposition, dosed, finished, named, quality, scrap, work_started",
        ),
        (SCRAP, "when:", "wen:", '5:3: unknown key "wen"; did you mean "when"?'),
        (SCRAP, "scrap.qty > 0", "scrap.qtty > 0", '5:28: unknown name "scrap.qtty"; did you mean "scrap.qty"?'),
        (SCRAP, "scrap.qty > 0", "scrap.qty >> 0", "5:39: not an expression: '>' is not possible here"),
        (SCRAP, "scrap.qty > 0", "scrap.reason > 0", "5:41: > does not go with text and a number"),
        (
            SCRAP,
            "scrap.confirmed && scrap.qty > 0",
            "scrap.qty",
            "5:9: a condition must be true or false; this is a number",
        ),
        (SCRAP, "{scrap.reason}", "{scrap.reson}", '7:67: unknown name "scrap.reson"; did you mean "scrap.reason"?'),
        (SCRAP, "_reason[", "_raison[", '9:40: unknown name "codes.scrap_raison"; did you mean "codes.scrap_reason"?'),
        (
            SCRAP,
            "do: production.scrap",
            "do: production.scrp",
            '8:7: unknown action "production.scrp"; did you mean "production.scrap"?',
        ),
        (
            SCRAP,
            "lot: scrap.lot",
            "lot: Lot A",
            "9:84: not an expression: 'A' is not possible here; a text is written \"'Lot A'\"",
        ),
        (SCRAP, "lot: scrap.lot", "lott: scrap.lot", '9:75: unknown key "lott"; did you mean "lot"?'),
        (SCRAP, "quantity: scrap.qty, ", "", '9:9: production.scrap needs "quantity" under `with`'),
        (
            SCRAP,
            "quantity: scrap.qty",
            "quantity: scrap.weight",
            "9:20: this quantity has no unit: give its signal one in assets.yaml, or add `unit` here",
        ),
        (
            SCRAP,
            "quantity: scrap.qty",
            "unit: kgg, quantity: scrap.qty",
            '9:16: unknown unit "kgg"; did you mean "kg"?',
        ),
        (
            SCRAP,
            "quantity: scrap.qty",
            "unit: kg, quantity: scrap.qty",
            '9:16: "pcs" (pieces) does not convert to "kg" (mass); write the quantity as a calculation with what one '
            "of them is, such as `net / 0.4`, or say it in a table own_units of codes.yaml",
        ),
        (
            SCRAP,
            "quantity: scrap.qty",
            "unit: mm/s, quantity: scrap.weight",
            '9:16: "mm/s" is only measured: codes.yaml names no unit of Odoo for it',
        ),
        (
            SCRAP,
            "  order: scrap.order\n",
            "",
            "7:7: production.scrap belongs to an order: add `order: running`, or an expression that names it",
        ),
        (SCRAP, '"*"', '"machning/*"', '2:11: no equipment matches "machning/*"; did you mean "machining/*"?'),
        (SCRAP, '"*"', '"packaging/*"', '2:11: packaging/line-1 is selected here and has no signal "scrap"'),
        (
            SCRAP,
            "scrap.confirmed &&",
            "crew == 'A' && planned &&",
            '2:11: this rule can never apply: no equipment has "crew", "planned" and "scrap"',
        ),
        (
            SCRAP,
            "rule: scrap",
            "rule: Scrap!",
            '1:9: rule name "Scrap!" must be lower case letters, digits, "-" and "_"',
        ),
        (PROGRESS, "60s", "60", "5:17: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found 60"),
        (
            PROGRESS,
            "good_count",
            "good_cnt",
            '4:27: "good_cnt" is no signal with the role counter; did you mean "good_count"?',
        ),
        (PROGRESS, "[order, crew]", "[order, crw]", '5:66: unknown signal "crw"; did you mean "crew"?'),
        (PROGRESS, "quantity: good", "quantity: god", '7:20: "god" is not collected here; did you mean "good"?'),
        (
            PROGRESS,
            "order: running",
            "order: order",
            "3:10: pieces are counted for the order that runs: write `order: running`",
        ),
        (
            PROGRESS,
            'every: 60s, or: "good >= 25", ',
            "",
            "5:9: nothing says when to post: add `every` (such as 60s) or `or` (such as good >= 25)",
        ),
        (
            PROGRESS,
            "production.progress",
            "production.complete",
            '6:7: "production.complete" is not possible here; collect posts production.progress',
        ),
        (VIBRATION, "while_open", "whenever", '5:9: expected while_open or a duration such as 24h, found "whenever"'),
        (
            VIBRATION,
            "vibration_rms > 7.1",
            "vibration > 7.1",
            '3:18: unknown name "vibration"; did you mean "vibration_rms"?',
        ),
        (
            DOWNTIME,
            '"*"',
            "packaging/line-1",
            '2:11: packaging/line-1 is selected here and has no signal "fault"',
        ),
        (
            DOWNTIME,
            "episode.fault in",
            "episode.falt in",
            '5:15: unknown name "episode.falt"; did you mean "episode.fault"?',
        ),
        (
            FAILURES,
            "[quality.check]",
            "[check]",
            '5:16: "check" is no field of this event; known here: quality.check, quality.id, quality.result',
        ),
        (FAILURES, "at_least: 3", "at_least: 0", "5:42: 0 is too small: at least 1"),
        (
            COMPLETE,
            "for: disposition",
            "for: dispositon",
            '5:15: unknown event "dispositon"; did you mean "disposition"?',
        ),
        (
            COMPLETE,
            "{finished.order}",
            "{finished.ordr}",
            '8:53: unknown name "finished.ordr"; did you mean "finished.order"?',
        ),
        (
            COMPLETE,
            "alert: ",
            "post: quality.hold, alert: ",
            "8:7: each line of `do` either posts or alerts: give it `post` or `alert`",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(rule: str, right: str, wrong: str, problem: str) -> None:
    assert right in rule
    assert problems_of(rule.replace(right, wrong, 1)) == [f"rules/a.yaml:{problem}"]


def test_equipment_that_lacks_what_the_action_needs_is_named() -> None:
    rule = """\
- rule: stopped
  assets: "*"
  raise: {when: "state == 'FAULT' && crew == 'A'"}
  do: maintenance.request
  with: {title: "'Fault on ' + asset.name"}
"""
    assert problems_of(rule) == [
        "rules/a.yaml:4:7: packaging/line-1 has no serial_number in assets.yaml, which maintenance.request needs"
    ]


def test_all_problems_are_said_at_once_and_each_once() -> None:
    assert problems_of(SCRAP.replace("scrap.qty", "scrap.qtty") + DOWNTIME.replace("state", "stat")) == [
        'rules/a.yaml:5:28: unknown name "scrap.qtty"; did you mean "scrap.qty"?',
        'rules/a.yaml:9:20: unknown name "scrap.qtty"; did you mean "scrap.qty"?',
        'rules/a.yaml:12:20: unknown name "stat"; did you mean "state"?',
        'rules/a.yaml:12:59: unknown name "stat"; did you mean "state"?',
    ]


def test_a_rule_stands_once_in_all_files() -> None:
    rules, problems = compile_rules({"rules/b.yaml": SCRAP, "rules/a.yaml": SCRAP}, plant())
    assert (rules, [str(each) for each in problems]) == (
        None,
        ['rules/b.yaml:1:9: rule "scrap" stands twice, first at rules/a.yaml:1:9'],
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- just text", "1:3: expected a rule: a mapping that begins with `rule: <name>`"),
        ("rule: x", "1:1: expected a list, found a mapping"),
        (
            "- {rule: x, assets: '*'}",
            "1:3: this rule has no form: it needs one of `event`, `collect`, `episode` or `raise`",
        ),
    ],
)
def test_what_is_no_rule_at_all_is_said(text: str, problem: str) -> None:
    assert problems_of(text) == [f"rules/a.yaml:{problem}"]


def test_the_place_is_right_in_quoted_text_and_the_value_in_text_over_several_lines() -> None:
    quoted = SCRAP.replace("when: scrap.confirmed", "when: 'scrap.lot == ''a'' && scrap.confirmed").replace(
        "> 0", "> nil'"
    )
    assert problems_of(quoted) == [f'rules/a.yaml:5:{quoted.splitlines()[4].index("nil") + 1}: unknown name "nil"']
    folded = SCRAP.replace("when: scrap.confirmed", "when: |\n    scrap.confirmed\n   ").replace("> 0", "> nil")
    assert problems_of(folded) == ['rules/a.yaml:5:9: unknown name "nil"']


def test_an_empty_file_has_no_rules() -> None:
    assert compiled("# nothing yet\n").rules == ()


def test_two_rules_that_post_one_fact_are_refused() -> None:
    second = SCRAP.replace("rule: scrap", "rule: more-scrap")
    (problem,) = problems_of(SCRAP + second)
    assert problem == (
        f'rules/a.yaml:10:3: each scrap at {PRESS} is one production.scrap, which the rule "scrap" posts already; '
        "join the two rules, or let them choose different equipment"
    )


def test_two_rules_whose_time_records_would_overlap_are_refused() -> None:
    (problem,) = problems_of(DOWNTIME + DOWNTIME.replace("rule: downtime", "rule: faults"))
    assert 'is one downtime.record, which the rule "downtime" posts already' in problem
