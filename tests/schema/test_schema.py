"""The schemas know what the readers know: an editor marks nothing that is right, and what it offers can be read."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from ruleset.form.vocabulary import ACTIONS
from ruleset.grammar.form import READERS
from tests.ruleset.floor import ASSETS, CODES, problems_of
from tests.ruleset.test_alert import EPISODE, EVENT
from tests.ruleset.test_rules import ALL, COMPLETE, DOWNTIME, FAILURES, PROGRESS, SCRAP, VIBRATION
from tests.ruleset.test_template import TEMPLATE, USE
from tests.ruleset.test_track import PER_ORDER, SILENT, WARMING
from tests.schema.files import FOLDER, schemas, texts

ROOT: Final = Path(__file__).parents[2]
PLANTS: Final = sorted(path.parent for path in ROOT.glob("*/**/assets.yaml") if "build" not in path.parts)
READ_BY: Final = {
    "rules": sorted((ROOT / "ruleset" / "grammar").glob("*.py")),
    "assets": [ROOT / "ruleset" / name for name in ("assets.py", "signal.py", "shift/read.py")],
    "workflows": [ROOT / "bridge" / "plant.py"],
}


def wrong(name: str, text: str) -> list[str]:
    document = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))
    return [error.message for error in Draft7Validator(schemas()[f"{name}.schema.json"]).iter_errors(document)]


def test_the_files_are_those_that_are_made() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == texts()


@pytest.mark.parametrize("name", schemas())
def test_each_is_a_schema_with_a_title(name: str) -> None:
    schema = schemas()[name]
    Draft7Validator.check_schema(schema)
    assert schema["title"]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_plant_of_the_repository_fits(plant: Path) -> None:
    assert wrong("assets", (plant / "assets.yaml").read_text()) == []
    assert wrong("codes", (plant / "codes.yaml").read_text()) == []
    if (plant / "workflows.yaml").exists():
        assert wrong("workflows", (plant / "workflows.yaml").read_text()) == []
    for path in (plant / "rules").glob("*.yaml"):
        if not path.name.endswith("_test.yaml"):
            assert wrong("rules", path.read_text()) == []


def test_every_example_of_the_documentation_fits() -> None:
    examples = re.findall(r"```yaml\n(- .*?)```", (ROOT / "docs" / "rules.md").read_text(), re.DOTALL)
    assert len(examples) >= len(READERS)
    assert [wrong("rules", example) for example in examples] == [[]] * len(examples)


@pytest.mark.parametrize("rule", [ALL, EVENT, EPISODE, TEMPLATE + USE, WARMING, SILENT, PER_ORDER])
def test_what_the_reader_takes_fits(rule: str) -> None:
    assert problems_of(rule) == []
    assert wrong("rules", rule) == []


def test_the_plant_of_the_tests_fits() -> None:
    assert wrong("assets", ASSETS) == []
    assert wrong("codes", CODES) == []


@pytest.mark.parametrize(
    ("rule", "right", "refused"),
    [
        (SCRAP, "event: scrap", "evnt: scrap"),
        (SCRAP, "production.scrap", "production.scarp"),
        (SCRAP, "quantity: scrap.qty,", ""),
        (SCRAP, "quantity: scrap.qty", "amount: scrap.qty"),
        (SCRAP, "  do: ", "  alert: both\n  do: "),
        (SCRAP, '  assets: "*"\n', ""),
        (PROGRESS, "60s", "60"),
        (PROGRESS, "delta: good_count", "delta_of: good_count"),
        (VIBRATION, "for: 30s", "for: half a minute"),
        (DOWNTIME, "merge_gaps: 5s", "merge_gap: 5s"),
        (FAILURES, "at_least: 3", "at_least: three"),
        (COMPLETE, "at_most: 4h", "atmost: 4h"),
        (USE, "use: too-high", "use: too-high\n  once: 1d"),
        (TEMPLATE, "type: duration", "type: time"),
        (WARMING, "over: 10m", "over: ten"),
    ],
)
def test_what_the_reader_refuses_by_its_form_does_not_fit(rule: str, right: str, refused: str) -> None:
    assert right in rule
    text = rule.replace(right, refused, 1)
    assert problems_of(text if rule is not USE else TEMPLATE + text) != []
    assert wrong("rules", text) != []


@pytest.mark.parametrize("name", READ_BY)
def test_every_key_that_a_reader_knows_is_described(name: str) -> None:
    schema = schemas()[f"{name}.schema.json"]
    known = {key for path in READ_BY[name] for key in _allowed(ast.parse(path.read_text()))}
    assert len(known) > 5
    assert known - _keys(schema) == set()


def test_every_action_and_every_form_is_there() -> None:
    text = texts()["rules.schema.json"]
    assert [name for name in (*ACTIONS, *READERS) if f'"{name}"' not in text] == []


def _allowed(tree: ast.Module) -> set[str]:
    """The keys that stand as texts in `allowed={...}` and `required={...}` of a call, or in sets of those names."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="allowed" | "required", value=value):
                pass
            case ast.Assign(targets=[ast.Name(id="allowed" | "required" | "needed")], value=value):
                pass
            case _:
                continue
        constants = (each.value for each in ast.walk(value) if isinstance(each, ast.Constant))
        found |= {each for each in constants if isinstance(each, str)}
    return found


def _keys(schema: Any) -> set[str]:
    """Every property that is named anywhere in a schema."""
    if isinstance(schema, list):
        return set().union(*(_keys(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    own = {key for part in ("properties", "definitions") for key in schema.get(part, ()) if key}
    return own.union(*(_keys(each) for each in schema.values()))
