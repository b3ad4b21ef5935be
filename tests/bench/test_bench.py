"""The benchmark runs, at a size that says nothing about speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(report: Path, *arguments: str) -> dict[str, object]:
    """Run the benchmark; what it reports."""
    command = [sys.executable, "-m", "bench", "--report", str(report), *arguments]
    simulated = {name: value for name, value in os.environ.items() if not name.startswith("UNS_BRIDGE_ODOO_")}
    subprocess.run(command, cwd=ROOT, env=simulated, check=True, capture_output=True, timeout=120)
    found: dict[str, object] = json.loads(report.read_text())
    return found


@pytest.mark.redis
@pytest.mark.mosquitto
@pytest.mark.slow
def test_the_whole_path_is_measured_beside_a_minimal_loop(tmp_path: Path) -> None:
    sizes = ("--devices", "5", "--rounds", "1", "--data", "50", "--documents", "20", "--batches", "1")
    rates = ("--rates", "200", "--seconds", "0.5", "--beside", "links,paho")
    found = run(tmp_path / "report.json", "path", *sizes, *rates)
    [size] = found.values()
    assert isinstance(size, dict)
    assert {name: len(rounds) for name, rounds in size["costs"].items()} == {"bridge": 1, "links": 1, "paho": 1}
    assert {"decode", "engine", "commit"} <= {line["stage"] for line in size["stages"]}
    assert size["latencies"][0]["asked_per_s"] == 200


def test_postings_are_measured_on_the_simulator_every_way(tmp_path: Path) -> None:
    found = run(tmp_path / "report.json", "odoo", "--postings", "2")
    rates = found["rates"]
    assert isinstance(rates, list)
    ways = ["inbox, 1 a call", "inbox, 10 a call", "inbox, 50 a call", "call by call"]
    assert (found["simulator"], [(one["kind"], one["way"]) for one in rates]) == (
        True,
        [(kind, way) for kind in ("downtime", "maintenance", "progress") for way in ways],
    )
