"""`uns-bridge rules pack`: what is ready is shown, and copied into a plant that can take it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.commands.rules import app
from bridge.rule_pack.pack import FOLDER, pack

OWN_WORDS = {
    "machining/press-": "hall-2/oven-",
    "mixing/mixer-1": "hall-3/kneader",
    "quality/station-1": "hall-3/scale",
    "good_count": "loaves",
    "vibration_rms": "shaking",
    "running_hours": "hours",
    "energy_used": "gas",
    "E12: breakdown": "F-7: setup",
    "W03: setup": "F-8: breakdown",
    "S01: Short shot": 'B1: "Burnt, black"',
    "S02: Burn mark": "B2: Flat",
    "result: text": "result: text, order: text, defects: {list: {code: text}}, torque: number",
}
SIGNALS = {"count": "loaves", "value": "shaking", "hours": "hours", "meter": "gas"}


def rules(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The plant of the pack, without its rules."""
    copy = tmp_path / "plant"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("rules"))
    return copy


@pytest.fixture
def bakery(folder: Path) -> Path:
    """A plant with words of its own, and with an event that says more."""
    for name in ("assets.yaml", "codes.yaml"):
        text = (folder / name).read_text()
        for theirs, ours in OWN_WORDS.items():
            text = text.replace(theirs, ours)
        (folder / name).write_text(text)
    return folder


def test_the_list_says_what_each_is_for() -> None:
    result = rules("pack", "list")

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(pack())
    assert [each["name"] for each in json.loads(rules("pack", "list", "--json").stdout)] == list(pack())


def test_a_template_is_shown_as_it_would_be_added_with_what_it_needs() -> None:
    shown = rules("pack", "show", "scrap").stdout

    assert shown.startswith(pack()["scrap"].text)
    assert shown.splitlines()[-2:] == [
        "# needs scrap: an event with order (text), qty (number with a unit), reason (text), lot (text, optional), "
        "confirmed (boolean)",
        "# needs table scrap_reason in codes.yaml",
    ]
    assert rules("pack", "show", "scrap", "--tests").stdout == pack()["scrap"].tests
    assert json.loads(rules("pack", "show", "scrap", "--json").stdout)["parameters"] == {
        "most": {"type": "number", "default": "1000"}
    }


def test_a_plant_that_has_the_names_takes_a_template_as_it_is(folder: Path) -> None:
    result = rules("pack", "add", "downtime", folder)

    assert (result.exit_code, result.stderr) == (0, "")
    assert (folder / "rules" / "downtime.yaml").read_text() == pack()["downtime"].text
    assert (folder / "rules" / "downtime_test.yaml").read_text() == pack()["downtime"].tests


@pytest.mark.parametrize("name", pack())
def test_a_plant_with_other_words_takes_each_with_tests_in_its_own(name: str, bakery: Path) -> None:
    signals = [f"--signal={each}={SIGNALS[each]}" for each in pack()[name].signals]

    result = rules("pack", "add", name, bakery, *signals)

    assert result.exit_code == 0, result.output
    tests = (bakery / "rules" / f"{name}_test.yaml").read_text()
    assert [
        each for each in ("press-1", "mixer-1", "E12", "S01", *pack()[name].signals.values()) if each in tests
    ] == []
    assert re.search(r"asset: hall-[23]/", tests) is not None


def test_only_the_equipment_that_is_asked_for_has_the_rule(folder: Path) -> None:
    result = rules("pack", "add", "threshold", folder, "--assets", "machining/press-2")

    assert result.exit_code == 0
    assert result.stdout == (
        "rules/threshold.yaml and rules/threshold_test.yaml are written, for machining/press-2\nits 4 tests pass\n"
    )


def test_what_is_there_is_not_written_over(folder: Path) -> None:
    rules("pack", "add", "scrap", folder)
    (folder / "rules" / "scrap.yaml").write_text("# mine\n")

    result = rules("pack", "add", "scrap", folder)

    assert result.exit_code == 2
    assert result.stderr == f"{folder / 'rules' / 'scrap.yaml'}: is there already, and is not written over\n"
    assert (folder / "rules" / "scrap.yaml").read_text() == "# mine\n"


def test_a_plant_that_lacks_something_is_told_what_and_stays_as_it_was(bakery: Path) -> None:
    result = rules("pack", "add", "running-hours", bakery)

    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert lines[0].startswith('rules/running-hours.yaml:8:11: unknown name "running_hours"')
    assert lines[-4:] == [
        "nothing was written; running-hours needs",
        "    running_hours: number",
        "    serial_number of the equipment in assets.yaml",
        "where a signal has another name here: --signal hours=NAME",
    ]
    assert not (bakery / "rules").exists()


def test_tests_that_do_not_fit_the_plant_are_named(folder: Path) -> None:
    codes = (folder / "codes.yaml").read_text()
    (folder / "codes.yaml").write_text(codes.replace("  W03: setup\n", ""))

    result = rules("pack", "add", "downtime", folder)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "rules/downtime_test.yaml:32: fails here: downtime of a machine that lost its node is posted at its own times, "
        "once",
        "1 of 5 tests fail: write into rules/downtime_test.yaml what is so in this plant",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "scrp", "PLANT"), 'nothing in the pack is called "scrp"; did you mean "scrap"?\n'),
        (("show", "scrp"), 'nothing in the pack is called "scrp"; did you mean "scrap"?\n'),
        (
            ("add", "cycle", "PLANT", "--signal", "cuont=x"),
            "--signal cuont=x: expected PARAMETER=SIGNAL; cycle has count=good_count\n",
        ),
        (
            ("add", "scrap", "nowhere"),
            "nowhere: there is no such folder; name the plant folder, which holds assets.yaml and codes.yaml\n",
        ),
    ],
)
def test_wrong_use_ends_with_a_sentence(arguments: tuple[str, ...], sentence: str, folder: Path) -> None:
    result = rules("pack", *(str(folder) if each == "PLANT" else each for each in arguments))

    assert (result.exit_code, result.stderr) == (2, sentence)
