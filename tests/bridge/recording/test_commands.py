"""`uns-bridge record`, `replay` and `rerun`, as programs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from uuid import uuid4

import paho.mqtt.publish as mqtt
import pytest
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.core.input import UnsDocument
from bridge.plant import load_plant
from bridge.recording.about import about
from bridge.recording.reader import files_in, read
from tests.bridge.recording.day import inputs
from tests.bridge.recording.spans import PLENTY, new_folder, span, written
from tests.bridge.rig import PLANT
from tests.servers import Mosquitto


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The demonstration's plant folder."""
    return Path(shutil.copytree(PLANT, tmp_path / "plant"))


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.mosquitto
def test_traffic_is_recorded_and_played_again_but_on_the_plants_own_broker_only_if_that_is_said(
    plant: Path, mosquitto: Mosquitto
) -> None:
    site = f"s{uuid4().hex[:12]}"
    assets = plant / "assets.yaml"
    assets.write_text(assets.read_text().replace("site: berlin", f"site: {site}"))
    (plant / "broker.secret").write_text(mosquitto.password)
    (plant / "bridge.yaml").write_text(
        f"broker: {{port: {mosquitto.port}, user: {mosquitto.user}, secret: {{file: broker.secret}}}}\n"
        "odoo: {database: d, user: u, key: {env: UNUSED}}\n"
    )
    topic = f"uns/v1/acme/{site}/scrap"
    mqtt.single(
        topic,
        b'{"id": 1}',
        qos=1,
        retain=True,
        hostname=mosquitto.host,
        port=mosquitto.port,
        auth={"username": mosquitto.user, "password": mosquitto.password},
    )
    folder, url = plant.parent / "files", f"mqtt://{mosquitto.user}@127.0.0.1:{mosquitto.port}"

    code, _, _ = run("record", plant, "--folder", folder, "--for", "2s", "--json")
    refused = run("replay", folder, "--broker", url)
    played = CliRunner().invoke(
        app,
        [
            "replay",
            str(folder),
            "--broker",
            url,
            "--onto-the-plant",
            "--speed",
            "0",
            "--password-env",
            "SECRET",
            "--json",
        ],
        env={"SECRET": mosquitto.password},
    )

    documents = [each.input for each in inputs(read(files_in([folder]))) if isinstance(each.input, UnsDocument)]
    assert (code, documents) == (0, [UnsDocument(topic, b'{"id": 1}')])
    assert refused[0] == 2
    assert "is a broker of the plant that was recorded" in refused[2]
    assert played.exit_code == 0
    assert json.loads(played.stdout)["published"] >= 1


def test_a_recording_without_a_broker_ends_with_the_place_that_was_tried(plant: Path) -> None:
    files = written(plant.parent / "files", span(1))
    code, _, said = run("replay", *files, "--broker", "mqtt://127.0.0.1:1")
    assert code == 3
    assert said.startswith("127.0.0.1:1: ")


def test_a_recording_of_this_plant_folder_is_run_as_it_was_recorded(plant: Path) -> None:
    folder = new_folder(plant.parent / "files", PLENTY, about=about(load_plant(plant)))
    folder.write([span(1), span(2)])
    folder.finish()
    code, said, _ = run("rerun", plant, plant.parent / "files", "--json")
    assert (code, json.loads(said)) == (0, {"outcomes": "recorded", "inputs": 2, "gaps": [], "postings": []})


def test_with_other_rules_every_entry_is_taken_as_delivered(plant: Path) -> None:
    files = written(plant.parent / "files", span(1), span(2))
    code, said, _ = run("rerun", plant, *files)
    assert code == 0
    assert said.startswith("0 entries of ")
    assert "each entry taken as delivered at once" in said


def test_what_is_no_recording_is_wrong_use(plant: Path) -> None:
    code, _, said = run("rerun", plant, plant / "assets.yaml")
    assert code == 2
    assert "assets.yaml: it is no recording of uns-bridge" in said
