"""A small plant, and tests that are written for it in a line or two."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.plant import Plant, load_plant
from bridge.rule_tests.folder import run_test
from ruleset.problem import Problems
from ruleset.testing.case import RuleTest, Shown
from ruleset.testing.read import read_tests
from ruleset.testing.shown import shown
from ruleset.testing.verdict import Verdict, judge, told

FILE = "rules/x_test.yaml"
OWN = Path(__file__).parent / "plant"
ROOT = Path(__file__).parents[3]
DEMO = ROOT / "bridge" / "demo" / "plant"
SCENARIOS = ROOT / "tests" / "scenarios" / "plant"


@cache
def plant(folder: Path = DEMO) -> Plant:
    return load_plant(folder)


def with_rules(text: str, folder: Path = DEMO) -> Plant:
    """The plant with these rules instead of its own."""
    with TemporaryDirectory() as home:
        made = Path(home) / "plant"
        shutil.copytree(folder, made, ignore=shutil.ignore_patterns("rules"))
        (made / "rules").mkdir()
        (made / "rules" / "x.yaml").write_text(text)
        return load_plant(made)


def problems_of(text: str, of: Plant | None = None) -> list[str]:
    """What is wrong with a test file, without the file's name."""
    problems = Problems()
    tested = of or plant()
    read_tests({FILE: text}, tested.rules, tested.assets, problems)
    return [str(each).removeprefix(f"{FILE}:") for each in problems.all]


def written(text: str, of: Plant | None = None) -> RuleTest:
    """The only test of a file in which nothing is wrong."""
    problems = Problems()
    tested = of or plant()
    tests = read_tests({FILE: text}, tested.rules, tested.assets, problems)
    assert problems.all == ()
    (test,) = tests
    return test


def came_of(text: str, *names: str, of: Plant | None = None) -> list[tuple[Shown, ...]]:
    """What came of a test: of each output these fields, as a test would name them."""
    tested = of or plant()
    test = written(text, tested)
    all_shown = [
        shown(each.output, each.now_ms, test.start_ms, tested.assets.path)
        for each in run_test(test, tested, tested.rules).came
    ]
    return [tuple(str(each[name]) for name in names if name in each) for each in all_shown]


def verdict_of(text: str, of: Plant | None = None) -> Verdict:
    tested = of or plant()
    test = written(text, tested)
    return judge(test, run_test(test, tested, tested.rules), tested.assets.path)


def why(text: str, of: Plant | None = None) -> list[str]:
    """The lines that tell why a test failed; none where it passed."""
    return list(told(verdict_of(text, of)))
