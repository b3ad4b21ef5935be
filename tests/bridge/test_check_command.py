from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.commands.check import check, command
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import Step
from tests.bridge.lifecycle.test_book import ANNA, BEN

DEMO = Path(__file__).parents[2] / "bridge" / "demo" / "plant"


def test_a_clean_folder_ends_in_0_and_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(DEMO, json_output=False) == 0

    assert capsys.readouterr().out == (
        f"{DEMO}: clean (4 equipment, 25 signals, 3 code tables, 5 workflows, 2 rule files, 17 rule tests)\n"
    )


def test_a_clean_folder_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(DEMO, json_output=True) == 0

    found = {"equipment": 4, "signals": 25, "code_tables": 3, "workflows": 5, "rule_files": 2, "rule_tests": 17}
    assert json.loads(capsys.readouterr().out) == {"clean": True, "problems": [], "found": found, "notes": []}


def test_a_table_that_no_rule_reads_is_noted_and_no_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(DEMO, tmp_path / "plant")
    codes = folder / "codes.yaml"
    codes.write_text(f"scrap_reasons: {{S09: Scratch}}\nlosses: {{cleaning: Cleaning}}\n{codes.read_text()}")

    assert check(folder, json_output=False) == 0

    assert capsys.readouterr().out.splitlines()[0] == 'note: codes.yaml:1:1: no rule reads the table "scrap_reasons"'


def test_a_console_whose_hash_is_not_there_is_noted_until_it_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(DEMO, tmp_path / "plant")
    settings, file = folder / "bridge.yaml", folder / "console.hash"
    settings.write_text(f"{settings.read_text()}\nconsole: {{password_file: {file.name}}}\n")

    assert check(folder, json_output=False) == 0

    assert capsys.readouterr().out.splitlines()[:-1] == [
        f"note: console: {file} is not there, so nobody can log in by password; `uns-bridge console hash --out {file}`"
    ]
    file.write_text("$argon2id$")
    assert check(folder, json_output=False) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_one_of_a_kind_is_counted_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(DEMO, tmp_path / "plant")
    (folder / "rules/equipment.yaml").unlink()
    (folder / "rules/equipment_test.yaml").unlink(missing_ok=True)

    assert check(folder, json_output=False) == 0

    assert ", 1 rule file, " in capsys.readouterr().out


def test_an_empty_folder_ends_in_2_with_a_line_per_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, json_output=False) == 2

    assert capsys.readouterr().out.splitlines() == [
        "assets.yaml: the file is missing; docs/plant.md shows what must be in it",
        "bridge.yaml: the file is missing; docs/plant.md shows what must be in it",
        "codes.yaml: the file is missing; docs/plant.md shows what must be in it",
        "rules: there is no rule file; add one, such as rules/production.yaml",
        f"{tmp_path}: 4 problems",
    ]


def test_problems_as_json_have_their_place_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "codes.yaml").write_text("units:\n  pcs: 5\n")

    assert check(tmp_path, json_output=True) == 2

    printed = json.loads(capsys.readouterr().out)
    assert printed["clean"] is False
    text = 'expected text, found 5; write "5" in quotes'
    assert {"file": "codes.yaml", "line": 2, "column": 8, "text": text} in printed["problems"]


def test_the_command_ends_with_the_exit_code(tmp_path: Path) -> None:
    application = typer.Typer()
    application.command()(command)

    assert CliRunner().invoke(application, [str(DEMO)]).exit_code == 0
    result = CliRunner().invoke(application, [str(tmp_path), "--json"])
    assert (result.exit_code, json.loads(result.output)["clean"]) == (2, False)


def released(tmp_path: Path) -> tuple[Path, str]:
    folder = shutil.copytree(DEMO, tmp_path / "plant")
    book = VersionBook(folder)
    version = book.propose(ANNA, "a reason", 1, 1)
    book.act(Step.APPROVE, BEN, version, "a reason", 2)
    book.act(Step.PROMOTE, BEN, version, "a reason", 3)
    return folder, version


def test_a_folder_that_differs_from_what_is_live_is_noted_and_no_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, version = released(tmp_path)
    assert check(folder, json_output=True) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == []
    (folder / "codes.yaml").write_text(f"# more\n{(folder / 'codes.yaml').read_text()}")
    assert check(folder, json_output=False) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        f"note: {version} is live, and the folder differs from it; `uns-bridge rules versions` says more"
    )


def test_versions_and_people_that_somebody_broke_are_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, version = released(tmp_path)
    texts = folder / "versions" / version
    (texts / "codes.yaml").unlink()
    (folder / "people.yaml").write_text("anna: {roles: [autor], secret: $argon2id$x}\n")
    assert check(folder, json_output=False) == 2
    assert capsys.readouterr().out.splitlines() == [
        'people.yaml:1:16: "autor" is not possible here; did you mean "author"?',
        f"versions: {texts}: its files are not those that were proposed as {version}; take them from git",
        f"{folder}: 2 problems",
    ]
