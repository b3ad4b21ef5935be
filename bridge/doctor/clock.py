"""Clocks: ours against those of the servers. Nothing orders by them, but people and shifts go by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.doctor.finding import Finding, Place

WARN_MS: Final = 2_000
WRONG_MS: Final = 60_000
"""A stop or a lot that is a minute off stands in another place of a shift's report."""
_MEND: Final = "let both take their time from the same source (chrony, systemd-timesyncd)"


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


def told_difference(ahead: int) -> str:
    """A difference in words, to stand after whose clock it is."""
    return f"clock is {abs(ahead) / 1000:.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"


def examine_clock(place: Place, reading: Reading, wrong_ms: int = WRONG_MS) -> Finding:
    """The difference between a server's clock and ours; more than `wrong_ms` is wrong."""
    ahead = ahead_ms(reading)
    text = f"its {told_difference(ahead)}"
    if abs(ahead) > wrong_ms:
        return place.wrong(text, _MEND)
    if abs(ahead) > WARN_MS:
        return place.warning(text, _MEND)
    return place.ok("its clock agrees with ours")
