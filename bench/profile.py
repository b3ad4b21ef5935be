"""A flame graph of the bridge while it works: py-spy looks at the process from outside, some hundred times a second."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.process import BenchError
from bench.rig import Rig
from bench.traffic import Plant

RATE_HZ: Final = 250
FORMATS: Final = {"flamegraph": "svg", "raw": "txt"}
"""The picture, and the collapsed stacks that other tools read."""


def record(rig: Rig, devices: int, messages: int, folder: Path) -> list[Path]:
    """Profile a bridge that takes this many DDATA, once for each format. The files that were written."""
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        raise BenchError("py-spy is not installed; run tools/setup bench")
    folder.mkdir(parents=True, exist_ok=True)
    plant = Plant(devices, time.time_ns() // 1_000_000)
    bridge = rig.start_bridge(devices)
    files: list[Path] = []
    try:
        rig.bear(bridge, plant)
        for format, ending in FORMATS.items():
            file = folder / f"bridge-{devices}.{ending}"
            data = plant.data(messages)
            command = [str(spy), "record", "--pid", str(bridge.pid), "--format", format, "--output", str(file)]
            options = ["--rate", str(RATE_HZ), "--duration", "3600", "--nonblocking"]
            with (rig.home / "py-spy.log").open("w") as log:
                watching = subprocess.Popen([*command, *options], stdout=log, stderr=log)
            rig.publish(data, 0)
            bridge.wait_until(lambda: rig.has_counted(plant), "the last DDATA")
            watching.send_signal(2)
            if watching.wait(30) != 0 or not file.exists():
                raise BenchError(f"py-spy wrote nothing: {(rig.home / 'py-spy.log').read_text()}")
            files.append(file)
    finally:
        bridge.stop()
    return files
