"""The quality station: dispositions on lots as rows of a DataSet, and checks as documents."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bridge.simulator.happening import Agenda, FactHappened, MetricsChanged
from bridge.simulator.ledger import Fact, FactKind
from bridge.simulator.scenario import QualityScenario
from ruleset.sample import Plain
from sparkplug.fact import DataSet, Scalar, Value

ROWS: Final = 20
"""The last decisions, which every birth repeats: what was decided in an outage shorter than that is not lost."""
COLUMNS: Final = ("id", "at", "order", "lot", "status")
FAILURES: Final = 3
"""So many failures of one check ask for maintenance, once."""

Send: TypeAlias = Callable[[str, str, Mapping[str, Plain], int], None]
"""Sends a document: its topic's tail below the site, its id, its fields and the moment."""


class QualityStation:
    """Decides on lots and checks pieces."""

    def __init__(self, *, scenario: QualityScenario, equipment: str, agenda: Agenda, send: Send) -> None:
        self.scenario: Final = scenario
        self._equipment = equipment
        self._agenda = agenda
        self._send = send
        self._rows: deque[tuple[Scalar | None, ...]] = deque(maxlen=ROWS)
        self._to_fail: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def metrics(self) -> Mapping[str, Value]:
        """Everything that the station shows now, for a birth."""
        return {"Dispositions": DataSet(columns=COLUMNS, rows=tuple(self._rows))}

    def decide(self, order: str, lot: str, status: str, at_ms: int) -> None:
        """Decide on an order's lot."""
        self._rows.append((f"disposition-{order}", at_ms, order, lot, status))
        self._agenda.report(MetricsChanged(source=self.scenario.source, values=self.metrics(), at_ms=at_ms))
        self._tell(
            Fact(
                kind=FactKind.DISPOSITION,
                id=f"disposition:{order}",
                at_ms=at_ms,
                order=order,
                equipment=self._equipment,
                values={"lot": lot, "status": status},
            )
        )

    def fail_next(self, check: str) -> None:
        """Make the next check of this name fail. One that is not usual is made after the next operation."""
        self._to_fail[check] += 1

    def inspect(self, order: str, equipment: str, id: str, *, usual: bool, at_ms: int) -> None:
        """Check a piece made on `equipment`: the usual check where it is due, and those that were asked for."""
        asked = [check for check, times in self._to_fail.items() if times and check != self.scenario.check]
        for check in [*([self.scenario.check] if usual else []), *asked]:
            self._check(check, order, equipment, f"{check}-{id}", at_ms)

    def _check(self, check: str, order: str, equipment: str, id: str, at_ms: int) -> None:
        fails = self._to_fail[check] > 0
        result = "fail" if fails else "pass"
        fields: dict[str, Plain] = {"order": order, "check": check, "result": result, "equipment": equipment}
        self._send(f"{self.scenario.equipment}/quality", f"check-{id}", fields, at_ms)
        if not fails:
            return
        self._to_fail[check] -= 1
        self._failed[check] += 1
        if self._failed[check] == FAILURES:
            self._tell(
                Fact(
                    kind=FactKind.MAINTENANCE,
                    id=f"maintenance:{self._equipment}:{check}:{at_ms}",
                    at_ms=at_ms,
                    equipment=self._equipment,
                    values={"serial_number": self.scenario.serial_number, "title": f"{FAILURES} failures of {check} "},
                )
            )

    def _tell(self, fact: Fact) -> None:
        self._agenda.report(FactHappened(fact))
