"""`uns-bridge audit verify`: a whole log, a changed one, and none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.loop import AUDIT_HEAD
from bridge.plant import load_plant
from bridge.wiring import open_store
from state.audit import AuditLog, encode_head
from state.record import Commit
from tests.bridge.commands.floor import plant_on
from tests.servers import Redis


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


def test_a_log_that_was_taken_away_is_found_by_what_the_store_of_the_plant_knows(
    tmp_path: Path, redis_server: Redis
) -> None:
    plant = plant_on(tmp_path, redis_server)
    folder = load_plant(plant).settings.data_dir
    folder.mkdir(parents=True)
    log = written(folder)
    asyncio.run(known(plant, AuditLog(log)))
    asked = CliRunner().invoke(app, ["audit", "verify", "--plant", str(plant)])
    assert (asked.exit_code, asked.stdout) == (0, f"{folder}: whole, 3 lines\n")
    for file in folder.iterdir():
        file.unlink()
    AuditLog(log).append("outbox.skip", "eve", {"key": "d"}, 1)
    asked = CliRunner().invoke(app, ["audit", "verify", "--plant", str(plant), "--json"])
    lacks = f"{log}: it lacks line 3 with the hash that the store of the plant knows"
    assert (asked.exit_code, json.loads(asked.stdout)["problems"]) == (1, [lacks])


async def known(plant: Path, log: AuditLog) -> None:
    """The head of the log, in the commit of a bridge that ended."""
    store = open_store(load_plant(plant))
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts={AUDIT_HEAD: encode_head(log.head)}))
    await store.release(lease)
    await store.close()


def test_verifying_nothing_is_wrong_use() -> None:
    asked = CliRunner().invoke(app, ["audit", "verify"])
    assert (asked.exit_code, "name the folder of the log" in asked.stderr) == (2, True)
