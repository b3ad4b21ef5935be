"""Production: what equipment counts becomes totals of orders, and the rules that collect it post them in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from ruleset.equipment import Assets, Signal, WithoutOrder
from ruleset.form.collect import Collect
from ruleset.form.counting import Counting
from ruleset.form.memory import CollectMemory
from ruleset.form.moment import Moment
from ruleset.form.records import Records, equipment_id
from ruleset.output import EngineOutput, Post, Remark, RemarkName
from ruleset.sample import Sample
from ruleset.trace.look import Looks
from ruleset.transaction import Complete, Correct, QualityHold, action

MomentOf: TypeAlias = Callable[[str, int], Moment]
"""The present moment of a rule's record, now."""

FORGET_MS: Final = 7 * 24 * 3_600_000
"""How long totals of a closed order are kept: longer than a node stores readings."""


class Production:
    """The collecting rules of a site at work on its records. `collects` are their forms by record id."""

    def __init__(
        self, collects: Mapping[str, Collect], assets: Assets, records: Records, moment: MomentOf, looks: Looks
    ) -> None:
        self._records = records
        self._looks = looks
        self._moment = moment
        self._order_signals = {path: each.order_signal for path, each in assets.equipment.items()}
        self._order_before: dict[str, str] = {}
        self._collects: dict[str, list[tuple[str, Collect]]] = defaultdict(list)
        for id, collect in collects.items():
            self._collects[id.split("/", 2)[2]].append((id, collect))

    def running(self, path: str) -> str:
        """The order that runs at an equipment; empty for none."""
        signal = self._order_signals.get(path)
        return str(self._records.equipment(path).values.get(signal.name, "")) if signal is not None else ""

    def counted_for(self, path: str) -> str:
        """The order that what this message tells was made for; empty for none."""
        return self._order_before.get(path) or self.running(path)

    def begin_message(self) -> None:
        """A new message: what it counts was made before it changes the order."""
        self._order_before.clear()

    def before_change(self, sample: Sample, *, is_order: bool, now_ms: int) -> list[EngineOutput]:
        """Post what a change of this signal ends, while the order that made it still runs."""
        path = sample.equipment
        outputs: list[EngineOutput] = []
        if is_order:
            self._order_before[path] = self.running(path)
            memory = self._records.equipment(path)
            memory.orderless = False
            for counter in () if sample.birth else memory.counters.values():
                counter.order = str(sample.value or "")
        for id, collect in self._collects.get(path, ()):
            if sample.signal in collect.flush_on:
                outputs += self._flush(id, collect, now_ms, because=f"{sample.signal} changes")
        return outputs

    def count(self, sample: Sample, signal: Signal, now_ms: int) -> list[EngineOutput]:
        """Take a reading of a counter. It tells what was made before its message."""
        path = sample.equipment
        running, order = self.running(path), self.counted_for(path)
        without = self._without_order(path)
        counting = Counting(
            path, self._records.equipment(path), self._records.ledger, running, order, without is WithoutOrder.HOLD
        )
        remarks = counting.read(sample, signal)
        self._records.touch(equipment_id(path))
        said = [self._alert(path, each, now_ms) if without is WithoutOrder.ALERT else each for each in remarks]
        return [*said, *self._after_counting(path, now_ms)]

    def _without_order(self, path: str) -> WithoutOrder:
        signal = self._order_signals.get(path)
        return signal.without_order if signal is not None else WithoutOrder.REMARK

    def _alert(self, path: str, remark: Remark, now_ms: int) -> EngineOutput:
        """Pieces without an order are an alert, where the plant says so."""
        ids = [id for id, _ in self._collects.get(path, ())]
        if remark.name is not RemarkName.COUNT_WITHOUT_ORDER or not ids:
            return remark
        return self._moment(ids[0], now_ms).alert(remark.text)

    def flush(self, id: str, now_ms: int) -> list[EngineOutput]:
        """The time of a rule's window is over: post what is there."""
        form = next(each for own, each in self._collects[id.split("/", 2)[2]] if own == id)
        return self._flush(id, form, now_ms, because="the time of `every` is over")

    def before(self, outputs: Iterable[EngineOutput], now_ms: int) -> list[EngineOutput]:
        """The outputs, with all that an order made posted before it is done or corrected: progress never comes after
        completion, and what was not posted yet cannot be corrected."""
        result: list[EngineOutput] = []
        for output in outputs:
            if isinstance(output, Post) and isinstance(output.transaction, Complete | QualityHold | Correct):
                result += self._flush_order(str(output.transaction.order), now_ms, because=action(output.transaction))
            result.append(output)
        return result

    def close(self, order: str, now_ms: int) -> None:
        """Odoo is done with an order: forget its totals later."""
        for id in self._records.ledger.close(order, now_ms + FORGET_MS):
            self._records.touch(id)

    def _flush_order(self, order: str, now_ms: int, *, because: str) -> list[EngineOutput]:
        outputs: list[EngineOutput] = []
        for path, forms in self._collects.items():
            if order in self._records.ledger.orders(path):
                for id, collect in forms:
                    outputs += self._flush(id, collect, now_ms, because=f"{because} of the order follows")
        return outputs

    def _flush(self, id: str, collect: Collect, now_ms: int, *, because: str) -> list[EngineOutput]:
        memory = self._records.rule(id)
        assert isinstance(memory, CollectMemory)
        moment = self._moment(id, now_ms)
        posts: Sequence[EngineOutput] = collect.flush(memory, self._records.ledger, moment, because=because)
        self._records.touch(id)
        if posts:
            self._looks.note(id, moment, posts)
        return list(posts)

    def _after_counting(self, path: str, now_ms: int) -> list[EngineOutput]:
        outputs: list[EngineOutput] = []
        for id, collect in self._collects.get(path, ()):
            memory = self._records.rule(id)
            assert isinstance(memory, CollectMemory)
            before_ms = memory.due_ms
            moment = self._moment(id, now_ms)
            posts = collect.counted(memory, self._records.ledger, moment)
            if posts:
                self._looks.note(id, moment, posts)
            else:
                self._looks.same(id, moment, memory)
            outputs += posts
            if memory.due_ms != before_ms:
                self._records.touch(id)
        return outputs
