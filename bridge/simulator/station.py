"""A press or a packaging line: its PLC's metrics while it runs an operation, piece by piece.

What the PLC says comes in the order that the bridge may rely on: `Order` with the count as it stands, then `State`,
then one message per piece, then `State`, then `Order` cleared, again with the count as it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from bridge.simulator.happening import Agenda, FactHappened, MetricsChanged
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind
from bridge.simulator.plan import OperationPlan, ScrapPlan, Stop, lot_of
from bridge.simulator.scenario import StationScenario
from sparkplug.fact import Value

COUNTER_END: Final = 65536
STOP_DISTANCE_MS: Final = 1000
"""Two stops are never nearer: rules may take nearer ones for one."""
FAULT_CLEAR_MS: Final = 60
"""The fault code goes a moment after the station runs again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of an order to run: `place` counts the order's operations from 0."""

    order: str
    work_order: str
    place: int
    quantity: int
    plan: OperationPlan


class Station:
    """One station. `ended` is called with the operation and the moment when its PLC has let go of the order.

    `last_scrap` is the running number of the last scrap before the day: a PLC goes on counting.
    """

    def __init__(
        self,
        *,
        scenario: StationScenario,
        equipment: str,
        settle_ms: int,
        agenda: Agenda,
        last_scrap: int,
    ) -> None:
        self.scenario: Final = scenario
        self.equipment: Final = equipment
        self._settle_ms = settle_ms
        self._agenda = agenda
        self._state, self._fault = "IDLE", ""
        self._counter = scenario.counter
        self._scrap: dict[str, Value] = {
            "Scrap/Number": last_scrap,
            "Scrap/order": "",
            "Scrap/qty": 0.0,
            "Scrap/reason": "",
            "Scrap/lot": "",
            "Scrap/confirmed": False,
        }
        self._operation: Operation | None = None
        self._loaded = ""
        self._made = 0
        self._stops: deque[Stop] = deque()
        self._unmapped: deque[str] = deque()
        self._reset_wanted = False
        self._no_stop_before_ms = 0
        self._ended: Callable[[Operation, int], None] | None = None

    @property
    def is_free(self) -> bool:
        return self._operation is None

    def metrics(self) -> Mapping[str, Value]:
        """Everything that the PLC shows now, for a birth."""
        shown: dict[str, Value] = {
            "State": self._state,
            "Fault": self._fault,
            "Order": self._loaded,
            "Counters/Good": self._counter,
        }
        return {**shown, **self._scrap} if self.scenario.scraps else shown

    def begin(self, operation: Operation, at_ms: int, ended: Callable[[Operation, int], None]) -> None:
        """Take an operation; the station must be free."""
        self._operation, self._made, self._ended = operation, 0, ended
        self._agenda.enter(at_ms + self._settle_ms, self._load)

    def stop(self, stop: Stop) -> None:
        """Stop once, as soon as pieces are being made."""
        self._stops.append(stop)

    def reset_counter(self) -> None:
        """Restart the piece counter at 0, after the next piece.

        Not in the upper half of its range: nobody can tell that from a rollover.
        """
        self._reset_wanted = True

    def scrap_unmapped(self, reason: str) -> None:
        """Throw a piece away, after the next one, for a reason that nobody knows."""
        self._unmapped.append(reason)

    def _load(self, at_ms: int) -> None:
        self._loaded = self._running.order
        self._report({"Order": self._loaded, "Counters/Good": self._counter}, at_ms)
        self._agenda.enter(at_ms + self._settle_ms, self._run)

    def _run(self, at_ms: int) -> None:
        self._change_state("RUN", at_ms)
        self._proceed(at_ms)

    def _proceed(self, at_ms: int) -> None:
        """Stop, make the next piece, or end."""
        operation = self._running
        if self._stops and at_ms >= self._no_stop_before_ms:
            self._begin_stop(self._stops.popleft(), at_ms)
        elif self._made < operation.quantity:
            self._agenda.enter(at_ms + operation.plan.pieces_ms[self._made], self._count)
        else:
            self._agenda.enter(at_ms + self._settle_ms, self._unload)
            self._change_state("IDLE", at_ms)

    def _count(self, at_ms: int) -> None:
        plan = self._running.plan
        self._made += 1
        self._counter = (self._counter + 1) % COUNTER_END
        self._report({"Counters/Good": self._counter}, at_ms)
        if scrap := plan.scraps.get(self._made):
            self._throw_away(scrap, at_ms, ExpectedOutcome.POSTED)
        elif self._unmapped:
            unmapped = ScrapPlan(quantity=1, reason=self._unmapped.popleft(), confirmed=True)
            self._throw_away(unmapped, at_ms, ExpectedOutcome.DEAD)
        if stop := plan.stops.get(self._made):
            self._stops.append(stop)
        if self._reset_wanted and 0 < self._counter < COUNTER_END // 2:
            self._reset_wanted, self._counter = False, 0
            self._agenda.enter(at_ms + 1, self._report_counter)
        self._proceed(at_ms)

    def _report_counter(self, at_ms: int) -> None:
        self._report({"Counters/Good": self._counter}, at_ms)

    def _throw_away(self, scrap: ScrapPlan, at_ms: int, outcome: ExpectedOutcome) -> None:
        operation = self._running
        number = self._scrap["Scrap/Number"]
        assert isinstance(number, int)
        self._scrap = {
            "Scrap/Number": number + 1,
            "Scrap/order": operation.order,
            "Scrap/qty": float(scrap.quantity),
            "Scrap/reason": scrap.reason,
            "Scrap/lot": lot_of(operation.order),
            "Scrap/confirmed": scrap.confirmed,
        }
        self._report(self._scrap, at_ms)
        if scrap.confirmed:
            self._tell(
                Fact(
                    kind=FactKind.SCRAP,
                    id=f"scrap:{self.equipment}:{number + 1}",
                    at_ms=at_ms,
                    order=operation.order,
                    equipment=self.equipment,
                    outcome=outcome,
                    values={"quantity": str(scrap.quantity), "reason": scrap.reason, "lot": lot_of(operation.order)},
                )
            )

    def _begin_stop(self, stop: Stop, at_ms: int) -> None:
        state_at_ms = at_ms
        for place, (state, length_ms) in enumerate(stop.states):
            fault = stop.fault if place == 0 else None
            self._agenda.enter(state_at_ms, partial(self._change_state, state, fault=fault))
            state_at_ms += length_ms
        self._agenda.enter(state_at_ms, partial(self._end_stop, stop, at_ms))

    def _end_stop(self, stop: Stop, started_ms: int, at_ms: int) -> None:
        self._change_state("RUN", at_ms)
        self._no_stop_before_ms = at_ms + STOP_DISTANCE_MS
        if self._fault:
            self._agenda.enter(at_ms + FAULT_CLEAR_MS, self._clear_fault)
        if stop.loss is not None:
            self._tell(
                Fact(
                    kind=FactKind.DOWNTIME,
                    id=f"downtime:{self.equipment}:{started_ms}",
                    at_ms=at_ms,
                    equipment=self.equipment,
                    values={
                        "work_center": self.scenario.work_center,
                        "started_ms": started_ms,
                        "ended_ms": at_ms,
                        "loss": stop.loss,
                    },
                )
            )
        self._proceed(at_ms)

    def _clear_fault(self, at_ms: int) -> None:
        self._fault = ""
        self._report({"Fault": ""}, at_ms)

    def _change_state(self, state: str, at_ms: int, fault: str | None = None) -> None:
        self._state = state
        values: dict[str, Value] = {}
        if fault is not None and fault != self._fault:
            self._fault = fault
            values["Fault"] = fault
        self._report({**values, "State": state}, at_ms)

    def _unload(self, at_ms: int) -> None:
        operation, ended = self._running, self._ended
        self._operation, self._loaded = None, ""
        self._report({"Order": "", "Counters/Good": self._counter}, at_ms)
        if ended:
            ended(operation, at_ms)

    @property
    def _running(self) -> Operation:
        if self._operation is None:
            raise ValueError(f"{self.equipment} runs no operation")
        return self._operation

    def _report(self, values: Mapping[str, Value], at_ms: int) -> None:
        self._agenda.report(MetricsChanged(source=self.scenario.source, values=dict(values), at_ms=at_ms))

    def _tell(self, fact: Fact) -> None:
        self._agenda.report(FactHappened(fact))
