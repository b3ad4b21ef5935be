"""`uns-bridge run`: what it does not start on, with a sentence and a code each; and how signals end it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from tests.bridge.commands.floor import plant_on
from tests.servers import Redis, StartRedis

DEADLINE_S = 20


def run(plant: Path) -> Result:
    return CliRunner().invoke(app, ["run", str(plant)])


def started(plant: Path) -> subprocess.Popen[str]:
    """The command as a process of its own, at the moment when it has started."""
    process = subprocess.Popen([sys.executable, "-m", "bridge", "run", str(plant)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "bridge.started" not in (line := process.stderr.readline()):
        assert line, "the bridge ended before it had started"
    return process


def test_a_folder_with_problems_is_not_run(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, "assets.yaml: the file is missing" in result.stderr) == (2, True)


def test_a_redis_that_does_not_answer_is_unreachable(tmp_path: Path, redis_server: Redis) -> None:
    plant = plant_on(tmp_path, redis_server)
    file = plant / "bridge.yaml"
    file.write_text(file.read_text().replace(f":{redis_server.port}/", ":1/"))
    result = run(plant)
    assert (result.exit_code, f"mend redis.url in {plant}/bridge.yaml" in result.stderr) == (3, True)


@pytest.mark.parametrize("accepted", [False, True])
def test_a_redis_that_may_forget_is_refused_unless_that_is_accepted(
    tmp_path: Path, start_redis: StartRedis, accepted: bool
) -> None:
    plant = plant_on(tmp_path, start_redis({"appendonly": "no"}), f", accept_weak_durability: {str(accepted).lower()}")
    if accepted:
        process = started(plant)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
        return
    result = run(plant)
    assert result.exit_code == 2
    assert "appendonly" in result.stderr
    assert "accept it with `redis: {accept_weak_durability: true}` in bridge.yaml" in result.stderr


@pytest.mark.parametrize("stopping", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_bridge_in_order(tmp_path: Path, redis_server: Redis, stopping: signal.Signals) -> None:
    process = started(plant_on(tmp_path, redis_server))
    process.send_signal(stopping)
    _, said = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, "bridge.stopped" in said) == (0, True)


TOLD_TWICE = """\
import asyncio, os, signal, sys
from bridge.commands.run import stop_on_signal

async def main():
    stop = asyncio.Event()
    stop_on_signal(stop, same_s=float(sys.argv[1]))
    os.kill(os.getpid(), signal.SIGTERM)
    await stop.wait()
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)

asyncio.run(main())
"""
"""A process that is told to stop, and told again in the turn after the next."""


@pytest.mark.parametrize(("same_s", "ended_by"), [(60.0, 0), (0.0, -signal.SIGTERM)])
def test_a_stop_that_is_told_twice_at_once_is_one_stop_and_one_that_is_told_later_kills(
    same_s: float, ended_by: int
) -> None:
    assert subprocess.run([sys.executable, "-c", TOLD_TWICE, str(same_s)], timeout=DEADLINE_S).returncode == ended_by
