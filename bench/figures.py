"""What a run found, as its JSON report keeps it: the figures, and when, of which commit and on what they were taken."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bench.latency import Latency
from bench.odoo import Rate
from bench.path import Cost
from bench.process import BenchError
from bench.rig import ROOT
from bench.stages import Line

PROGRAMS: Final = (("mosquitto", "-h"), ("redis-server", "--version"), ("node", "--version"))
PACKAGES: Final = ("paho-mqtt", "protobuf", "redis", "msgspec", "cel-expr-python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The circumstances of a run. `load` are the machine's load averages before it: near 0 where it was quiet."""

    date: str
    commit: str
    machine: str
    programs: str
    load: str
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSize:
    """What a plant of this many devices costs."""

    devices: int
    costs: dict[str, list[Cost]]
    stages: list[Line]
    latencies: list[Latency]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFigures:
    """What `bench path` found."""

    made: Made
    sizes: list[OfSize]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooFigures:
    """What `bench odoo` found, and on which server."""

    made: Made
    server: str
    simulator: bool
    rates: list[Rate]


Figures = TypeVar("Figures", PathFigures, OdooFigures)


def circumstances() -> Made:
    """Those of now; `took_s` is not known yet."""
    return Made(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=_first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        machine=_machine(),
        programs="; ".join(
            (
                *(f"{command[0]} {_number(_first_line(*command))}" for command in PROGRAMS),
                f"Python {platform.python_version()}",
                *(f"{name} {version(name)}" for name in PACKAGES),
            )
        ),
        load=" ".join(f"{each:.1f}" for each in os.getloadavg()),
        took_s=0.0,
    )


def keep(figures: PathFigures | OdooFigures, file: Path) -> None:
    """Write a report."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1))


def read(file: Path, kind: type[Figures]) -> Figures:
    """Read what `keep` wrote. Raises `BenchError`."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise BenchError(f"{file}: no report of this benchmark: {error}") from error


def _machine() -> str:
    lines = {
        name.strip(): value.strip()
        for file in ("/proc/cpuinfo", "/proc/meminfo")
        for name, _, value in (line.partition(":") for line in Path(file).read_text().splitlines())
    }
    memory_gb = int(lines["MemTotal"].split()[0]) / 1e6
    model = lines.get("model name", platform.machine())
    return f"{os.cpu_count()} cores ({model}), {memory_gb:.0f} GB, Linux {platform.release().split('-')[0]}"


def _first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except OSError:
        return "unknown"
    return next(iter(output.splitlines()), "unknown")


def _number(line: str) -> str:
    """The first word of a version line that is a number."""
    words = (word.removeprefix("v=").removeprefix("v") for word in line.split())
    return next((word for word in words if word[:1].isdigit()), line)
