"""The benchmark runs, at a size that says nothing about speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> None:
    """Run the benchmark, never on a real Odoo."""
    command = [sys.executable, "-m", "bench", *arguments]
    simulated = {name: value for name, value in os.environ.items() if not name.startswith("UNS_BRIDGE_ODOO_")}
    subprocess.run(command, cwd=ROOT, env=simulated, check=True, capture_output=True, timeout=120)


@pytest.mark.redis
@pytest.mark.mosquitto
@pytest.mark.slow
def test_the_whole_path_is_measured_beside_a_minimal_loop(tmp_path: Path) -> None:
    sizes = ("--devices", "5", "--rounds", "1", "--data", "50", "--documents", "20", "--batches", "1")
    rates = ("--rates", "200", "--seconds", "0.5", "--beside", "links,paho")
    bench("path", *sizes, *rates, "--report", str(tmp_path / "path.json"))
    report = json.loads((tmp_path / "path.json").read_text())
    [size] = report["sizes"]
    assert {name: len(rounds) for name, rounds in size["costs"].items()} == {"bridge": 1, "links": 1, "paho": 1}
    assert {"decode", "session", "engine", "commit"} <= {line["stage"] for line in size["stages"]}
    assert [(one["asked_per_s"], one["sustained"]) for one in size["latencies"]] == [(200, True)]
    assert report["made"].keys() == {"date", "commit", "machine", "programs", "load", "took_s"}


def test_postings_are_measured_on_the_simulator_every_way(tmp_path: Path) -> None:
    bench("odoo", "--postings", "2", "--rounds", "1", "--report", str(tmp_path / "odoo.json"))
    report = json.loads((tmp_path / "odoo.json").read_text())
    few, many = ("inbox, 1 a call", "inbox, 10 a call", "call by call"), ("inbox, 50 a call",)
    ways = {"progress": (*few, *many), "completion": few, "scrap": few}
    ways |= {"downtime": (*few, *many), "maintenance": (*few, *many)}
    found = {(one["kind"], one["way"]) for one in report["rates"]}
    assert (report["simulator"], found) == (True, {(kind, way) for kind, each in ways.items() for way in each})
