"""`make outage HOURS=72`: so many hours of a plant whose Odoo is away, in virtual time, until all that waited is there.

Prints what there is, hour by hour, and how it ended. Exit code 1 if anything was lost, doubled or out of order, or took
longer than half an hour to reach Odoo.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.recorded import START_MS
from state.record import Table
from tests.outage.run import Outcome, endure
from tests.outage.site import HOUR_MS, Sample

MB: Final = 1_000_000
COLUMNS: Final = "{:>6} {:>10} {:>8} {:>6} {:>8} {:>9} {:>9} {:>9} {:>10} {:>8}"


def main() -> int:
    """Run it, and say how it went."""
    asked = _arguments()
    names = ("hour", "events", "entries", "lanes", "RSS MB", "open MB", "done MB", "other MB", "commit kB", "CPU s")
    _say(COLUMNS.format(*names))
    with tempfile.TemporaryDirectory(prefix="uns-outage-") as home:
        run = endure(
            Path(home) / "plant", hours=asked.hours, devices=asked.devices, every_ms=asked.every * 1000, say=_tell
        )
        outcome = asyncio.run(run)
    _conclude(outcome)
    return 0 if outcome.is_clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description="A plant whose Odoo is away.")
    parser.add_argument("--hours", type=float, default=72)
    parser.add_argument("--devices", type=int, default=40, help="a multiple of 5")
    parser.add_argument("--every", type=int, default=8, metavar="S", help="how often a device tells its counter")
    return parser.parse_args()


def _tell(sample: Sample) -> None:
    stored = dict(sample.stored)
    done, waiting = stored.pop(Table.DONE, 0), stored.pop(Table.ENTRY, 0)
    stored.pop(Table.TRACE, 0)  # kept up to `limits.traces`, and the oldest dropped
    sizes = [f"{size / MB:.1f}" for size in (sample.rss, waiting, done, sum(stored.values()))]
    hour = f"{(sample.at_ms - START_MS) / HOUR_MS:.2f}"
    commit, cpu = f"{sample.largest / 1000:.0f}", f"{sample.cpu_s:.0f}"
    _say(COLUMNS.format(hour, sample.events, sample.open, sample.lanes, *sizes, commit, cpu))


def _conclude(outcome: Outcome) -> None:
    _say(f"\n{outcome.events} events; {outcome.waited} entries waited when Odoo came back")
    for priority, at_ms in outcome.drained_ms.items():
        _say(f"priority {priority}: all in Odoo after {at_ms / 60_000:.1f} minutes")
    lost = len(outcome.missing)
    _say(f"sums that differ {lost}, doubled {outcome.doubled}, out of order {outcome.out_of_order}")
    for line in outcome.missing[:20]:
        _say(f"  {line}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
