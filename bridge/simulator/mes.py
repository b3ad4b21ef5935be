"""The MES: takes releases, answers each version, runs orders through their operations and reports what was made.

Facts happen here as the MES sees them; whether anybody listens changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Final

from bridge.clock import iso
from bridge.core.topic import UNS_PREFIX, order_topic
from bridge.simulator.happening import Agenda, DocumentSent, FactHappened
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind
from bridge.simulator.plan import OrderPlan, is_sent_twice, lot_of, plan_operation, plan_order
from bridge.simulator.quality import QualityStation
from bridge.simulator.scenario import Scenario
from bridge.simulator.station import Operation, Station
from ruleset.sample import Plain

ANSWER_AFTER_MS: Final = 150
SENT_AGAIN_AFTER_MS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the MES needs of an order release document."""

    order: str
    version: int
    status: str
    quantity: int
    operations: tuple[tuple[str, str], ...]
    """(work order, work center), in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MesOrder:
    """One order in the MES. `operation` is the place of the operation that runs or waits."""

    release: Release
    nth: int
    plan: OrderPlan
    begun: bool = False
    done: bool = False
    reported: bool = False
    status: str | None = None

    @property
    def lot(self) -> str:
        return lot_of(self.release.order)


def read_release(document: Mapping[str, Plain]) -> Release:
    """Read an order release (docs/contract). Raises `ValueError` with what is wrong with it."""
    try:
        operations = document["operations"]
        if not isinstance(operations, list) or not operations:
            raise ValueError("no operations")
        return Release(
            order=str(document["order"]),
            version=int(str(document["version"])),
            status=str(document["status"]),
            quantity=int(Decimal(str(document["quantity"]))),
            operations=tuple(_operation(each) for each in operations),
        )
    except (KeyError, ArithmeticError) as error:
        raise ValueError(f"not an order release: {error!r}") from error


def _operation(written: Plain) -> tuple[str, str]:
    if not isinstance(written, dict):
        raise ValueError("an operation is no object")
    return str(written["work_order"]), str(written["work_center"])


class Mes:
    """The order book and the dispatch of one site. A station runs one operation at a time, first come first served."""

    def __init__(self, *, scenario: Scenario, stations: Sequence[Station], agenda: Agenda) -> None:
        self._scenario = scenario
        self._stations = {station.scenario.work_center: station for station in stations}
        self._agenda = agenda
        self._quality: QualityStation | None = None
        self._answers: dict[tuple[str, int], tuple[str, str]] = {}
        self._orders: dict[str, MesOrder] = {}
        self._refused: dict[str, str] = {}
        self._received = 0
        self._queues: dict[str, deque[tuple[str, int]]] = {code: deque() for code in self._stations}
        self._takes_orders = True

    @property
    def releases(self) -> tuple[tuple[str, int], ...]:
        """(order, version) of every release document that was answered, each once."""
        return tuple(self._answers)

    @property
    def is_at_rest(self) -> bool:
        """Whether no order is being made, reported or decided."""
        return all(order.done for order in self._orders.values() if order.begun or self._takes_orders)

    def employ(self, quality: QualityStation) -> None:
        """Say who decides on lots."""
        self._quality = quality

    def take_no_more(self) -> None:
        """Begin no further order; those begun are made and reported to their end."""
        self._takes_orders = False

    def receive(self, document: Mapping[str, Plain], at_ms: int) -> None:
        """Take a release document. The same version again is answered again and changes nothing else."""
        release = read_release(document)
        if release.status == "closed":
            return
        version = (release.order, release.version)
        if version not in self._answers:
            self._answers[version] = self._decide(release, at_ms)
            self._tell_answer(release, at_ms)
        status, reason = self._answers[version]
        answer: dict[str, Plain] = {"order": release.order, "version": release.version, "status": status}
        if reason:
            answer["reason"] = reason
        topic = f"{order_topic(self._scenario.site, release.order)}/ack"
        answer_id = f"ack-{release.order}-{release.version}"
        self._agenda.enter(at_ms + ANSWER_AFTER_MS, partial(self._send_to, topic, answer_id, answer))

    def send(self, tail: str, id: str, fields: Mapping[str, Plain], at_ms: int) -> None:
        """Send a document on `uns/v1/<site>/<tail>`; some are sent twice, with the same id."""
        self._send_to(f"{UNS_PREFIX}/{self._scenario.site}/{tail}", id, fields, at_ms)

    def _send_to(self, topic: str, id: str, fields: Mapping[str, Plain], at_ms: int) -> None:
        document = {"id": id, "at": iso(at_ms), **fields}
        sent = DocumentSent(topic=topic, document=document, at_ms=at_ms)
        self._agenda.report(sent)
        if is_sent_twice(self._scenario, id):
            self._agenda.enter(at_ms + SENT_AGAIN_AFTER_MS, lambda now_ms: self._agenda.report(sent))

    def _decide(self, release: Release, at_ms: int) -> tuple[str, str]:
        """Accept or refuse a version: ("accepted", "") or ("refused", the reason)."""
        known = self._orders.get(release.order)
        if release.status == "cancelled":
            return self._cancel(release.order, known)
        unknown = [code for _, code in release.operations if code not in self._stations]
        if unknown:
            return "refused", f"unknown work center {unknown[0]}"
        if release.order in self._refused:
            return "refused", self._refused[release.order]
        if known is None:
            return self._take_new(release, at_ms)
        same = replace(release, version=0, status="") == replace(known.release, version=0, status="")
        if known.begun and not same:
            return "refused", "already in production"
        self._orders[release.order] = replace(known, release=release)
        return "accepted", ""

    def _take_new(self, release: Release, at_ms: int) -> tuple[str, str]:
        self._received += 1
        if reason := self._scenario.mes.refuses.get(self._received):
            self._refused[release.order] = reason
            return "refused", reason
        nth = self._received
        self._orders[release.order] = MesOrder(release=release, nth=nth, plan=plan_order(self._scenario, nth))
        self._queue(release.order, 0, at_ms + ANSWER_AFTER_MS)
        return "accepted", ""

    def _cancel(self, order: str, known: MesOrder | None) -> tuple[str, str]:
        if known is not None and known.begun:
            return "refused", "already in production"
        self._orders.pop(order, None)
        for queue in self._queues.values():
            if (order, 0) in queue:
                queue.remove((order, 0))
        return "accepted", ""

    def _queue(self, order: str, place: int, at_ms: int) -> None:
        _, work_center = self._orders[order].release.operations[place]
        self._queues[work_center].append((order, place))
        self._agenda.enter(at_ms + self._scenario.changeover_ms, partial(self._dispatch, work_center))

    def _dispatch(self, work_center: str, at_ms: int) -> None:
        """Begin what waits longest at a free station. Orders that were begun go on even when no new ones are taken."""
        station, queue = self._stations[work_center], self._queues[work_center]
        ready = [(order, place) for order, place in queue if self._takes_orders or self._orders[order].begun]
        if not station.is_free or not ready:
            return
        queue.remove(ready[0])
        name, place = ready[0]
        order = replace(self._orders[name], begun=True)
        self._orders[name] = order
        work_order, _ = order.release.operations[place]
        quantity = order.release.quantity
        plan = plan_operation(self._scenario, station.scenario, order.nth, place, quantity)
        operation = Operation(order=name, work_order=work_order, place=place, quantity=quantity, plan=plan)
        self._report_operation("work_started", FactKind.START, operation, station, at_ms)
        station.begin(operation, at_ms, partial(self._ended, station))

    def _ended(self, station: Station, operation: Operation, at_ms: int) -> None:
        order = self._orders[operation.order]
        is_last = operation.place + 1 == len(order.release.operations)
        if is_last:
            self._tell(
                FactKind.PROGRESS,
                f"progress:{operation.order}:{station.equipment}",
                at_ms,
                operation.order,
                station.equipment,
                {"quantity": str(operation.quantity)},
            )
        self._report_operation("work_finished", FactKind.FINISH, operation, station, at_ms)
        if self._quality:
            id = f"{operation.order}-{operation.work_order}"
            self._quality.inspect(operation.order, station.equipment, id, usual=not is_last, at_ms=at_ms)
        if is_last:
            self._agenda.enter(at_ms + order.plan.reports_ms, partial(self._report, operation.order, station))
            self._agenda.enter(at_ms + order.plan.decides_ms, partial(self._let_decide, operation.order, station))
        else:
            self._queue(operation.order, operation.place + 1, at_ms)
        self._agenda.enter(at_ms + self._scenario.changeover_ms, partial(self._dispatch, station.scenario.work_center))

    def _report_operation(self, name: str, kind: FactKind, operation: Operation, station: Station, at_ms: int) -> None:
        fields: dict[str, Plain] = {"order": operation.order, "work_order": operation.work_order}
        self.send(
            f"{station.scenario.equipment}/{name}",
            f"{name}-{operation.order}-{operation.work_order}",
            fields,
            at_ms,
        )
        self._tell(
            kind,
            f"{kind}:{operation.order}:{operation.work_order}",
            at_ms,
            operation.order,
            station.equipment,
            {"work_order": operation.work_order},
        )

    def _let_decide(self, name: str, station: Station, at_ms: int) -> None:
        order = self._orders[name]
        if self._quality and order.plan.status is not None:
            self._quality.decide(name, order.lot, order.plan.status, at_ms)
            self._orders[name] = order = replace(order, status=order.plan.status)
        self._complete(order, station, at_ms)

    def _report(self, name: str, station: Station, at_ms: int) -> None:
        order = self._orders[name]
        pieces = order.release.quantity
        consumed: list[Plain] = [
            {
                "product": each.product,
                "lot": each.lot,
                "qty": float(each.quantity * pieces),
                "unit": each.unit,
            }
            for each in self._scenario.consumption
        ]
        fields: dict[str, Plain] = {"order": name, "lot": order.lot, "qty": pieces, "consumed": consumed}
        self.send(f"{station.scenario.equipment}/finished", f"finished-{name}", fields, at_ms)
        self._orders[name] = order = replace(order, reported=True)
        self._complete(order, station, at_ms)

    def _complete(self, order: MesOrder, station: Station, at_ms: int) -> None:
        """Once it is reported and decided (or never will be), the order is over."""
        if not order.reported or order.done or (order.plan.status is not None and order.status is None):
            return
        name, pieces = order.release.order, order.release.quantity
        self._orders[name] = replace(order, done=True)
        consumed: list[Plain] = [
            {"product": each.product, "lot": each.lot, "quantity": format((each.quantity * pieces).normalize(), "f")}
            for each in self._scenario.consumption
        ]
        values: dict[str, Plain] = {
            "quantity": str(pieces),
            "lot": order.lot,
            "status": order.status,
            "consumed": consumed,
        }
        outcome = ExpectedOutcome.POSTED if order.status else ExpectedOutcome.HELD
        self._tell(FactKind.COMPLETION, f"completion:{name}", at_ms, name, station.equipment, values, outcome)

    def _tell_answer(self, release: Release, at_ms: int) -> None:
        status, reason = self._answers[release.order, release.version]
        values: dict[str, Plain] = {"version": release.version, "status": status, "reason": reason}
        fact_id = f"acknowledgement:{release.order}:{release.version}"
        self._tell(FactKind.ACKNOWLEDGEMENT, fact_id, at_ms, release.order, None, values)

    def _tell(
        self,
        kind: FactKind,
        id: str,
        at_ms: int,
        order: str,
        equipment: str | None,
        values: Mapping[str, Plain],
        outcome: ExpectedOutcome = ExpectedOutcome.POSTED,
    ) -> None:
        fact = Fact(
            kind=kind, id=id, at_ms=at_ms, order=order, equipment=equipment, outcome=outcome, values=dict(values)
        )
        self._agenda.report(FactHappened(fact))
