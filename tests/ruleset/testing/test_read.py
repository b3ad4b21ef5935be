"""Test files: what is wrong with them is said with its place, and with what was meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.plant import load_plant
from bridge.rule_tests.folder import load_tests
from tests.ruleset.testing.tried import problems_of, written

GOOD = """\
- test: t
  rule: downtime
  asset: packaging/line-1
  every: 1s
  given: {state: RUN}
  expect: []
"""


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            GOOD.removeprefix("- ").replace("\n  ", "\n"),
            ["1:1: expected a list of tests: each begins with `- test: <what must be so>`"],
        ),
        (
            GOOD.replace("expect", "expects"),
            [
                "1:3: this test expects nothing: write `expect: []` where nothing must be posted",
                '6:3: unknown key "expects"; did you mean "expect"?',
            ],
        ),
        (GOOD.replace("test: t", 'test: ""'), ["1:9: a test needs a name: a sentence that says what must be so"]),
        (GOOD + GOOD, ["7:9: this test stands twice, first at rules/x_test.yaml:1:9"]),
        (GOOD.replace("downtime", "downtme"), ['2:9: unknown rule "downtme"; did you mean "downtime"?']),
        (
            GOOD.replace("rule: downtime", "rule: downtime\n  rules: all"),
            ["1:3: say which rule is tested: `rule: <name>`, `rules: [<name>, ...]` or `rules: all`"],
        ),
        (
            GOOD.replace("rule: downtime", "rules: [downtime, scrap]"),
            [
                '2:21: the rule "scrap" is at work at machining/press-1, machining/press-2, '
                "and none of it takes part in this test"
            ],
        ),
        (
            GOOD.replace("line-1", "line-2"),
            ['3:10: there is no equipment "packaging/line-2"; did you mean "packaging/line-1"?'],
        ),
        (
            GOOD.replace("  every: 1s\n", ""),
            ["4:10: series need `every`, the time between two values, such as `every: 10s`"],
        ),
        (GOOD.replace("state: RUN", "stat: RUN"), ['5:11: "stat" is no signal here; did you mean "state"?']),
        (GOOD.replace("state: RUN", "finished: RUN"), ['5:11: "finished" is an event; events stand under `events`']),
        (GOOD.replace("state: RUN", "good_count: 1 two"), ["5:25: two is no whole number, which good_count is"]),
        (GOOD + "  at: {8: restart}\n", ['7:8: expected text, found 8; write "8" in quotes']),
        (
            GOOD + "  at: {8x: restart}\n",
            ['7:8: "8x" is no time since the beginning of the test, such as 4m, 1h30m or 0s'],
        ),
        (GOOD + "  at: {8s: restrt}\n", ['7:12: "restrt" is not possible here; did you mean "restart"?']),
        (GOOD + "  at: {8s: order_closed}\n", ["7:12: say which order: {order_closed: mo-42}"]),
        (
            GOOD + "  at: {8s: {restart: soon}}\n",
            ['7:22: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found the text "soon"'],
        ),
        (
            GOOD + "  at: {8s: {stale: packaging/line-1, birth: packaging/line-1}}\n",
            ["7:12: several at one moment stand in a list: [{stale: ...}, restart]"],
        ),
        (GOOD + "  at: {20s: restart}\n  until: 10s\n", ["8:10: the test ends before the last thing that it gives"]),
        (GOOD + "  until: 900d\n", ["7:10: 900d is too long: a test lasts a year at the most"]),
    ],
)
def test_a_wrong_test_is_said_with_its_place(text: str, problems: list[str]) -> None:
    assert problems_of(text) == problems


EVENTS = """\
- test: t
  rules: [scrap]
  asset: machining/press-1
  events:
    - {at: 1m, %s}
  expect: []
