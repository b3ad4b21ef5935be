"""What a backtest costs beside one plain run: two versions of the rules on a recorded day, each in a process of its
own, and a run of one of them."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.recorded import Days, record, write_plant
from bridge.lifecycle.backtest import backtest
from bridge.plant import Release, content_of
from bridge.recording.reader import files_in, read
from bridge.recording.rerun import rerun


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """CPU seconds of either way over the same inputs, seconds by the clock, and the most memory of one process."""

    inputs: int
    rerun_s: float
    backtest_s: float
    wall_s: float
    rss_mb: float

    @property
    def ratio(self) -> float:
        """The CPU of a backtest, of which there are two sides, against that of a rerun."""
        return self.backtest_s / self.rerun_s


def measure(home: Path, days: Days) -> Costs:
    """Record these days, and run them both ways."""
    plant = write_plant(home / "plant", days.devices)
    plant = replace(plant, content=replace(plant.content, release=Release(version="a", author="", approved_by="")))
    inputs = record(plant, home / "recorded", days)
    texts = {name: text.replace("micro: 2m", "micro: 5m") for name, text in plant.content.texts.items()}
    after, files = content_of(texts, Release(version="b", author="", approved_by="")), files_in([home / "recorded"])
    began_s = time.monotonic()
    backtest_s = _cpu_s(lambda: backtest(plant, after, files))
    wall_s = time.monotonic() - began_s
    rss_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    rerun_s = _cpu_s(lambda: sum(1 for _ in rerun(plant, read(files), as_recorded=False)))
    return Costs(inputs=inputs, rerun_s=rerun_s, backtest_s=backtest_s, wall_s=wall_s, rss_mb=rss_mb)


def told(costs: Costs) -> str:
    """The figures in a line each."""
    per_us = costs.backtest_s / costs.inputs * 1e6
    return (
        f"{costs.inputs} inputs: a backtest takes {costs.backtest_s:.1f} s of CPU ({per_us:.0f} us each), "
        f"{costs.wall_s:.1f} s by the clock, {costs.rss_mb:.0f} MB in each process\n"
        f"one plain rerun takes {costs.rerun_s:.1f} s of CPU: a backtest takes {costs.ratio:.2f} times as much"
    )


def _cpu_s(work: Callable[[], object]) -> float:
    """Of this process and of those that it begins."""
    began_s = _used_s()
    work()
    return _used_s() - began_s


def _used_s() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
