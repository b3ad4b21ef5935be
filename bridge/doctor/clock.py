"""Clocks: ours against those of the servers. Nothing orders by them, but people and shifts go by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bridge.clock import Clock
from bridge.doctor.finding import Finding, Place

WARN_MS: Final = 2_000
WRONG_MS: Final = 60_000
"""A stop or a lot that is a minute off stands in another place of a shift's report."""
MEND: Final = "let both take their time from the same source (chrony, systemd-timesyncd)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A server's clock, asked and answered at these moments of ours. It counts in steps of `step_ms`."""

    asked_ms: int
    answered_ms: int
    told_ms: int
    step_ms: int = 1


def ahead_ms(reading: Reading) -> int:
    """By how much the server's clock is surely ahead of ours (below 0: behind): what delays may explain is left out."""
    earliest, latest = reading.told_ms - reading.answered_ms, reading.told_ms + reading.step_ms - reading.asked_ms
    return max(earliest, 0) if earliest > 0 else min(latest, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerClock:
    """The clock of a server, which `tell` asks for in UTC milliseconds. `of` is whose it is, for people."""

    of: str
    tell: Callable[[], Awaitable[int]]
    step_ms: int = 1

    async def ahead_ms(self, ours: Clock) -> int:
        """By how much it is surely ahead of ours now (below 0: behind). Raises what asking raises."""
        asked_ms = ours.now_ms()
        told_ms = await self.tell()
        return ahead_ms(Reading(asked_ms=asked_ms, answered_ms=ours.now_ms(), told_ms=told_ms, step_ms=self.step_ms))


def from_odoo(told: str) -> int:
    """A moment as Odoo writes it, in whole seconds and UTC."""
    return int(datetime.fromisoformat(told[:19]).replace(tzinfo=UTC).timestamp() * 1000)


def told_difference(ahead: int) -> str:
    """A difference in words, to stand after whose clock it is."""
    return f"clock is {abs(ahead) / 1000:.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"


def examine_clock(place: Place, reading: Reading, wrong_ms: int = WRONG_MS) -> Finding:
    """The difference between a server's clock and ours; more than `wrong_ms` is wrong."""
    ahead = ahead_ms(reading)
    text = f"its {told_difference(ahead)}"
    if abs(ahead) > wrong_ms:
        return place.wrong(text, MEND)
    if abs(ahead) > WARN_MS:
        return place.warning(text, MEND)
    return place.ok("its clock agrees with ours")
