"""The ledger of what happened against what stands in Odoo, fact by fact. Pure.

A fact without its effect is *lost*; an effect without its fact, or one more than its fact has, is *doubled*. Facts
that the rules keep from Odoo on purpose (held, or dead letters) must have no effect.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from bridge.demo.odoo_view import DowntimeRow, InboxRow, OdooView, OrderView, ScrapView
from bridge.demo.order_of_posting import before_its_start, misplaced
from bridge.orders.record import OrderRecord
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind

TIME_TOLERANCE_S: Final = 1
"""Odoo keeps whole seconds; what lasts less than one is given one."""
STARTED_STATES: Final = frozenset({"progress", "done"})
NO_ORDER: Final = OrderView(state="missing")
ON_THE_NAMESPACE: Final = frozenset({FactKind.RELEASE, FactKind.ACKNOWLEDGEMENT})
"""Facts that have no effect in Odoo."""
SENT: Final = "to the floor as version"
"""What planners read on an order of which a version is with the broker."""
TOO_LITTLE: Final = "too little happened to judge: no fact on the floor was to be posted; let the plant run longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceView:
    """What stands on the namespace's side: releases as (order, version) that the MES saw, and the bridge's record of
    the MES's answers: per order the answered version and `accepted` or `refused`."""

    releases: tuple[tuple[str, int], ...] = ()
    answers: Mapping[str, tuple[int, str]] = field(default_factory=dict)


