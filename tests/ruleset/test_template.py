"""Templates: one body for a class of equipment, with parameters that a rule and an equipment may set."""

from __future__ import annotations

import pytest

from ruleset.rules import unused_templates
from tests.ruleset.floor import LINE, PRESS, Floor, compiled, problems_of

TEMPLATE = """\
- template: too-high
  parameters:
    what: {type: signal}
    limit: {type: number, unit: mm/s, default: 7.1}
    hold: {type: duration, default: 30s}
    part: {type: text, default: "spindle's"}
  raise: {when: "param.what > param.limit && !(string(param.what) == 'param.limit')", for: param.hold}
  do: maintenance.request
  with: {title: "param.part + ' ' + string(param.what) + ' > ' + string(param.limit)"}
"""
USE = """\
- rule: vibration
  use: too-high
  assets: "machining/*"
  parameters: {what: vibration_rms}
  override:
    - {assets: "machining/press-2", parameters: {limit: 9, hold: 1m}}
"""
PRESS_2 = PRESS.replace("press-1", "press-2")


def test_parameters_stand_in_expressions_and_for_durations_each_with_its_default() -> None:
    floor = Floor(TEMPLATE + USE, at=PRESS)
    floor.comes_back(vibration_rms=2.0)
    floor.says(vibration_rms=8.25)
    assert floor.after(29_999) == []
    assert floor.after(1) == ["maintenance SN-1 spindle's 8.25 > 7.1 priority 1"]


def test_one_equipment_has_values_of_its_own() -> None:
    floor = Floor(TEMPLATE + USE, at=PRESS_2)
    floor.comes_back(vibration_rms=8.25)
    assert floor.after(60_000) == []
    floor.says(vibration_rms=9.5)
    assert floor.after(59_999) == []
    assert floor.after(1) == ["maintenance SN-2 spindle's 9.5 > 9 priority 1"]


def test_a_template_serves_many_rules_from_any_file_and_place() -> None:
    hot = USE.replace("rule: vibration", "rule: hot").replace("vibration_rms", "temperature").split("  override")[0]
    assert {each.name: each.equipment for each in compiled(USE + hot + TEMPLATE).rules} == {
        "vibration": (PRESS, PRESS_2),
        "hot": (PRESS, PRESS_2),
    }


def test_the_version_covers_the_template_and_the_parameters() -> None:
    def version(text: str) -> str:
        return compiled(text).rules[0].version

    assert version(TEMPLATE + USE) == version(USE + TEMPLATE.replace("  do:", "  # why\n  do:"))
    texts = (TEMPLATE + USE, TEMPLATE.replace("7.1", "7.2") + USE, TEMPLATE + USE.replace("limit: 9", "limit: 8"))
    assert len({version(each) for each in texts}) == 3


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("use: too-high", "use: to-high", '11:8: unknown template "to-high"; did you mean "too-high"?'),
        ("{what: vibration_rms}", "{}", '10:3: template "too-high" needs the parameter "what", a signal'),
        (
            "{what: vibration_rms}",
            "{what: vibration_rms, limt: 3}",
            '13:37: the template has no parameter "limt"; did you mean "limit"?',
        ),
        (
            "{what: vibration_rms}",
            "{what: vibration}",
            '13:22: unknown signal "vibration"; did you mean "vibration_rms"?',
        ),
        ("limit: 9,", "limit: high,", '15:57: expected a number, found the text "high"'),
        (
            "hold: 1m",
            "what: temperature",
            '15:60: "what" names a signal, which is the same for all equipment of a rule; write a second rule',
        ),
        ("press-2", "press-9", '15:16: no equipment matches "machining/press-9"; did you mean "machining/press-2"?'),
        (
            "machining/press-2",
            "packaging/*",
            "15:16: this rule is for none of that equipment, so there is nothing to override",
        ),
        ("param.limit &&", "param.limt &&", '7:31: unknown parameter "limt"; did you mean "limit"?'),
        ("for: param.hold", "for: param.hald", '7:92: unknown parameter "hald"; did you mean "hold"?'),
        (
            "type: duration",
            "type: time",
            '5:18: "time" is not possible here; known here: boolean, duration, number, signal, text',
        ),
        ("default: 30s", "default: 30", "5:37: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found 30"),
        (
            "unit: mm/s",
            "unit: mms",
            '4:33: unit "mms" does not stand in the table units of codes.yaml; did you mean "mm/s"?',
        ),
        ("  raise:", "  rise:", "1:3: this rule has no form: it needs one of `event`, `collect`, `episode` or `raise`"),
        ("  do: main", "  dooo: 3\n  do: main", '8:3: unknown key "dooo"; did you mean "do"?'),
        (
            "- rule: vibration",
            "- rule: vibration\n  once: 1d",
            '11:3: unknown key "once"; known here: assets, override, parameters, rule, use',
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(right: str, wrong: str, problem: str) -> None:
    text = TEMPLATE + USE
    assert right in text
    assert problems_of(text.replace(right, wrong, 1)) == [f"rules/a.yaml:{problem}"]


def test_a_template_that_no_rule_uses_is_read_too() -> None:
    assert problems_of(TEMPLATE.replace("  do:", "  doo:")) != []


def test_a_template_stands_once() -> None:
    assert problems_of(TEMPLATE + TEMPLATE) == [
        'rules/a.yaml:10:13: template "too-high" stands twice, first at rules/a.yaml:1:13',
    ]


def test_equipment_without_the_signal_of_a_parameter_is_named() -> None:
    assert problems_of(
        TEMPLATE + USE.split("  override")[0].replace("machining/*", LINE.removeprefix("acme/berlin/"))
    ) == ['rules/a.yaml:12:11: packaging/line-1 is selected here and has no signal "vibration_rms"']


def test_a_template_that_no_rule_uses_is_worth_a_note() -> None:
    other = TEMPLATE.replace("too-high", "too-low", 1)
    notes = unused_templates({"rules/a.yaml": TEMPLATE + USE, "rules/b.yaml": other})
    assert [str(each) for each in notes] == ['rules/b.yaml:1:13: no rule uses the template "too-low"']
