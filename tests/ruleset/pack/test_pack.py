"""The rules that are ready to use do what their tests say, and their pages say what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.rule_pack.pack import FOLDER, TOGETHER, own_plant, own_tests, pack
from bridge.rule_tests.folder import run_test
from ruleset.form.vocabulary import ACTIONS, PROGRESS
from ruleset.rules import compile_rules
from ruleset.testing.case import Restart
from ruleset.testing.coverage import Coverage
from ruleset.testing.verdict import judge, told

PAGES = Path(__file__).parents[3] / "docs" / "rule-pack"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| `([^`]*)` \|", re.M)
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.S)


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def test_every_template_does_what_its_tests_say_and_they_reach_all_of_it() -> None:
    of, coverage = own_plant(), Coverage()
    rules = coverage.watch(of.rules)
    failures: dict[str, list[str]] = {}
    for test in own_tests():
        ran = run_test(test, of, rules)
        coverage.note(ran.came)
        failures[test.name] = list(told(judge(test, ran, of.assets.path)))

    assert {name: lines for name, lines in failures.items() if lines} == {}
    assert coverage.unreached(of.rules, of.rule_files) == ()


@pytest.mark.parametrize("name", pack())
def test_the_tests_of_a_template_need_no_other_and_restart_the_bridge(name: str) -> None:
    tests = [each for each in own_tests() if each.file == f"rules/{name}_test.yaml"]
    own = {each.name for each in own_plant().rules.rules if each.file == f"rules/{name}.yaml"}

    assert len(tests) >= 3
    assert {rule for test in tests for rule in test.rules} == own
    assert any(isinstance(act.what, Restart) for test in tests for act in test.acts)


def test_every_file_of_the_pack_belongs_to_a_template_and_has_a_page() -> None:
    files = {each.stem.removesuffix("_test") for each in (FOLDER / "rules").iterdir()}

    assert files == {*pack(), TOGETHER}
    assert {each.stem for each in PAGES.iterdir()} == {*pack(), "README"}
    assert set(re.findall(r"^\| \[([\w-]+)\]", page("README"), re.M)) == set(pack())
    assert len(pack()) == 12


@pytest.mark.parametrize("name", pack())
def test_a_page_tells_the_parameters_as_they_are(name: str) -> None:
    own = [(each.name, each.type.value, each.default) for each in pack()[name].parameters]

    assert ROW.findall(page(name)) == [(name, kind, default and str(default.raw.value)) for name, kind, default in own]


@pytest.mark.parametrize("name", pack())
def test_a_page_names_what_is_posted_and_what_it_needs(name: str) -> None:
    ready, text = pack()[name], page(name)
    posted = {each for each in (*ACTIONS, PROGRESS) if re.search(rf"\b(do|post): {re.escape(each)}\b", ready.text)}
    needed = {
        *(each.name for each in (*ready.needs.signals, *ready.needs.awaited)),
        *ready.needs.entries,
        *ready.needs.tables,
    }

    assert {each for each in posted | needed if f"`{each}`" not in text} == set()
    assert f"rules pack add {name} plant" in text


@pytest.mark.parametrize("name", pack())
def test_the_example_of_a_page_is_right_and_overrides_something(name: str) -> None:
    (example,) = EXAMPLE.findall(page(name))
    template = pack()[name].text.partition("\n- rule:")[0]

    rules, problems = compile_rules({"rules/t.yaml": template, "rules/use.yaml": example}, own_plant().assets)

    assert problems == ()
    assert rules is not None
    assert "override:" in example
