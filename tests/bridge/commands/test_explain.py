"""`uns-bridge rules explain` on a real Redis, of what a bridge decided and committed there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.core.input import Started, Tick, UnsDocument
from bridge.core.site import take_changes
from bridge.pipeline import step
from bridge.plant import Plant, load_plant
from bridge.trace.keeper import LOOKS_PAUSE_MS
from bridge.wiring import new_core, open_store
from state.record import Commit
from tests.bridge.commands.floor import plant_on
from tests.servers import Redis

START_MS = 1_700_000_000_000
STATION = "quality/station-1"


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    """A station reported a check that failed."""
    folder = plant_on(tmp_path, redis_server)
    asyncio.run(_decide(load_plant(folder)))
    return folder


async def _decide(plant: Plant) -> None:
    core, now_ms = new_core(plant), START_MS
    step(core, Started(), now_ms)
    step(core, Tick(), now_ms := now_ms + 1_000_000)
    for number in ("1", "2"):
        document = {"id": number, "at": "2023-11-14T22:30:00Z", "check": "torque", "result": "fail"}
        document |= {"order": "mo-1", "equipment": "press-1"}
        topic = f"uns/v1/{plant.assets.path}/{STATION}/quality"
        step(core, UnsDocument(topic, msgspec.json.encode(document)), now_ms)
    step(core, Tick(), now_ms + LOOKS_PAUSE_MS)
    store = open_store(plant)
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts=take_changes(core)))
    await store.release(lease)
    await store.close()


def run(plant: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", "explain", *arguments, "--plant", str(plant)])


def test_a_rule_that_counts_says_how_many_it_needs(plant: Path) -> None:
    looks = json.loads(run(plant, "--rule", "repeated-quality-failure", "--asset", STATION, "--json").stdout)
    assert [(each["outcome"], each["checks"][0]["answer"]) for each in looks] == [("waits", True)]
    said = run(plant, "--rule", "repeated-quality-failure", "--asset", STATION).stdout
    assert "when `quality.result == 'fail'` was true: quality.result = fail; needs 3 events; within 8h" in said


def test_a_key_that_nothing_has_ends_with_what_to_do(plant: Path) -> None:
    result = run(plant, "no/such:key")
    assert (result.exit_code, "`uns-bridge outbox list` shows the keys" in result.stderr) == (1, True)


def test_a_rule_or_an_equipment_that_is_not_there_is_named_with_the_nearest(plant: Path) -> None:
    result = run(plant, "--rule", "repeated-quality-failur", "--asset", STATION)
    assert (result.exit_code, 'did you mean "repeated-quality-failure"?' in result.stderr) == (1, True)
    result = run(plant, "--rule", "repeated-quality-failure", "--asset", "quality/station-9")
    assert (result.exit_code, "does not look at" in result.stderr) == (1, True)


def test_a_key_and_a_rule_together_are_wrong_use(plant: Path) -> None:
    assert run(plant, "key", "--rule", "scrap").exit_code == 2
