"""The rules of the demonstration plant and every example of the documentation are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.equipment import Assets
from ruleset.form.vocabulary import ACTIONS, PROGRESS
from ruleset.grammar.form import READERS
from ruleset.problem import Problems
from ruleset.rules import compile_rules

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "bridge" / "demo" / "plant"
DOCUMENT = (ROOT / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


def demonstration() -> Assets:
    problems = Problems()
    codes = read_codes("codes.yaml", (PLANT / "codes.yaml").read_text(), problems)
    assets = read_assets("assets.yaml", (PLANT / "assets.yaml").read_text(), codes, problems)
    assert assets is not None, problems.all
    return assets


def test_the_rules_of_the_demonstration_are_right() -> None:
    files = {f"rules/{each.name}": each.read_text() for each in sorted((PLANT / "rules").glob("*.yaml"))}
    rules, problems = compile_rules(
        {name: text for name, text in files.items() if not name.endswith("_test.yaml")}, demonstration()
    )
    assert problems == ()
    assert rules is not None
    assert {each.form for each in rules.rules} == set(READERS) - {"at_end_of"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_documentation_is_right(example: str) -> None:
    rules, problems = compile_rules({"docs/rules.md": example}, demonstration())
    assert problems == ()
    assert rules is not None
    assert rules.instances


def test_the_documentation_shows_every_form_and_names_every_action() -> None:
    shown = [compile_rules({"docs/rules.md": example}, demonstration())[0] for example in EXAMPLES]
    assert {each.form for rules in shown if rules is not None for each in rules.rules} == set(READERS)
    for name in (*ACTIONS, PROGRESS, *(parameter for each in ACTIONS.values() for parameter in each.parameters)):
        assert f"`{name}" in DOCUMENT
