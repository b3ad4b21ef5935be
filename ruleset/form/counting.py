"""The counters of one equipment at work: readings become totals of orders, and remarks about what cannot be known."""

from __future__ import annotations

from dataclasses import dataclass

from ruleset.equipment import Signal
from ruleset.form.collect import Ledger
from ruleset.form.counter import Count, Counter, Reading, Turn, as_reading
from ruleset.form.memory import EquipmentMemory
from ruleset.output import Remark, RemarkName
from ruleset.sample import Sample


@dataclass(frozen=True, slots=True)
class Counting:
    """Works on the memory of one equipment and on the ledger of all.

    `running` is the order that runs now, `order` the one whose pieces a reading tells. `holds`: pieces without an order
    are counted as such, until a person says which order they belong to.
    """

    path: str
    memory: EquipmentMemory
    ledger: Ledger
    running: str
    order: str
    holds: bool

    def read(self, sample: Sample, signal: Signal) -> tuple[Remark, ...]:
        """Take the next reading of a counter."""
        value = as_reading(sample.value)
        if value is None:
            text = f"{sample.signal}: {sample.value!r} is no cumulative count"
            return (Remark(name=RemarkName.READING_INVALID, equipment=self.path, text=text),)
        counter = self.memory.counters.setdefault(signal.name, Counter())
        order_before, counter.order = counter.order, self.running
        reading = Reading(value, sample.at_ms, sample.source.topic, sample.source.seq, self.order)
        count = counter.read(reading, signal.rollover)
        remarks = self._book(signal, count)
        if sample.birth and count is not None and count.amount and self.order and self.running != order_before:
            text = (
                f"{signal.name}: {count.amount:f} made while nothing was known count for {self.order}; "
                f"{order_before or 'no order'} ran before, {self.running or 'no order'} runs now"
            )
            remarks += (Remark(name=RemarkName.COUNT_JUMP, equipment=self.path, text=text),)
        return remarks

    def _book(self, signal: Signal, count: Count | None) -> tuple[Remark, ...]:
        if count is None:
            return ()
        remarks: tuple[Remark, ...] = ()
        if count.turn is not Turn.ON:
            remarks = (self._turned(signal, count),)
        if not count.amount:
            return remarks
        if count.reading.order:
            self.memory.orderless = False
            self.ledger.add(self.path, signal.name, count)
            return remarks
        if self.holds:
            self.ledger.add(self.path, signal.name, count)
        if not self.memory.orderless:
            self.memory.orderless = True
            what = "will be held for a person" if self.holds else "belong to none"
            text = f"{signal.name} counts, but no order is running; its pieces {what}"
            remarks += (Remark(name=RemarkName.COUNT_WITHOUT_ORDER, equipment=self.path, text=text),)
        return remarks

    def _turned(self, signal: Signal, count: Count) -> Remark:
        went = f"{signal.name} went from {count.before:f} to {count.reading.value:f}"
        if count.turn is Turn.ROLLOVER:
            text = f"{went}: it started at 0 again after {signal.rollover}; {count.amount:f} counted"
            return Remark(name=RemarkName.COUNTER_ROLLOVER, equipment=self.path, text=text)
        text = f"{went}: reset; {count.amount:f} counted, what else was made before the reset is not known"
        return Remark(name=RemarkName.COUNTER_RESET, equipment=self.path, text=text)
