"""`uns-bridge simulate`: what it takes for a broker and for a length of time, and one run against a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.commands.simulate import command, read_broker, read_length
from bridge.simulator.ledger import read_ledger
from tests.bridge.simulator.day import SCENARIO
from tests.certificate import Tls
from tests.servers import Mosquitto, StartMosquitto

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


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_broker_with_an_authority_of_its_own_is_trusted_where_that_is_named(
    tls: Tls, start_mosquitto: StartMosquitto, is_trusted: bool
) -> None:
    broker = start_mosquitto(anonymous=True, tls=tls)
    arguments = ["simulate", str(SCENARIO), "--broker", f"mqtts://127.0.0.1:{broker.port}", "--for", "1s"]
    trust = ["--ca-file", str(tls.ca_file)] if is_trusted else []

    done = subprocess.run([sys.executable, "-m", "bridge", *arguments, *trust], capture_output=True, text=True)

    told = {reason: reason in done.stderr for reason in ("edge.link_down", "certificate verify failed")}
    assert (done.returncode, told) == (0 if is_trusted else 3, dict.fromkeys(told, not is_trusted))


def test_a_broker_that_is_not_there_ends_the_run_with_its_place_and_the_reason() -> None:
    arguments = [str(SCENARIO), "--broker", "mqtt://127.0.0.1:9", "--broker", "mqtt://127.0.0.1:19", "--for", "100ms"]

    result = CliRunner().invoke(app, arguments)

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[-1] == (
        "no MQTT broker was reached at 127.0.0.1:9 nor 127.0.0.1:19 (the last try: 127.0.0.1:9: [Errno 111] Connection "
        "refused); see whether it runs, and whether the address, the log-in and the certificate are right"
    )


def test_an_authority_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    none, text = tmp_path / "none.pem", tmp_path / "text.pem"
    text.write_text("no certificate\n")

    with pytest.raises(ValueError, match="there is no such file"):
        read_broker("mqtts://localhost", None, none)
    with pytest.raises(ValueError, match="no certificate in PEM form can be read there"):
        read_broker("mqtts://localhost", None, text)
    with pytest.raises(ValueError, match="only mqtts:// has certificates to check"):
        read_broker("mqtt://localhost", None, text)


def test_a_password_that_is_nowhere_is_wrong_use() -> None:
    result = CliRunner().invoke(app, [str(SCENARIO), "--broker", "mqtt://localhost", "--password-env", "UNS_NOWHERE"])

    assert result.exit_code == 2
    assert "there is no environment variable UNS_NOWHERE" in result.output


def test_a_scenario_with_problems_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("seed: 7\n")

    result = CliRunner().invoke(app, [str(path), "--broker", "mqtt://localhost"])

    assert result.exit_code == 2
    assert 'key "site" is missing here' in result.output
