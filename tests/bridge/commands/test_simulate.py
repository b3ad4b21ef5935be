"""`uns-bridge simulate`: what it takes for a broker and for a length of time, and one run against a real broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.commands.simulate import command, read_broker, read_length
from bridge.simulator.ledger import read_ledger
from tests.bridge.simulator.day import SCENARIO
from tests.servers import Mosquitto

app = typer.Typer()
app.command()(command)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("500ms", 0.5), ("5m", 300.0), ("8h", 28_800.0)])
def test_lengths_are_read(text: str, seconds: float) -> None:
    assert read_length(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "s", "-5s", "1.5h", "0s", "8d"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no length"):
        read_length(text)


def test_a_broker_is_read_from_its_url() -> None:
    settings = read_broker("mqtts://plant%40a@broker.example", "secret")

    assert (settings.host, settings.port, settings.user, settings.tls) == ("broker.example", 8883, "plant@a", True)
    assert settings.password is not None
    assert settings.password() == "secret"


@pytest.mark.parametrize(
    "url", ["localhost:1883", "http://localhost", "mqtt://", "mqtt://host/topic", "mqtt://u:p@host"]
)
def test_what_is_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is no broker|password in the URL"):
        read_broker(url, None)


def test_a_plant_runs_for_the_time_and_leaves_its_ledger(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", mosquitto.password)
    ledger = tmp_path / "ledger.jsonl"
    url = f"mqtt://{mosquitto.user}@127.0.0.1:{mosquitto.port}"
    arguments = [str(SCENARIO), "--broker", url, "--for", "300ms", "--seed", "11", "--ledger", str(ledger), "--json"]
    arguments += ["--broker", "mqtt://127.0.0.1:9", "--data-dir", str(tmp_path / "nodes")]

    result = CliRunner().invoke(app, [*arguments, "--password-env", "BROKER_PASSWORD"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1]) == {"seed": 11, "facts": 0, "kinds": {}}
    assert read_ledger(ledger) == (11, ())
    assert {file.name for file in (tmp_path / "nodes").iterdir()} == {
        f"acme-berlin+{node}.bdseq" for node in ("machining", "packaging", "quality")
    }


def test_a_scenario_with_problems_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("seed: 7\n")

    result = CliRunner().invoke(app, [str(path), "--broker", "mqtt://localhost"])

    assert result.exit_code == 2
    assert 'key "site" is missing here' in result.output
