"""`uns-bridge orders` on a real Redis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from tests.bridge.commands.floor import left_behind, plant_on
from tests.servers import Redis


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    folder = plant_on(tmp_path, redis_server)
    left_behind(folder)
    return folder


def run(plant: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["orders", *arguments, "--plant", str(plant)])


def test_orders_are_listed_with_their_version_and_what_the_mes_answered(plant: Path) -> None:
    listed = json.loads(run(plant, "list", "--open", "--json").stdout)
    assert [(one["order"], one["version"], one["status"], one["answer"]) for one in listed] == [
        ("mo-1", 1, "released", "waiting"),
        ("mo-2", 1, "released", "waiting"),
    ]
    assert "WH/MO/2" in run(plant, "list").stdout


@pytest.mark.parametrize("name", ["mo-2", "WH/MO/2"])
def test_an_order_is_shown_by_its_release_or_by_odoos_name(plant: Path, name: str) -> None:
    shown = json.loads(run(plant, "show", name, "--json").stdout)
    assert (shown["document"]["quantity"], [one["version"] for one in shown["history"]]) == ("5", [1])
    assert "mo-2 WH/MO/2: released" in run(plant, "show", name).stdout


def test_an_order_that_is_not_there_is_said_to_be_none(plant: Path) -> None:
    result = run(plant, "show", "mo-9")
    assert (result.exit_code, result.stderr) == (
        1,
        "there is no order 'mo-9'; `uns-bridge orders list` shows what there is\n",
    )
