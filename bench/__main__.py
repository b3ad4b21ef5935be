"""Benchmarks: `python -m bench path|odoo [options]`. `make bench` and `make bench-odoo` call it."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench import latency, odoo, path, profile, report, stages
from bench.process import BenchError
from bench.rig import BUILD, Rig, open_rig, require


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for. Exit code 0, or 1 with the reason where a measurement cannot be made."""
    given = _parser().parse_args(arguments)
    try:
        found = _odoo(given) if given.what == "odoo" else _path(given)
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    if given.report is not None:
        given.report.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the bridge costs.")
    parser.add_argument("--report", type=Path, help="write all figures as JSON, too")
    ways = parser.add_subparsers(dest="what", required=True)
    whole = ways.add_parser("path", help="CPU per message beside others, stages, latency, memory")
    whole.add_argument("--devices", type=_numbers, default=(100, 5000), metavar="N,N")
    whole.add_argument("--rounds", type=int, default=5)
    whole.add_argument("--data", type=int, default=5000, help="DDATA per round")
    whole.add_argument("--documents", type=int, default=1000, help="documents per round")
    whole.add_argument("--batches", type=int, default=10, help="batches of 500 for the stages")
    whole.add_argument("--rates", type=_numbers, default=(1000, 5000), metavar="N,N", help="DDATA a second")
    whole.add_argument("--seconds", type=float, default=5.0, help="how long each rate is held")
    whole.add_argument("--beside", type=_names, default=path.OTHERS, help=f"which of {','.join(path.OTHERS)}")
    whole.add_argument("--profile", action="store_true", help="write flame graphs instead of measuring")
    orders = ways.add_parser("odoo", help="postings a second through the inbox and call by call")
    orders.add_argument("--postings", type=int, default=200, help="of each kind and way")
    return parser


def _path(given: argparse.Namespace) -> dict[str, Any]:
    require(given.beside)
    with open_rig() as rig:
        if given.profile:
            for devices in given.devices:
                for file in profile.record(rig, devices, given.data, BUILD):
                    _say(f"wrote {file}")
            return {}
        return {str(devices): _of_size(rig, devices, given) for devices in given.devices}


def _of_size(rig: Rig, devices: int, given: argparse.Namespace) -> dict[str, Any]:
    size = path.Size(devices=devices, data=given.data, documents=given.documents)
    costs = path.measure(rig, size, given.rounds, given.beside)
    _say(report.costs(devices, costs))
    rig.clear()
    lines = asyncio.run(stages.measure(rig.home, rig.servers, devices, given.batches))
    _say(report.stages(devices, lines))
    fastest = max(cost.data_per_s for cost in costs[path.BRIDGE])
    latencies = latency.search(rig, devices, given.rates, given.seconds, fastest)
    _say(report.latencies(devices, latencies))
    return {
        "costs": {name: [asdict(cost) for cost in found] for name, found in costs.items()},
        "stages": [asdict(line) for line in lines],
        "latencies": [asdict(one) for one in latencies],
    }


def _odoo(given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="uns-bench-") as home:
        found = asyncio.run(odoo.measure(Path(home), given.postings))
    _say(report.postings(found))
    return asdict(found)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(",") if word)


def _names(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
