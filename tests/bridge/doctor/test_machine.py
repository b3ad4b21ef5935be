"""This machine: secrets and the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.doctor.finding import Level
from bridge.doctor.machine import examine_disk, examine_secrets, see_disk
from tests.bridge.beside_odoo import write_plant


@pytest.mark.parametrize(
    ("free", "writable", "level"),
    [
        (5_000_000_000, True, Level.OK),
        (500_000_000, True, Level.WARNING),
        (50_000_000, True, Level.WRONG),
        (5_000_000_000, False, Level.WRONG),
    ],
)
def test_room_and_right_to_write(free: int, writable: bool, level: Level) -> None:
    assert examine_disk(Path("data"), free, writable).level is level


def test_a_data_dir_that_is_not_there_yet_is_looked_at_above_and_not_made(tmp_path: Path) -> None:
    free, writable = see_disk(tmp_path / "not" / "yet")
    assert (free > 0, writable, list(tmp_path.iterdir())) == (True, True, [])


def test_a_secret_is_there_or_read_by_everybody_or_missing_and_never_shown(tmp_path: Path) -> None:
    plant = write_plant(tmp_path / "plant", "http://127.0.0.1:9")
    secret = tmp_path / "plant" / "odoo.secret"
    (well,) = examine_secrets(plant)
    secret.chmod(0o644)
    (open_to_all,) = examine_secrets(plant)
    secret.unlink()
    (missing,) = examine_secrets(plant)
    assert [one.level for one in (well, open_to_all, missing)] == [Level.OK, Level.WARNING, Level.WRONG]
    assert missing.text.startswith("bridge.yaml:5:15: cannot read the secret file")