"""


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        (
            "scrap: {order: mo-1, qty: 4, reason: S01}",
            ['5:23: field "confirmed" is missing, and without it no rule sees the event'],
        ),
        (
            "scrap: {order: 4, qty: four, reason: S01, confirmed: 1}",
            [
                '5:31: expected text, found 4; write "4" in quotes',
                '5:39: expected a number, found the text "four"',
                "5:69: expected true or false, found 1",
            ],
        ),
        (
            "scrap: {ordr: mo-1, order: mo-1, qty: 4, reason: S01, confirmed: true}",
            ['5:24: unknown key "ordr"; did you mean "order"?'],
        ),
        ("told: 1s, state: RUN", ["5:22: it cannot be told before it happens"]),
        ("scarp: {}", ['5:16: "scarp" is neither an event nor a signal here; did you mean "scrap"?']),
        (
            "state: RUN, scrap: {order: mo-1, qty: 4, reason: S01, confirmed: true}",
            ['5:28: the event "scrap" is an entry of its own'],
        ),
        ("asset: machining/press-2", ["5:7: this entry names no event and no signal"]),
    ],
)
def test_a_wrong_event_is_said_with_its_place(entry: str, problems: list[str]) -> None:
    assert problems_of(EVENTS % entry) == problems


@pytest.mark.parametrize(
    ("expected", "problems"),
    [
        (
            "expect: [{do: downtime.recrod}]",
            ['6:17: "downtime.recrod" is not possible here; did you mean "downtime.record"?'],
        ),
        ("expect: [{start: 4m}]", ['6:12: key "do" is missing here']),
        ("expect: [{do: downtime.record, los: x}]", ['6:34: unknown key "los"; did you mean "loss"?']),
        (
            "expect: [{do: downtime.record, start: 240}]",
            ['6:41: "240" is no time since the beginning of the test, such as 4m, 1h30m or 0s'],
        ),
        (
            "expect: [{do: downtime.record, parts: [{shft: early}]}]",
            ['6:43: unknown key "shft"; did you mean "shift"?'],
        ),
        (
            "expect: [{do: downtime.record, asset: machining/press-1}]",
            ['6:41: "machining/press-1" does not take part in this test; known here: packaging/line-1'],
        ),
        (
            "expect: [{do: downtime.record, rule: scrap}]",
            ['6:40: the rule "scrap" is not at work in this test; known here: downtime'],
        ),
        (
            "expect: [{do: production.progress, quantity: 4}]",
            ["6:48: production.progress posts the total that was reached: write `upto`"],
        ),
        ("expect: [{do: production.scrap, quantity: four}]", ['6:45: expected a number, found the text "four"']),
        ("remarks: [counter-rest]", ['6:13: "counter-rest" is not possible here; did you mean "counter-reset"?']),
        ("alerts: [{txt: x}]", ['6:13: unknown key "txt"; did you mean "text"?']),
        ("unmet: [{do: production.scrap, reasn: x}]", ['6:34: unknown key "reasn"; did you mean "reason"?']),
    ],
)
def test_a_wrong_expectation_is_said_with_its_place(expected: str, problems: list[str]) -> None:
    assert problems_of(GOOD.replace("expect: []", expected)) == problems


def test_documents_alone_have_no_births() -> None:
    text = """\
- test: t
  rule: complete
  asset: quality/station-1
  at: {1m: {stale: [quality/station-1, quality/laboratory]}}
  expect: []
"""
    scenario = load_plant(Path(__file__).parents[2] / "scenarios" / "plant")
    assert problems_of(text.replace("quality/station-1", "quality/laboratory"), scenario) == [
        '2:9: the rule "complete" is at work at packing/line-1, packing/line-2, packing/line-3 and others, '
        "and none of it takes part in this test",
        "4:21: laboratory comes from no edge node: it has no births and is never stale",
        "4:41: laboratory comes from no edge node: it has no births and is never stale",
    ]


def test_both_names_of_equipment_are_the_same() -> None:
    test = written(GOOD.replace("packaging", "acme/berlin/packaging"))

    assert test.equipment == ("acme/berlin/packaging/line-1",)


def test_files_that_cannot_be_read_are_problems_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    shutil.copytree(Path(__file__).parent / "plant", folder)
    (folder / "rules" / "latin_test.yaml").write_bytes(b"- test: \xe4\n")
    (folder / "rules" / "odd_test.yaml").write_text("- test: [\n")

    with pytest.raises(ConfigError) as caught:
        load_tests(load_plant(folder))

    assert [str(each).split(" ", 1)[0] for each in caught.value.problems] == [
        "rules/latin_test.yaml:",
        "rules/odd_test.yaml:2:1:",
    ]
