"""The clock of the shell: UTC milliseconds. The core is given its readings and never asks. And how they are written,
how the core's time follows them, and how the shell notices that it was stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

BEAT_S: Final = 0.5
STILL_S: Final = 3.0
"""So long nothing happens in a process that runs; the rules take some 2 s for the most that may settle at once."""
SLOWED_TENTHS: Final = 9
"""The pace of the core's time while the clock is behind it; chrony, too, slews a clock by a twelfth at most."""

SET_BACK_MS: Final = 1000
"""A reading that is earlier than the last one by less is of another session; by more, of a clock that was set."""


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """UTC milliseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


class Pulse:
    """Beats while the process runs, and so knows that it stood still: stopped, swapped out or without a processor."""

    def __init__(self, now_s: Callable[[], float] = _loop_s) -> None:
        self._now_s = now_s
        self._last_s: float | None = None
        self._stood_still = False

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_S)

    def beat(self) -> None:
        """Note that the process runs."""
        now_s = self._now_s()
        self._stood_still |= self._last_s is not None and now_s - self._last_s >= STILL_S
        self._last_s = now_s

    def stood_still(self) -> bool:
        """Whether it did since the last call. Known also before the next beat, and nothing before the first one."""
        if self._last_s is not None:
            self.beat()
        stood_still, self._stood_still = self._stood_still, False
        return stood_still


class CoreTime:
    """The time of the core, which never goes back. Where the clock was set back it goes on a tenth slower until the
    clock has come up to it. Standing still would keep back all that waits on time, an hour for one set back an hour; at
    a much slower pace what lasts as long as a rule wants would be over before it was seen to.

    What waited for a turn passes by its own readings of the clock, so that what it says lasts; in one turn by no more
    than really passed, since readings of two sessions are not in order. What really passed counts where it was set.
    """

    def __init__(self, now_s: Callable[[], float] = _loop_s) -> None:
        self.now_ms = 0
        self.passed_s = now_s
        """A time that nobody sets."""
        self._clock_ms = 0
        self._turned_s = 0.0
        self._left_ms = 0
        self._rest = 0
        """What is left of a millisecond, in tenths."""

    def begin_turn(self) -> None:
        """What passes from now on was read since the last turn."""
        now_s = self.passed_s()
        self._left_ms, self._turned_s = int((now_s - self._turned_s) * 1000) + 1, now_s

    def stood_still(self, clock_ms: int) -> None:
        """Nothing was read until the clock showed this. What really passed is over, also where the clock was set back
        meanwhile: else all that the plant told in that time would be later than now."""
        self.now_ms, self._clock_ms = max(clock_ms, self.now_ms + self._left_ms), clock_ms
        self._left_ms = 0

    def pass_to(self, clock_ms: int) -> None:
        """The clock showed this."""
        if clock_ms < self.now_ms:
            went_ms = clock_ms - self._clock_ms
            passed_ms = min(max(0, went_ms) if went_ms > -SET_BACK_MS else self._left_ms, self._left_ms)
            self._left_ms -= passed_ms
            slowed_ms, self._rest = divmod(self._rest + passed_ms * SLOWED_TENTHS, 10)
            self.now_ms += slowed_ms
        else:
            self._left_ms = max(0, self._left_ms - (clock_ms - self.now_ms))
            self.now_ms = clock_ms
        self._clock_ms = clock_ms

    def wait_ms(self, due_ms: int, clock_ms: int) -> int:
        """How long it takes to be that time, as the clock shows this."""
        if clock_ms < self.now_ms:
            return max(0, -((self.now_ms - due_ms) * 10 // SLOWED_TENTHS))
        return max(0, due_ms - clock_ms)


def iso(at_ms: int) -> str:
    """A moment as documents on the namespace have it: `2026-11-23T09:24:39.520Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
