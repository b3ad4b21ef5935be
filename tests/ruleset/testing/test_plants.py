"""The tests that stand beside the rules of our plants pass, and reach all that these rules can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.rule_tests.folder import load_tests, run_test
from ruleset.testing.coverage import Coverage
from ruleset.testing.verdict import judge, told
from tests.ruleset.testing.tried import DEMO, OWN, SCENARIOS, plant


@pytest.mark.parametrize("folder", [DEMO, SCENARIOS, OWN], ids=["demo", "scenarios", "shifts"])
def test_the_rules_of_a_plant_do_what_their_tests_say(folder: Path) -> None:
    of, coverage = plant(folder), Coverage()
    rules = coverage.watch(of.rules)
    failures: dict[str, list[str]] = {}
    for test in load_tests(of):
        ran = run_test(test, of, rules)
        coverage.note(ran.came)
        failures[test.name] = list(told(judge(test, ran, of.assets.path)))

    assert {name: lines for name, lines in failures.items() if lines} == {}
    assert coverage.unreached(of.rules, of.rule_files) == ()
