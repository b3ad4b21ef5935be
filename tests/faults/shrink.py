"""Makes a failing schedule as short as it gets: faults are left out one by one as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.faults.fault import Schedule
from tests.faults.trial import Outcome, play

Player = Callable[[Schedule, Path], Outcome]


def shrink(outcome: Outcome, home: Path, player: Player = play) -> Outcome:
    """The same failure with the fewest faults: no single one of them can be left out."""
    shortest, shrank = outcome, True
    while shrank:
        shrank = False
        for fault in reversed(shortest.schedule.faults):
            shorter = player(shortest.schedule.without({fault.number}), home)
            if not shorter.verdict.is_clean:
                shortest, shrank = shorter, True
    return shortest


def left_out(shortened: Schedule, whole: Schedule) -> str:
    """The numbers of the faults that the shortened schedule does not have, for `--without`."""
    left = {fault.number for fault in shortened.faults}
    return ",".join(str(fault.number) for fault in whole.faults if fault.number not in left)
