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
    """Works on the memory of one equipment and on the ledger of all. `running` is the order that runs now."""

    path: str
    memory: EquipmentMemory
    ledger: Ledger
    running: str

    def read(self, sample: Sample, signal: Signal, now_ms: int, settle_ms: int) -> tuple[Remark, ...]:
        """Take a live reading of a counter."""
        reading = self._reading(sample, self._order_of(sample, now_ms))
        if isinstance(reading, Remark):
            return (reading,)
        counter = self.memory.counters.setdefault(signal.name, Counter())
        if sample.birth and not counter.waiting and counter.last not in (None, reading.value):
            if not any(each.waiting for each in self.memory.counters.values()):
                self.memory.past_orders = []
            counter.jump(reading, order_before=self._order_before(sample, now_ms), due_ms=now_ms + settle_ms)
            return ()
        return self._book(signal, counter.read(reading, signal.rollover))

    def recall(self, sample: Sample, signal: Signal) -> tuple[Remark, ...]:
        """Take a stored reading. True totals come of it only while the birth that showed them still waits."""
        counter = self.memory.counters.get(signal.name)
        if counter is None or (not counter.waiting and not counter.guessed):
            return ()
        if not counter.waiting:
            counter.guessed = False
            text = f"{signal.name}: stored readings came after its jump had been settled; totals stay as they are"
            return (Remark(name=RemarkName.HISTORY_LATE, equipment=self.path, text=text),)
        reading = self._reading(sample, self._past_order(sample.at_ms, counter.order_before))
        if isinstance(reading, Remark):
            return (reading,)
        remarks = self._book(signal, counter.recall(reading, signal.rollover))
        return remarks + self.settle(signal) if counter.is_explained else remarks

    def settle(self, signal: Signal) -> tuple[Remark, ...]:
        """End the wait of a counter: what no history explained counts for the running order, else the one before."""
        counter = self.memory.counters[signal.name]
        order = self.running or counter.order_before
        remarks: tuple[Remark, ...] = ()
        for number, count in enumerate(counter.settle(order, signal.rollover)):
            if number == 0 and counter.guessed and count.amount and order and order != counter.order_before:
                text = (
                    f"{signal.name}: {count.amount:f} made while nothing was known count for {order}; "
                    f"before it {counter.order_before or 'no order'} ran"
                )
                remarks += (Remark(name=RemarkName.COUNT_JUMP, equipment=self.path, text=text),)
            remarks += self._book(signal, count)
        return remarks

    def _reading(self, sample: Sample, order: str) -> Reading | Remark:
        value = as_reading(sample.value)
        if value is None:
            text = f"{sample.signal}: {sample.value!r} is no cumulative count"
            return Remark(name=RemarkName.READING_INVALID, equipment=self.path, text=text)
        return Reading(value, sample.at_ms, sample.source.topic, sample.source.seq, order)

    def _order_before(self, sample: Sample, now_ms: int) -> str:
        """The order that ran before this message."""
        same_message = self.memory.order_from == (sample.source.topic, sample.source.seq, now_ms)
        return self.memory.order_before if same_message else self.running

    def _order_of(self, sample: Sample, now_ms: int) -> str:
        return self._order_before(sample, now_ms) or self.running

    def _past_order(self, at_ms: int, before: str) -> str:
        earlier = [order for changed_ms, order in self.memory.past_orders if changed_ms < at_ms]
        same = [order for changed_ms, order in self.memory.past_orders if changed_ms == at_ms]
        order = earlier[-1] if earlier else before
        return order or (same[-1] if same else "")

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
        elif not self.memory.orderless:
            self.memory.orderless = True
            text = f"{signal.name} counts, but no order is running; its pieces belong to none"
            remarks += (Remark(name=RemarkName.COUNT_WITHOUT_ORDER, equipment=self.path, text=text),)
        return remarks

    def _turned(self, signal: Signal, count: Count) -> Remark:
        went = f"{signal.name} went from {count.before:f} to {count.reading.value:f}"
        if count.turn is Turn.ROLLOVER:
            text = f"{went}: it started at 0 again after {signal.rollover}; {count.amount:f} counted"
            return Remark(name=RemarkName.COUNTER_ROLLOVER, equipment=self.path, text=text)
        text = f"{went}: reset; {count.amount:f} counted, what else was made before the reset is not known"
        return Remark(name=RemarkName.COUNTER_RESET, equipment=self.path, text=text)
