"""One cumulative counter of one equipment: what was made between two readings, and to which order it belongs.

The state belongs to the plant's fact, not to a rule. A reading that falls is a rollover where the signal says at
which number it starts again and that lies close; else a reset, which begins an epoch. The delta of a message
belongs to the order that ran before the message, or, where none did, to the one that the message brings.

A birth whose reading moved tells a total before the stored readings arrive: it waits, and live readings behind it,
until the history has reached it or the settle time is over.
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
    """`waiting` holds the readings since a birth that jumped, the birth's first; `due_ms` is when they settle.

    `guessed` tells that a jump was settled without its history."""

    last: Decimal | None = None
    last_at_ms: int = 0
    epoch: int = 0
    waiting: list[Reading] = []
    due_ms: int | None = None
    order_before: str = ""
    history: bool = False
    guessed: bool = False

    def read(self, reading: Reading, rollover: int | None) -> Count | None:
        """Take a live reading; None where nothing was made, or where it waits."""
        if self.waiting:
            if reading.value != self.waiting[-1].value:
                self.waiting.append(reading)
            return None
        return self._advance(reading, rollover)

    def jump(self, reading: Reading, *, order_before: str, due_ms: int) -> None:
        """Let a birth's reading wait for the history."""
        self.waiting = [reading]
        self.due_ms = due_ms
        self.order_before = order_before
        self.history = False

    def recall(self, reading: Reading, rollover: int | None) -> Count | None:
        """Take a stored reading that lies between the last one and the birth; None where it adds nothing."""
        if not self.waiting or not self.last_at_ms < reading.at_ms <= self.waiting[0].at_ms:
            return None
        self.history = True
        return self._advance(reading, rollover)

    @property
    def is_explained(self) -> bool:
        """Whether the history has reached the birth's reading."""
        return bool(self.waiting) and self.history and self.waiting[0].value == self.last

    def settle(self, order: str, rollover: int | None) -> tuple[Count, ...]:
        """End the wait: the birth's rest counts for `order`, the readings behind it for their own."""
        self.guessed = not self.is_explained
        readings, self.waiting, self.due_ms = self.waiting, [], None
        counts: list[Count] = []
        for number, reading in enumerate(readings):
            own = msgspec.structs.replace(reading, order=order) if number == 0 else reading
            if (count := self._advance(own, rollover)) is not None:
                counts.append(count)
        return tuple(counts)

    def _advance(self, reading: Reading, rollover: int | None) -> Count | None:
        before, self.last, self.last_at_ms = self.last, reading.value, max(reading.at_ms, self.last_at_ms)
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
