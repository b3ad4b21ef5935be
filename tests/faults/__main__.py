"""`make faults SEEDS=1-200`: plays schedules of faults against the whole bridge in virtual time, and judges each.

A schedule that fails is shortened to the faults that it takes and printed with its events. The same seed is the same
schedule, event by event. Exit code 1 if anything was lost, doubled or out of order, or did not come to its end.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.faults.fault import draw
from tests.faults.shrink import left_out, shrink
from tests.faults.trial import Outcome, play

MEMORY: Final = Path("/dev/shm")
"""Where files are in memory, on Linux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is told of one schedule. `told` is the whole story of one that failed."""

    seed: int
    lost: int
    doubled: int
    out_of_order: int
    is_clean: bool
    buckets: dict[str, int]
    virtual_s: float
    cpu_s: float
    told: str


def main() -> int:
    """Play, and say how it went."""
    asked = _arguments()
    began_s = time.monotonic()
    with _home() as home:
        results = [_tell(result, asked.json) for result in _progress(asked, home)]
    failed = [result for result in results if not result.is_clean]
    if not asked.json:
        _print_sums(results, time.monotonic() - began_s)
    lost, doubled, misplaced = (
        sum(getattr(one, name) for one in results) for name in ("lost", "doubled", "out_of_order")
    )
    sys.stdout.write(f"schedules {len(results)}, lost {lost}, doubled {doubled}, out of order {misplaced}\n")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", default="1-40", help="from and to, such as 1-10000")
    parser.add_argument("--seed", type=int, help="one schedule only, with all its events")
    parser.add_argument("--without", default="", help="numbers of faults of that schedule to leave out, such as 3,5")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes play")
    parser.add_argument("--json", action="store_true", help="print the results as JSON, a line a schedule")
    return parser.parse_args()


def _progress(asked: argparse.Namespace, home: Path) -> Iterator[Result]:
    if asked.seed is not None:
        without = {int(number) for number in asked.without.split(",") if number}
        outcome = play(draw(asked.seed).without(without), home)
        yield _result(outcome, 0.0, _told(outcome))
        return
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    columns = (
        TextColumn("schedules"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with multiprocessing.Pool(asked.jobs) as pool, Progress(*columns, console=Console(stderr=True)) as progress:
        bar, failed = progress.add_task("", total=len(seeds)), 0
        for result in pool.imap_unordered(partial(_play_one, home), seeds, chunksize=1):
            failed += not result.is_clean
            progress.update(bar, advance=1, description=f"{failed} failed" if failed else "")
            yield result


def _play_one(home: Path, seed: int) -> Result:
    own = home / multiprocessing.current_process().name
    own.mkdir(exist_ok=True)
    began_s = time.process_time()
    outcome = play(draw(seed), own)
    cpu_s = time.process_time() - began_s
    return _result(outcome, cpu_s, "" if outcome.verdict.is_clean else _told(shrink(outcome, own)))


def _told(outcome: Outcome) -> str:
    """The whole story: faults, failures, events."""
    schedule = outcome.schedule
    left = left_out(schedule, draw(schedule.seed))
    lines = [
        f"seed {schedule.seed} ({', '.join(sorted(schedule.traits)) or 'no traits'})",
        f"  again: python -m tests.faults --seed {schedule.seed}" + (f" --without {left}" if left else ""),
        *(f"  fault {fault}" for fault in schedule.faults),
        *(f"  FAILED {text}" for text in outcome.verdict.faults),
        *(f"  excused {text}" for text in outcome.verdict.excused),
        *outcome.events,
    ]
    return "\n".join(lines)


def _result(outcome: Outcome, cpu_s: float, told: str) -> Result:
    verdict = outcome.verdict
    return Result(
        seed=outcome.schedule.seed,
        lost=verdict.lost,
        doubled=verdict.doubled,
        out_of_order=verdict.out_of_order,
        is_clean=verdict.is_clean,
        buckets=dict(verdict.buckets),
        virtual_s=outcome.virtual_s,
        cpu_s=cpu_s,
        told=told,
    )


def _tell(result: Result, as_json: bool) -> Result:
    """Print a result as soon as it is there: as JSON, or the story of one that failed."""
    if as_json:
        fields = {name: getattr(result, name) for name in result.__slots__ if name != "told" or result.told}
        sys.stdout.write(json.dumps(fields) + "\n")
    elif result.told:
        sys.stdout.write(f"{result.told}\n\n")
    sys.stdout.flush()
    return result


def _print_sums(results: list[Result], took_s: float) -> None:
    sums: Counter[str] = Counter()
    for one in results:
        sums.update(one.buckets)
    sys.stdout.write("".join(f"{count:9} {bucket}\n" for bucket, count in sorted(sums.items())))
    virtual_h = sum(one.virtual_s for one in results) / 3600
    cpu_s = sum(one.cpu_s for one in results) / max(1, len(results))
    sys.stderr.write(f"{virtual_h:.1f} h of plant time in {took_s:.0f} s, {cpu_s:.2f} s of CPU a schedule\n")


@contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="faults-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
