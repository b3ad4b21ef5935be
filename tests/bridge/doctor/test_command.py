"""`uns-bridge doctor` beside real servers: what it says, how it ends, and that it shows no secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.doctor.command import exit_code
from bridge.doctor.finding import Place
from tests.bridge.beside_odoo import KEY, simulated
from tests.integration.folder import OdooAccess, write_folder
from tests.servers import Mosquitto, Redis

PLACE = Place("part", "place")


async def doctor(folder: Path, *more: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["doctor", str(folder), *more])


def test_unreachable_counts_more_than_wrong_and_a_warning_not_at_all() -> None:
    ok, warning, wrong, away = PLACE.ok("a"), PLACE.warning("b"), PLACE.wrong("c"), PLACE.unreachable("d")
    found = [[ok, warning], [ok, wrong], [wrong, away]]
    assert [exit_code(one) for one in found] == [0, 1, 3]


@pytest.mark.redis
@pytest.mark.mosquitto
async def test_a_plant_that_is_well_ends_with_0_and_no_secret_is_shown(
    tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    async with simulated() as url:
        odoo = OdooAccess(url=url, database="plant", key=KEY)
        folder = write_folder(tmp_path / "plant", mosquitto, redis_server, odoo)
        lines, data = await doctor(folder), await doctor(folder, "--json")
    told = json.loads(data.stdout)
    bad = [one for one in told["findings"] if one["level"] == "wrong"]
    assert (lines.exit_code, data.exit_code, told["ok"], bad) == (0, 0, True, [])
    assert {one["part"] for one in told["findings"]} == {"plant", "rules", "secret", "disk", "redis", "broker", "odoo"}
    for secret in (KEY, mosquitto.password, redis_server.password):
        assert secret not in lines.stdout + data.stdout


@pytest.mark.redis
@pytest.mark.mosquitto
async def test_a_clock_that_is_off_is_found_and_ends_with_1(
    tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    async with simulated(ahead_ms=3_600_000) as url:
        odoo = OdooAccess(url=url, database="plant", key=KEY)
        folder = write_folder(tmp_path / "plant", mosquitto, redis_server, odoo)
        result = await doctor(folder)
    wrong = [line for line in result.stdout.splitlines() if line.startswith("wrong")]
    assert (result.exit_code, len(wrong)) == (1, 2)  # the server's clock, and the database's
    assert all("s ahead of ours; let both take their time" in line for line in wrong)


@pytest.mark.redis
@pytest.mark.mosquitto
async def test_what_cannot_be_reached_ends_with_3_and_the_rest_is_told_all_the_same(
    tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    folder = write_folder(tmp_path / "plant", mosquitto, redis_server, OdooAccess())
    result = await doctor(folder)
    assert result.exit_code == 3
    assert "wrong    odoo http://127.0.0.1:9: Odoo cannot be reached" in result.stdout
    assert "lets us subscribe to all that the bridge reads" in result.stdout


def test_a_folder_with_problems_ends_with_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", str(tmp_path)])
    assert (result.exit_code, "bridge.yaml: the file is missing" in result.stderr) == (2, True)
