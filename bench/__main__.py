"""Benchmarks: `python -m bench path|odoo|backtest|report [options]`. `make bench` and its kin call it."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import backtest, latency, odoo, path, profile, report, stages
from bench.figures import OdooFigures, OfSize, PathFigures, circumstances, keep, read
from bench.process import BenchError
from bench.recorded import Days
from bench.rig import BUILD, Rig, open_rig, require

PATH_REPORT: Final = BUILD / "path.json"
ODOO_REPORT: Final = BUILD / "odoo.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for. Exit code 0, or 1 with the reason where a measurement cannot be made."""
    given = _parser().parse_args(arguments)
    try:
        WAYS[given.what](given)
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the bridge costs.")
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
    whole.add_argument("--report", type=Path, default=PATH_REPORT, help=f"all figures as JSON ({PATH_REPORT})")
    whole.add_argument("--profile", action="store_true", help="write flame graphs instead of measuring")
    orders = ways.add_parser("odoo", help="postings a second through the inbox and call by call")
    orders.add_argument("--postings", type=int, default=100, help="of each kind, way and round")
    orders.add_argument("--rounds", type=int, default=3)
    orders.add_argument("--report", type=Path, default=ODOO_REPORT, help=f"all figures as JSON ({ODOO_REPORT})")
    tested = ways.add_parser("backtest", help="a recorded day through two versions of the rules, beside one plain run")
    tested.add_argument("--devices", type=int, default=20, help="a multiple of 5")
    tested.add_argument("--days", type=float, default=0.05)
    tested.add_argument("--every", type=int, default=5, metavar="S", help="how often a device tells its counter")
    tables = ways.add_parser("report", help="the tables of the last reports")
    tables.add_argument("--path", type=Path, default=PATH_REPORT)
    tables.add_argument("--odoo", type=Path, default=ODOO_REPORT)
    tables.add_argument("--write", type=Path, metavar="PAGE", help="put them into their places in this page")
    return parser


def _path(given: argparse.Namespace) -> None:
    require(given.beside)
    made, began = circumstances(), time.monotonic()
    with open_rig() as rig:
        if given.profile:
            for devices in given.devices:
                for file in profile.record(rig, devices, given.data, BUILD):
                    _say(f"wrote {file}")
            return
        sizes = [_of_size(rig, devices, given) for devices in given.devices]
    figures = PathFigures(made=replace(made, took_s=time.monotonic() - began), sizes=sizes)
    keep(figures, given.report)
    _show(report.path_tables(figures))


def _of_size(rig: Rig, devices: int, given: argparse.Namespace) -> OfSize:
    size = path.Size(devices=devices, data=given.data, documents=given.documents)
    costs = path.measure(rig, size, given.rounds, given.beside)
    rig.clear()
    lines = asyncio.run(stages.measure(rig.home, rig.servers, devices, given.batches))
    fastest = max(cost.data_per_s for cost in costs[path.BRIDGE])
    latencies = latency.search(rig, devices, given.rates, given.seconds, fastest)
    return OfSize(devices=devices, costs=costs, stages=lines, latencies=latencies)


def _odoo(given: argparse.Namespace) -> None:
    made, began = circumstances(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="uns-bench-") as home:
        found = asyncio.run(odoo.measure(Path(home), given.postings, given.rounds))
    figures = OdooFigures(
        made=replace(made, took_s=time.monotonic() - began),
        server=found.server,
        simulator=found.simulator,
        rates=found.rates,
    )
    keep(figures, given.report)
    _show(report.odoo_tables(figures))


def _backtest(given: argparse.Namespace) -> None:
    days = Days(devices=given.devices, days=given.days, every_ms=given.every * 1000)
    with tempfile.TemporaryDirectory(prefix="uns-bench-") as home:
        _say(backtest.told(backtest.measure(Path(home), days)))


def _report(given: argparse.Namespace) -> None:
    """Show the tables of the reports that there are, or write them. What was not measured keeps its old figures."""
    tables: dict[str, str] = {}
    if given.path.exists():
        tables |= report.path_tables(read(given.path, PathFigures))
    if given.odoo.exists():
        tables |= report.odoo_tables(read(given.odoo, OdooFigures))
    if not tables:
        raise BenchError(f"no report at {given.path} nor {given.odoo}; run `make bench` and `make bench-odoo`")
    if given.write is None:
        _show(tables)
    else:
        given.write.write_text(report.written(given.write.read_text(), tables))


WAYS: Final = {"path": _path, "odoo": _odoo, "backtest": _backtest, "report": _report}


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(",") if word)


def _names(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _show(tables: Mapping[str, str]) -> None:
    for table in tables.values():
        _say(f"\n{table}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
