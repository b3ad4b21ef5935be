"""The vibration of a press: calm readings, and incidents that must raise one maintenance request each.

An incident chatters around the limit (never above it for long), stays well above, falls back between the limits,
rises again, and calms down: one request, not four.
"""

from __future__ import annotations

from random import Random
from typing import Final

from bridge.simulator.happening import Agenda, FactHappened, MetricsChanged
from bridge.simulator.ledger import Fact, FactKind
from bridge.simulator.scenario import StationScenario

CALM_EVERY_MS: Final = 500
INCIDENT_EVERY_MS: Final = 200
RAISED_AFTER_MS: Final = 2000
"""How long the rules want it above the limit before they ask for maintenance."""
INCIDENT: Final = (
    *(7.3, 6.8, 7.4, 7.2, 6.6, 7.5, 6.9, 7.3, 6.7, 6.8),
    *(7.6, 7.9, 8.1, 8.4, 8.3, 8.6, 8.8, 8.5, 8.7, 8.9, 9.1, 9.3, 9.2, 9.4, 9.0),
    *(9.2, 9.1, 8.9, 9.0, 8.8, 8.9, 8.7, 8.6, 8.8, 8.6, 8.4, 8.5, 8.3, 8.1, 7.9),
    *(6.6, 6.2, 6.0, 6.3, 6.4),
    *(7.4, 7.8, 7.7, 7.9, 8.0, 7.8, 7.9, 8.1, 7.8, 7.7, 7.6, 7.4, 7.3),
    *(6.1, 5.6),
)
"""mm/s, one reading every `INCIDENT_EVERY_MS`; the limits of the demonstration's rule are 7.1 and 5.5."""
LASTING_FROM: Final = 10
"""The reading with which it goes above the limit to stay."""
CALM_AFTER_MS: Final = 5000
"""Calm for longer than the rules want before they take the condition for cleared."""


class Vibration:
    """The vibration sensor of one press."""

    def __init__(self, *, scenario: StationScenario, equipment: str, seed: int, start_ms: int, agenda: Agenda) -> None:
        self._scenario = scenario
        self._equipment = equipment
        self._agenda = agenda
        self._chance = Random(f"{seed}/vibration/{equipment}")
        self._waiting = 0
        self._calm_from_ms = start_ms
        self._place: int | None = None
        self.reading = self._calm()
        agenda.enter(start_ms + CALM_EVERY_MS, self._read)

    @property
    def is_calm(self) -> bool:
        """Whether no incident is going on, nor waiting for the last one to clear."""
        return self._place is None and not self._waiting

    def shake(self) -> None:
        """Begin an incident, once the last one has cleared."""
        self._waiting += 1

    def _read(self, at_ms: int) -> None:
        """Take a reading, and report it by exception: not where it is the last one again."""
        before = self.reading
        if self._place is None and self._waiting and at_ms >= self._calm_from_ms:
            self._waiting -= 1
            self._place = 0
        if self._place is None:
            self.reading = self._calm()
            self._agenda.enter(at_ms + CALM_EVERY_MS, self._read)
        else:
            self.reading = INCIDENT[self._place]
            self._proceed(self._place, at_ms)
            self._agenda.enter(at_ms + INCIDENT_EVERY_MS, self._read)
        if self.reading != before:
            values = {"Vibration/RMS": self.reading}
            self._agenda.report(MetricsChanged(source=self._scenario.source, values=values, at_ms=at_ms))

    def _proceed(self, place: int, at_ms: int) -> None:
        if place == LASTING_FROM:
            self._agenda.enter(at_ms + RAISED_AFTER_MS, self._raise)
        self._place = place + 1
        if self._place == len(INCIDENT):
            self._place = None
            self._calm_from_ms = at_ms + CALM_AFTER_MS

    def _raise(self, at_ms: int) -> None:
        fact = Fact(
            kind=FactKind.MAINTENANCE,
            id=f"maintenance:{self._equipment}:vibration:{at_ms}",
            at_ms=at_ms,
            equipment=self._equipment,
            values={"serial_number": self._scenario.serial_number, "title": "Vibration "},
        )
        self._agenda.report(FactHappened(fact))

    def _calm(self) -> float:
        return round(self._chance.uniform(2.6, 4.6), 2)
