"""`collect` and `post`: pieces are counted at once and posted now and then, as the total reached (`upto`).

Totals belong to the plant's fact, so that any number of rules, windows and restarts posts the same sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from ruleset.cel import Expression
from ruleset.form.counter import Count, OrderTotals, Reading, Total
from ruleset.form.memory import CollectMemory
from ruleset.form.moment import Moment
from ruleset.form.posting import fact_key
from ruleset.form.vocabulary import PROGRESS
from ruleset.output import Post
from ruleset.sample import Plain, Source
from ruleset.trace.trace import Outcome
from ruleset.transaction import OrderRef, Progress, Provenance
from ruleset.unit import Factor

NO_ORDER: Final = "-"
"""Stands in a stream for the order, where none ran."""


class Ledger:
    """What every order made at every equipment. `changed` gathers the ids of records that changed."""

    __slots__ = ("_totals", "changed")

    def __init__(self) -> None:
        self._totals: dict[str, dict[str, OrderTotals]] = {}
        self.changed: set[str] = set()

    def add(self, equipment: str, measure: str, count: Count) -> None:
        totals = self._of(equipment, count.reading.order)
        totals.forget_ms = None
        totals.add(measure, count)
        self.changed.add(total_id(equipment, totals.order))

    def orders(self, equipment: str) -> tuple[str, ...]:
        return tuple(self._totals.get(equipment, {}))

    def unposted(self, equipment: str, order: str, measure: str) -> Decimal:
        totals = self._totals.get(equipment, {}).get(order)
        return totals.unposted(measure) if totals is not None else Decimal(0)

    def take(self, equipment: str, order: str, measure: str) -> list[tuple[int, Total, Decimal]]:
        """The epochs with something unposted, which then counts as posted; and what was posted before."""
        totals = self._totals.get(equipment, {}).get(order)
        if totals is None:
            return []
        of_measure = totals.totals.get(measure, {})
        taken = [(epoch, each, each.posted) for epoch, each in of_measure.items() if each.made != each.posted]
        for _, each, _ in taken:
            each.posted = each.made
        for past in [epoch for epoch in of_measure if not order and epoch < max(of_measure)]:
            del of_measure[past]  # no order that ends lets them be forgotten
        if taken:
            self.changed.add(total_id(equipment, order))
        return taken

    def close(self, order: str, forget_ms: int) -> list[str]:
        """Mark what belongs to an order to be forgotten; the ids of the records."""
        closed = [path for path, by_order in self._totals.items() if order in by_order]
        for path in closed:
            self._totals[path][order].forget_ms = forget_ms
        return [total_id(path, order) for path in closed]

    def forget(self, id: str) -> None:
        equipment, order = _parts(id)
        self._totals.get(equipment, {}).pop(order, None)
        self.changed.add(id)

    def get(self, id: str) -> OrderTotals | None:
        equipment, order = _parts(id)
        return self._totals.get(equipment, {}).get(order)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records."""
        return frozenset(total_id(path, order) for path, by_order in self._totals.items() for order in by_order)

    def put(self, totals: OrderTotals) -> None:
        self._totals.setdefault(totals.equipment, {})[totals.order] = totals

    def _of(self, equipment: str, order: str) -> OrderTotals:
        by_order = self._totals.setdefault(equipment, {})
        return by_order.setdefault(order, OrderTotals(equipment=equipment, order=order))


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """`measures` are counter signals by the name that the rule gives them; `posted` is the signal that is posted.

    `unit` is what is posted, `factor` leads there from the signal's own unit (None: it is that). `flush_on` are signals
    whose change posts what is there.
    """

    measures: Mapping[str, str]
    posted: str
    unit: str
    factor: Factor | None
    every_ms: int | None
    enough: Expression | None
    flush_on: frozenset[str]

    def new_memory(self) -> CollectMemory:
        return CollectMemory()

    def hasten(self, memory: CollectMemory, now_ms: int) -> None:
        """Wait no longer than what begins now: the clock stood ahead when the wait began."""
        if memory.due_ms is not None and self.every_ms is not None:
            memory.due_ms = min(memory.due_ms, now_ms + self.every_ms)

    def counted(self, memory: CollectMemory, ledger: Ledger, moment: Moment) -> tuple[Post, ...]:
        """Something was counted: post at once what belongs to another order than the running one, and enough. What is
        made without an order is posted when one runs again: until then it is one stretch."""
        path = moment.equipment.path
        late = [order for order in ledger.orders(path) if order != moment.running]
        posts = self._post(ledger, moment, late, because="its order runs no longer")
        if not moment.running or not ledger.unposted(path, moment.running, self.posted):
            return posts
        if self.enough is not None:
            made: dict[str, Plain] = {
                name: float(ledger.unposted(path, moment.running, signal)) for name, signal in self.measures.items()
            }
            if moment.with_extra(made).holds(self.enough) is True:
                return posts + self.flush(memory, ledger, moment, because="`or` holds")
        if memory.due_ms is None and self.every_ms is not None:
            memory.due_ms = moment.now_ms + self.every_ms
        return posts

    def flush(self, memory: CollectMemory, ledger: Ledger, moment: Moment, *, because: str) -> tuple[Post, ...]:
        """Post all that is unposted at the equipment."""
        memory.due_ms = None
        return self._post(ledger, moment, list(ledger.orders(moment.equipment.path)), because=because)

    def _post(self, ledger: Ledger, moment: Moment, orders: list[str], *, because: str) -> tuple[Post, ...]:
        path = moment.equipment.path
        return tuple(
            self._posted(moment, order, epoch, total, before, because)
            for order in orders
            for epoch, total, before in ledger.take(path, order, self.posted)
        )

    def _posted(self, moment: Moment, order: str, epoch: int, total: Total, before: Decimal, because: str) -> Post:
        reading = total.reading
        assert reading is not None
        then = moment.apart().of(Source(topic=reading.topic, seq=reading.seq), reading.at_ms)
        then.notes.update(
            counter=self.posted,
            reading=_plain_number(reading.value),
            epoch=epoch,
            order=order or "no order",
            made_before=_plain_number(before),
            made=_plain_number(total.made),
            because=because,
        )
        progress = self._progress(moment, reading, order, epoch, total, before)
        return Post(progress, trace=then.trace(Outcome.POSTED, key=progress.key))

    def _progress(
        self, moment: Moment, reading: Reading, order: str, epoch: int, total: Total, before: Decimal
    ) -> Progress:
        path, stream, upto = (
            moment.equipment.path,
            stream_of(order, moment.equipment.path, self.posted, epoch),
            total.made,
        )
        if not order:  # a stretch is a stream of its own: whichever order it is given to, nothing of it counts twice
            stream, upto = f"{stream}+{before:f}", total.made - before
        provenance = Provenance(
            rule=moment.rule,
            version=moment.version,
            topic=reading.topic,
            seq=reading.seq,
            values={self.posted: _plain_number(reading.value)},
        )
        return Progress(
            key=fact_key(path, PROGRESS, OrderRef(order) or None, f"{self.posted}:{epoch}:{total.made:f}"),
            equipment=path,
            at_ms=reading.at_ms,
            provenance=provenance,
            order=OrderRef(order) or None,
            stream=stream,
            upto=self.factor.of(upto) if self.factor else upto,
            unit=self.unit,
        )


def stream_of(order: str, equipment: str, measure: str, epoch: int) -> str:
    """The stream that a cumulative total belongs to. The measure is the counter's signal."""
    return f"{order or NO_ORDER}/{equipment}/{measure}/{epoch}"


def given_to(progress: Progress, order: OrderRef) -> Progress:
    """What was made without an order, as a stream of the one that a person gave it to."""
    return replace(progress, order=order, stream=order + progress.stream.removeprefix(NO_ORDER))


def total_id(equipment: str, order: str) -> str:
    return f"total/{equipment}|{order}"


def _parts(id: str) -> tuple[str, str]:
    equipment, _, order = id.removeprefix("total/").partition("|")
    return equipment, order


def _plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
