"""`uns-bridge audit verify`: a whole log, a changed one, and none."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from bridge.__main__ import app
from state.audit import AuditLog


def verify(log: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", "verify", str(log), *arguments])


def written(folder: Path) -> Path:
    path = folder / "audit.jsonl"
    log = AuditLog(path)
    for key in ("a", "b", "c"):
        log.append("outbox.skip", "ada", {"key": key}, 1)
    return path


def test_a_log_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    log = written(tmp_path)
    result = verify(log)
    assert (result.exit_code, result.stdout) == (0, f"{log}: whole, 3 lines\n")
    assert json.loads(verify(log, "--json").stdout) == {"whole": True, "lines": 3, "problems": []}


def test_a_changed_line_is_found(tmp_path: Path) -> None:
    log = written(tmp_path)
    log.write_text(log.read_text().replace('"key":"b"', '"key":"x"'))
    result = verify(log)
    assert (result.exit_code, "audit.jsonl:2: it was changed after it was written" in result.stdout) == (1, True)


def test_a_log_of_several_files_is_named_by_its_folder_or_by_its_files_in_order(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", largest=1)
    for key in ("a", "b", "c"):
        log.append("outbox.skip", "ada", {"key": key}, 1)
    first, second, last = sorted(tmp_path.glob("audit.*jsonl"))
    assert verify(tmp_path).stdout == f"{tmp_path}: whole, 3 lines\n"
    assert verify(first, str(second), str(last)).stdout == f"{first} {second} {last}: whole, 3 lines\n"
    result = verify(last)
    assert (result.exit_code, "name the files before it too, or their folder" in result.stdout) == (1, True)


def test_a_folder_without_a_log_is_wrong_use(tmp_path: Path) -> None:
    result = verify(tmp_path)
    said = f"{tmp_path}: there is no audit.jsonl in this folder; name the data_dir of a bridge\n"
    assert (result.exit_code, result.stderr) == (2, said)


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    log = tmp_path / "none.jsonl"
    result = verify(log)
    assert (result.exit_code, result.stderr) == (2, f"{log}: No such file or directory\n")
