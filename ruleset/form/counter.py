"""One cumulative counter of one equipment: what was made between two readings, and to which order it belongs.

The state belongs to the plant's fact, not to a rule. A reading that falls is a rollover where the signal says at
which number it starts again and that lies close; else a reset, which begins an epoch. The delta of a message
belongs to the order that ran before the message, or, where none did, to the one that the message brings.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple

import msgspec

from ruleset.cel import number_text

ROLLOVER_SHARE: Final = 10
"""A fall is a rollover where the way over the top is at most a tenth of the counter's range."""


class Reading(msgspec.Struct, frozen=True):
    """One reading with the order that it counts for, and the message it came with."""

    value: Decimal
    at_ms: int
    topic: str
    seq: int | None
    order: str


class Turn(Enum):
    """How a reading follows the one before it."""

    ON = "on"
    RESET = "reset"
    ROLLOVER = "rollover"


class Count(NamedTuple):
    """What was made up to a reading, in which epoch of the counter."""

    amount: Decimal
    epoch: int
    reading: Reading
    turn: Turn
    before: Decimal


class Counter(msgspec.Struct, omit_defaults=True):
    """The last reading, its epoch, and the order that is known to have run since."""

    last: Decimal | None = None
    epoch: int = 0
    order: str = ""

    def read(self, reading: Reading, rollover: int | None) -> Count | None:
        """Take the next reading; None where nothing was made."""
        before, self.last = self.last, reading.value
        if before is None or reading.value == before:
            return None
        if reading.value > before:
            return Count(reading.value - before, self.epoch, reading, Turn.ON, before)
        if (
            rollover is not None
            and 0 < (over := reading.value + rollover - before) <= Decimal(rollover) / ROLLOVER_SHARE
        ):
            return Count(over, self.epoch, reading, Turn.ROLLOVER, before)
        self.epoch += 1
        return Count(reading.value, self.epoch, reading, Turn.RESET, before)


class Total(msgspec.Struct, omit_defaults=True):
    """What one epoch of a counter made for an order: `posted` is the last `upto` that went out."""

    made: Decimal = Decimal(0)
    posted: Decimal = Decimal(0)
    reading: Reading | None = None


class OrderTotals(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The totals of one order at one equipment, by measure and epoch. A record of its own."""

    equipment: str
    order: str
    totals: dict[str, dict[int, Total]] = {}
    forget_ms: int | None = None

    def add(self, measure: str, count: Count) -> None:
        total = self.totals.setdefault(measure, {}).setdefault(count.epoch, Total())
        total.made += count.amount
        total.reading = count.reading

    def unposted(self, measure: str) -> Decimal:
        """What was made and has not been posted, over all epochs."""
        return sum((each.made - each.posted for each in self.totals.get(measure, {}).values()), Decimal(0))


def as_reading(value: object) -> Decimal | None:
    """A counter's value as an exact number; None for what cannot be a cumulative count."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return None
    return Decimal(value) if isinstance(value, int) else Decimal(number_text(value))
