"""`uns-bridge demo`: wrong use ends at once, with a sentence and nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.demo.odoo import VARIABLES


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where demonstrations make their folders."""
    folder = tmp_path / "homes"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def demo(*words: str) -> Result:
    return CliRunner().invoke(app, ["demo", *words])


@pytest.mark.parametrize("length", ["soon", "0s", "60", "-5s"])
def test_a_length_that_is_none_says_how_to_write_one(homes: Path, length: str) -> None:
    result = demo("--for", length)
    assert (result.exit_code, result.stderr) == (2, f"--for {length}: write a length such as 60s or 5m\n")
    assert list(homes.iterdir()) == []


def test_a_report_that_could_not_be_written_is_refused_before_the_run(homes: Path) -> None:
    report = homes / "none" / "report.json"
    result = demo("--report", str(report))
    assert (result.exit_code, result.stderr) == (2, f"--report {report}: there is no folder {report.parent}\n")
    assert list(homes.iterdir()) == []


@pytest.mark.embedded
def test_a_real_odoo_without_its_keys_says_which_variables_are_missing(
    homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNS_BRIDGE_ODOO_DB", "plant")
    result = demo("--odoo", "http://127.0.0.1:1", "--headless")
    said = result.stderr.splitlines()[-1]
    assert result.exit_code == 2
    assert said.startswith("set UNS_BRIDGE_ODOO_USER, UNS_BRIDGE_ODOO_KEY, UNS_BRIDGE_ODOO_ADMIN_KEY to use the Odoo")
    assert list(homes.iterdir()) == []


@pytest.mark.embedded
def test_an_odoo_that_does_not_answer_is_unreachable_and_the_logs_are_kept(
    homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "word")
    result = demo("--odoo", "http://127.0.0.1:1", "--headless", "--seed", "7")
    (home,) = homes.iterdir()
    assert result.exit_code == 3
    assert f"logs are in {home}\nto repeat it: uns-bridge demo --for 60s --seed 7" in result.stderr
