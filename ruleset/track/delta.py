"""How much one signal changed: within a sliding window, or since a shift or an order began.

A counter's resets and rollovers are counted as everywhere; of another number the change is its last value less its
first. A window is remembered as at most 60 points, so that what a rule remembers stays small whatever is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from ruleset.cel import number_text
from ruleset.form.counter import Counter, Reading, as_reading
from ruleset.sample import Sample

POINTS: Final = 60
"""A window moves in steps of a sixtieth of its length."""
PERIODS_KEPT: Final = 8
"""Orders whose sums are kept, since one that runs again goes on with its own."""


class Per(StrEnum):
    """What a sum begins anew with."""

    SHIFT = "shift"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """`name` is what expressions call it. Either `over_ms`, the window's length, or `per` is given."""

    name: str
    signal: str
    is_counter: bool
    rollover: int | None
    over_ms: int | None
    per: Per | None


class DeltaMemory(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`points` are moments with the level from then on, the first at or before the window's begin; `sums` what was
    added in each period."""

    counter: Counter = msgspec.field(default_factory=Counter)
    last: Decimal | None = None
    level: Decimal = Decimal(0)
    points: list[tuple[int, Decimal]] = []
    sums: dict[str, Decimal] = {}

    def take(self, delta: Delta, sample: Sample, period: str, now_ms: int) -> None:
        """Take the next value. It was reached in `period`, empty for none."""
        amount = self._amount(delta, sample)
        if amount is None:
            return
        if delta.over_ms is None:
            if period:
                before = self.sums.pop(period, Decimal(0))
                self.sums = dict([*self.sums.items(), (period, before + amount)][-PERIODS_KEPT:])
            return
        self.level += amount
        if len(self.points) > 1 and now_ms - self.points[-1][0] < delta.over_ms // POINTS:
            self.points[-1] = (self.points[-1][0], self.level)
        else:
            self.points.append((now_ms, self.level))
        while len(self.points) > 1 and self.points[1][0] <= now_ms - delta.over_ms:
            del self.points[0]

    def value(self, delta: Delta, period: str, now_ms: int) -> float | None:
        """The change; None as long as it is not known: before the window is full, and while no period is on."""
        if delta.over_ms is None:
            is_known = self.last is not None or self.counter.last is not None
            return float(self.sums.get(period, 0)) if period and is_known else None
        known = [level for at_ms, level in self.points if at_ms <= now_ms - (delta.over_ms or 0)]
        return float(self.level - known[-1]) if known else None

    def next_ms(self, delta: Delta, now_ms: int) -> int | None:
        """When the value changes by time alone."""
        if delta.over_ms is None:
            return None
        return min((each for at_ms, _ in self.points if (each := at_ms + delta.over_ms) > now_ms), default=None)

    def _amount(self, delta: Delta, sample: Sample) -> Decimal | None:
        """What the value adds; 0 for the first one, None for what is no number."""
        if delta.is_counter:
            value = as_reading(sample.value)
            if value is None:
                return None
            count = self.counter.read(Reading(value, sample.at_ms, "", None, ""), delta.rollover)
            return count.amount if count is not None else Decimal(0)
        if isinstance(sample.value, bool) or not isinstance(sample.value, int | float):
            return None
        before, self.last = self.last, Decimal(number_text(float(sample.value)))
        return self.last - before if before is not None else Decimal(0)


class TrackMemory(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Of one rule at one equipment, by its deltas. `wake_ms`: then a condition may change by time alone."""

    deltas: dict[str, DeltaMemory] = {}
    wake_ms: int | None = None
