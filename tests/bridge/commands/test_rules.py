"""`uns-bridge rules`: tests are run, chosen and reported; what is wrong ends with the exit code that says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from bridge.commands.check import check
from bridge.commands.rules import app

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "bridge" / "demo" / "plant"
FAILING = """\
- test: a line that stops has a stop of ten seconds
  rule: downtime
  asset: packaging/line-1
  every: 1s
  given: {state: "RUN STOPPED x9 RUN"}
  expect: [{do: downtime.record, start: 1s, end: 11s}]
"""


def rules(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demonstration plant with one test more, which fails."""
    copy = tmp_path / "plant"
    shutil.copytree(DEMO, copy)
    (copy / "rules" / "line_test.yaml").write_text(FAILING)
    return copy


def test_all_tests_of_a_folder_are_run() -> None:
    result = rules("test", DEMO)

    assert result.exit_code == 0
    assert result.stdout.startswith("17 tests, all passed, in ")


def test_a_failed_test_is_told_and_the_command_fails(folder: Path) -> None:
    result = rules("test", folder)

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        "rules/line_test.yaml:1: FAILED a line that stops has a stop of ten seconds",
        "    different posting, rules/line_test.yaml:6",
    ]
    assert "end: expected 11s, got 10s" in result.stdout
    assert lines[-1].startswith("18 tests, 1 failed, in ")


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (["line_test.yaml"], 1),
        (["rules/equipment_test.yaml"], 6),
        (["scrap"], 2),
        (["scrap", "complete"], 5),
        (["downtime", "-k", "STOPS"], 2),
        (["a line that stops has a stop of ten seconds"], 1),
    ],
)
def test_tests_are_chosen_by_rule_file_or_name(folder: Path, chosen: list[str], count: int) -> None:
    told = json.loads(rules("test", folder, *chosen, "--json").stdout)

    assert len(told["tests"]) == told["passed"] + told["failed"] == count


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (["scrp"], 'no test is of a rule or file "scrp", or has that name; did you mean "scrap"?'),
        (["-k", "unicorn"], 'no test has "unicorn" in its name'),
    ],
)
def test_a_choice_that_leaves_nothing_is_wrong_use(folder: Path, chosen: list[str], sentence: str) -> None:
    result = rules("test", folder, *chosen)

    assert (result.exit_code, result.stderr) == (2, f"{folder}: {sentence}\n")


def test_a_folder_without_tests_is_wrong_use(folder: Path) -> None:
    for path in (folder / "rules").glob("*_test.yaml"):
        path.unlink()

    result = rules("test", folder)

    assert (result.exit_code, result.stderr) == (
        2,
        f"{folder}: no file rules/*_test.yaml has a test; see docs/rule-tests.md\n",
    )


def test_coverage_says_what_was_not_reached_and_fails_under_its_threshold(folder: Path) -> None:
    little = rules("test", folder, "-k", "micro-stops", "--fail-under", "50")
    enough = rules("test", DEMO, "--fail-under", "100")

    assert little.exit_code == 1
    assert "rules/production.yaml:6:7: rule work-started: workorder.start was never posted" in little.stdout
    assert little.stderr == "the tests reach 18.8 % of the rules, less than 50 %\n"
    assert enough.exit_code == 0
    assert enough.stdout.splitlines()[0] == "32 of 32 branches of the rules reached (100.0 %)"


def test_the_json_has_every_test_with_why_it_failed_and_what_was_not_reached(folder: Path) -> None:
    told = json.loads(rules("test", folder, "downtime", "-k", "stop", "--json", "--coverage").stdout)

    failed = [each for each in told["tests"] if not each["passed"]]
    assert [(each["file"], each["line"], each["why"][0]) for each in failed] == [
        ("rules/line_test.yaml", 1, "different posting, rules/line_test.yaml:6")
    ]
    assert told["coverage"]["branches"] == 32
    assert told["coverage"]["unreached"][0]["file"] == "rules/equipment.yaml"


def test_the_junit_report_has_a_suite_for_each_file_and_a_case_for_each_test(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"

    assert rules("test", folder, "--junit", report).exit_code == 1

    root = ElementTree.parse(report).getroot()
    assert (root.get("tests"), root.get("failures")) == ("18", "1")
    assert {suite.get("name"): suite.get("tests") for suite in root} == {
        "rules/equipment_test.yaml": "6",
        "rules/line_test.yaml": "1",
        "rules/production_test.yaml": "11",
    }
    (failure,) = root.iter("failure")
    assert failure.get("message") == "different posting, rules/line_test.yaml:6"
    assert "end: expected 11s, got 10s" in (failure.text or "")


def test_the_junit_report_is_xml_whatever_the_floor_says(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    scrap = '{order: mo-1, qty: 4, reason: "S\\a<1>", confirmed: true}'
    (folder / "rules" / "line_test.yaml").write_text(
        f"- test: t\n  rule: scrap\n  asset: machining/press-1\n  events: [{{at: 1m, scrap: {scrap}}}]\n  expect: []\n"
    )

    rules("test", folder, "line_test.yaml", "--junit", report)

    (failure,) = ElementTree.parse(report).getroot().iter("failure")
    assert "reason 'scrap reason S?<1> is not in codes.yaml'" in (failure.text or "")


def test_a_report_that_cannot_be_written_is_wrong_use(folder: Path) -> None:
    result = rules("test", folder, "scrap", "--junit", folder / "no" / "junit.xml")

    assert (result.exit_code, result.stderr) == (
        2,
        f"{folder}/no/junit.xml: cannot be written: No such file or directory\n",
    )


def test_what_is_wrong_with_a_test_file_is_told_by_check_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules" / "line_test.yaml").write_text(FAILING.replace("downtime\n", "downtme\n"))

    assert check(folder, json_output=False) == 2
    assert capsys.readouterr().out.splitlines()[0] == (
        'rules/line_test.yaml:2:9: unknown rule "downtme"; did you mean "downtime"?'
    )
    assert rules("test", folder).exit_code == 2


def test_the_rules_are_listed_with_their_versions_and_tests() -> None:
    listed = json.loads(rules("list", DEMO, "--json").stdout)
    table = rules("list", DEMO)

    scrap = next(each for each in listed if each["rule"] == "scrap")
    assert (scrap["form"], scrap["file"], scrap["line"], scrap["tests"]) == ("event", "rules/production.yaml", 24, 2)
    assert scrap["equipment"] == ["acme/berlin/machining/press-1", "acme/berlin/machining/press-2"]
    assert table.exit_code == 0
    assert scrap["version"] in table.stdout