def answers_of(records: Iterable[OrderRecord]) -> dict[str, tuple[int, str]]:
    """Per order the latest version that the MES answered, and how, as the bridge keeps it."""
    return {one.order: (one.answered.version, str(one.answered.answer)) for one in records if one.answered}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result. `held` and `dead` count facts that were rightly kept from Odoo; `differences` are sentences, one also
    where nothing was to be posted; `not_promised` are sentences on what nobody can promise (docs/chaos.md)."""

    facts: int
    kinds: int
    postings: int
    lost: int
    doubled: int
    out_of_order: int
    held: int
    dead: int
    seed: int
    differences: tuple[str, ...]
    not_promised: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return not self.differences


def compare(
    facts: Sequence[Fact], odoo: OdooView, namespace: NamespaceView, *, seed: int, late: Collection[str] = ()
) -> Report:
    """Compare every fact with its effect and every effect with its fact.

    `late`: ids of documents that the MES could not send in time.
    """
    comparison = _Comparison(facts, odoo, namespace)
    comparison.run()
    excused = {before_its_start(fact.order) for fact in facts if fact.order and _is_told_late(fact, late)}
    found = misplaced(facts, odoo.inbox)
    misplaced_sentences = [text for text in found if text not in excused]
    return Report(
        facts=len(facts),
        kinds=len({fact.kind for fact in facts}),
        postings=len(odoo.inbox),
        lost=len(comparison.lost),
        doubled=len(comparison.doubled),
        out_of_order=len(misplaced_sentences),
        held=comparison.kept[ExpectedOutcome.HELD],
        dead=comparison.kept[ExpectedOutcome.DEAD],
        seed=seed,
        differences=(
            *(f"lost: {text}" for text in comparison.lost),
            *(f"doubled: {text}" for text in comparison.doubled),
            *(f"out of order: {text}" for text in misplaced_sentences),
            *([] if any(_is_for_odoo(fact) for fact in facts) else [TOO_LITTLE]),
        ),
        not_promised=tuple(f"not promised: {text}; the MES told it late" for text in found if text in excused),
    )


def _is_told_late(fact: Fact, late: Collection[str]) -> bool:
    """Whether it is a start that the MES could not tell in time."""
    return fact.kind is FactKind.START and f"work_started-{fact.order}-{_text(fact, 'work_order')}" in late


def _is_for_odoo(fact: Fact) -> bool:
    return fact.outcome is ExpectedOutcome.POSTED and fact.kind not in ON_THE_NAMESPACE


class _Comparison:
    """Goes through the kinds of facts one by one, collecting sentences."""

    def __init__(self, facts: Sequence[Fact], odoo: OdooView, namespace: NamespaceView) -> None:
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.kept: Counter[ExpectedOutcome] = Counter(
            fact.outcome for fact in facts if fact.outcome is not ExpectedOutcome.POSTED
        )
        self._facts: dict[FactKind, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.outcome is ExpectedOutcome.POSTED:
                self._facts[fact.kind].append(fact)
        self._odoo = odoo
        self._namespace = namespace
        self._rows: dict[tuple[str, str | None], list[InboxRow]] = defaultdict(list)
        for row in odoo.inbox:
            self._rows[row.kind, row.order].append(row)

    def run(self) -> None:
        """Compare all kinds."""
        self._compare_releases()
        self._compare_answers()
        self._compare_lines_for_planners()
        self._compare_work_orders(FactKind.START, "start")
        self._compare_work_orders(FactKind.FINISH, "finish")
        self._compare_progress()
        self._compare_scrap()
        self._compare_downtimes()
        self._compare_maintenance()
        self._compare_dispositions()
        self._compare_completions()

    def _compare_releases(self) -> None:
        released = {fact.order for fact in self._facts[FactKind.RELEASE]}
        seen = {order for order, _ in self._namespace.releases}
        self.lost += [f"the MES never saw the release of {order}" for order in _sorted(released - seen)]
        self.doubled += [f"the MES saw {order}, which nobody released" for order in _sorted(seen - released)]

    def _compare_answers(self) -> None:
        answered: dict[str | None, dict[int, str]] = defaultdict(dict)
        for fact in self._facts[FactKind.ACKNOWLEDGEMENT]:
            answered[fact.order][_integer(fact, "version")] = _text(fact, "status")
        for order, by_version in answered.items():
            version, status = self._namespace.answers.get(order or "", (0, "none"))
            for each, said in by_version.items():
                if version < each or (version == each and status != said):
                    tracked = f"{status} for version {version}" if version else "no answer"
                    self.lost.append(f"the MES {said} {order} version {each}; the bridge has {tracked}")
        for order, (version, status) in self._namespace.answers.items():
            if status in ("accepted", "refused") and version not in answered.get(order, {}):
                self.doubled.append(f"the bridge has {order} version {version} as {status}, which the MES never said")

    def _compare_lines_for_planners(self) -> None:
        """Each order that the MES saw says so in Odoo, each version once."""
        released = {fact.order for fact in self._facts[FactKind.RELEASE]}
        for order in _sorted(released & {order for order, _ in self._namespace.releases}):
            lines = [note for note in self._odoo.orders.get(order, NO_ORDER).notes if SENT in note]
            if not lines:
                self.lost.append(f"the line on {order} that it was released to the floor")
            self.doubled += [f'the line on {order} "{line}"' for line, times in Counter(lines).items() if times > 1]

    def _compare_work_orders(self, kind: FactKind, row_kind: str) -> None:
        happened = {_text(fact, "work_order"): fact for fact in self._facts[kind]}
        states = {name: state for order in self._odoo.orders.values() for name, state in order.work_orders.items()}
        wanted = STARTED_STATES if kind is FactKind.START else frozenset({"done"})
        rows = Counter(row.payload.get("wo") for row in self._odoo.inbox if row.kind == row_kind)
        for work_order, fact in happened.items():
            state = states.get(work_order, "missing")
            if state not in wanted or rows[work_order] == 0:
                self.lost.append(f"{kind} of {work_order} of {fact.order}: it is {state}, {rows[work_order]} postings")
            if rows[work_order] > 1:
                self.doubled.append(f"{kind} of {work_order} of {fact.order}: {rows[work_order]} postings")
        for posted, times in rows.items():
            if posted not in happened:
                self.doubled.append(f"{kind} of {posted} was posted {times} times, but never happened")
        for work_order, state in states.items():
            if state in wanted and work_order not in happened and not rows[work_order]:
                self.doubled.append(f"{work_order} is {state}, but its {kind} never happened")

    def _compare_progress(self) -> None:
        """The final count, of the last totals posted per stream: a counter's reset begins a new one."""
        streams: dict[str | None, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self._odoo.inbox:
            if row.kind == "progress":
                stream = str(row.payload.get("stream"))
                upto = Decimal(str(row.payload.get("upto", "0")))
                streams[row.order][stream] = max(streams[row.order][stream], upto)
        counted: dict[str | None, Decimal] = defaultdict(Decimal)
        for fact in self._facts[FactKind.PROGRESS]:
            counted[fact.order] += _decimal(fact, "quantity")
        for order in _sorted({*streams, *counted}):
            posted = sum(streams[order].values(), Decimal(0))
            self._judge_quantity(f"progress of {order}", counted[order], posted)
            view = self._odoo.orders.get(order, NO_ORDER)
            if posted == counted[order] and view.state != "done":
                self._judge_quantity(f"quantity of {order}", counted[order], view.producing)

    def _judge_quantity(self, what: str, happened: Decimal, posted: Decimal) -> None:
        if posted < happened:
            self.lost.append(f"{what}: {happened} on the floor, {posted} in Odoo")
        if posted > happened:
            self.doubled.append(f"{what}: {happened} on the floor, {posted} in Odoo")

    def _compare_scrap(self) -> None:
        happened = Counter(
            (fact.order or "", ScrapView(quantity=_decimal(fact, "quantity"), lot=_text(fact, "lot") or None))
            for fact in self._facts[FactKind.SCRAP]
        )
        posted = Counter((name, scrap) for name, order in self._odoo.orders.items() for scrap in order.scraps)
        for (order, scrap), times in (happened - posted).items():
            self.lost.append(f"scrap of {scrap.quantity} of {order}, lot {scrap.lot}: {times} not in Odoo")
        for (order, scrap), times in (posted - happened).items():
            self.doubled.append(f"scrap of {scrap.quantity} of {order}, lot {scrap.lot}: {times} too many in Odoo")

    def _compare_downtimes(self) -> None:
        left = list(self._odoo.downtimes)
        for fact in self._facts[FactKind.DOWNTIME]:
            match = next((row for row in left if _is_of(row, fact)), None)
            if match is None:
                self.lost.append(f"{_text(fact, 'loss')} of {fact.equipment} from {_second(fact, 'started_ms')} s")
            else:
                left.remove(match)
        for row in left:
            length_s = row.ended_s - row.started_s
            self.doubled.append(f"{row.loss} of {row.work_center} from {row.started_s} s, {length_s} s long")

    def _compare_maintenance(self) -> None:
        left = list(self._odoo.maintenance)
        for fact in self._facts[FactKind.MAINTENANCE]:
            serial, title = _text(fact, "serial_number"), _text(fact, "title")
            match = next((row for row in left if row.serial_number == serial and row.title.startswith(title)), None)
            if match is None:
                self.lost.append(f'maintenance request "{title}" for {serial}')
            else:
                left.remove(match)
        self.doubled += [f'maintenance request "{row.title}" for {row.serial_number}' for row in left]

    def _compare_dispositions(self) -> None:
        """Each is a note on its order, and one posting."""
        happened = Counter(fact.order for fact in self._facts[FactKind.DISPOSITION])
        for fact in self._facts[FactKind.DISPOSITION]:
            status, lot = _text(fact, "status"), _text(fact, "lot")
            notes = self._odoo.orders.get(fact.order or "", NO_ORDER).notes
            found = sum(f"Quality: {status}" in note and lot in note for note in notes)
            rows = len(self._rows["note", fact.order])
            if not found or not rows:
                self.lost.append(f"disposition {status} of {fact.order}, lot {lot}: {found} notes, {rows} postings")
            elif found > 1 or rows > happened[fact.order]:
                self.doubled.append(f"disposition {status} of {fact.order}, lot {lot}: {found} notes, {rows} postings")
        for kind, order in list(self._rows):
            if kind == "note" and order not in happened:
                self.doubled.append(f"a note on {order} was posted, but nothing was decided")

    def _compare_completions(self) -> None:
        happened = {fact.order or "": fact for fact in self._facts[FactKind.COMPLETION]}
        for name, fact in happened.items():
            rows = len(self._rows["complete", name])
            wrong = _completion_faults(fact, self._odoo.orders.get(name, NO_ORDER))
            if wrong or not rows:
                self.lost.append(f"completion of {name}: {', '.join(wrong) or 'no posting'}")
            if rows > 1:
                self.doubled.append(f"completion of {name}: {rows} postings")
        for name, order in self._odoo.orders.items():
            if name not in happened and (order.state == "done" or self._rows["complete", name]):
                self.doubled.append(f"{name} is {order.state}, but was never completed")


def _completion_faults(fact: Fact, order: OrderView) -> list[str]:
    """What of a completion is not in Odoo as it was: state, quantity, lot, hold, each component and lot."""
    if order.state != "done":
        return [f"it is {order.state}"]
    faults = []
    quantity, lot = _decimal(fact, "quantity"), _text(fact, "lot")
    if order.produced != quantity:
        faults.append(f"{order.produced} produced instead of {quantity}")
    if order.lots != (lot,):
        faults.append(f"lot {' and '.join(order.lots) or 'none'} instead of {lot}")
    if order.on_hold != (fact.values.get("status") == "reject"):
        faults.append("on hold though accepted" if order.on_hold else "available though rejected")
    used = _consumed(fact)
    for product, component_lot in sorted({*used, *order.consumed}, key=str):
        wanted = used.get((product, component_lot), Decimal(0))
        found = order.consumed.get((product, component_lot), Decimal(0))
        if wanted != found:
            faults.append(f"{found} of {product} lot {component_lot} consumed instead of {wanted}")
    return faults


def _consumed(fact: Fact) -> Mapping[tuple[str, str | None], Decimal]:
    lines = fact.values.get("consumed")
    used: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict):
            lot = line.get("lot")
            used[str(line["product"]), str(lot) if lot else None] += Decimal(str(line["quantity"]))
    return used


def _is_of(row: DowntimeRow, fact: Fact) -> bool:
    return (
        row.work_center == _text(fact, "work_center")
        and row.loss == _text(fact, "loss")
        and abs(row.started_s - _second(fact, "started_ms")) <= TIME_TOLERANCE_S
        and abs(row.ended_s - _second(fact, "ended_ms")) <= TIME_TOLERANCE_S
    )


def _sorted(orders: Iterable[str | None]) -> list[str]:
    return sorted((order or "none" for order in orders), key=lambda order: (len(order), order))


def _text(fact: Fact, name: str) -> str:
    return str(fact.values.get(name) or "")


def _decimal(fact: Fact, name: str) -> Decimal:
    return Decimal(_text(fact, name) or "0")


def _integer(fact: Fact, name: str) -> int:
    return int(_text(fact, name) or "0")


def _second(fact: Fact, name: str) -> int:
    return _integer(fact, name) // 1000
