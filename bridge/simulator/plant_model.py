"""The whole plant as a pure model: releases go in, time passes, and what happens comes out.

The same scenario, start and releases (with their times) give the same happenings, however often `step` is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bridge.simulator.happening import Agenda, Happening
from bridge.simulator.mes import Mes
from bridge.simulator.plan import Stop
from bridge.simulator.quality import QualityStation
from bridge.simulator.scenario import (
    CounterReset,
    FailedCheck,
    Incident,
    Scenario,
    Source,
    StationScenario,
    StopIncident,
    UnmappedScrap,
    VibrationIncident,
)
from bridge.simulator.station import Station
from bridge.simulator.vibration import Vibration
from ruleset.sample import Plain
from sparkplug.fact import Value


class PlantModel:
    """Presses, lines, the quality station and the MES of one site."""

    def __init__(self, scenario: Scenario, start_ms: int) -> None:
        self._scenario = scenario
        self._agenda = Agenda()
        self._winds_down = False
        self._stations = {each.equipment: self._station(each, start_ms) for each in scenario.stations}
        self._vibrations = {
            each.equipment: self._vibration(each, start_ms) for each in scenario.stations if each.vibrates
        }
        self._mes = Mes(scenario=scenario, stations=tuple(self._stations.values()), agenda=self._agenda)
        self._quality = QualityStation(
            scenario=scenario.quality,
            equipment=self._path(scenario.quality.equipment),
            agenda=self._agenda,
            send=self._mes.send,
        )
        self._mes.employ(self._quality)
        for incident in scenario.incidents:
            self._agenda.enter(start_ms + incident.at_ms, partial(self._befall, incident))

    @property
    def next_due_ms(self) -> int | None:
        """When something will happen by itself."""
        return self._agenda.next_due_ms

    @property
    def releases(self) -> tuple[tuple[str, int], ...]:
        """(order, version) of every release that the MES has seen, each once."""
        return self._mes.releases

    @property
    def is_at_rest(self) -> bool:
        """Whether no order and no incident is under way."""
        return self._mes.is_at_rest and all(each.is_calm for each in self._vibrations.values())

    def metrics(self) -> Mapping[Source, Mapping[str, Value]]:
        """All metrics of all sources as they are now, for births."""
        shown = {each.scenario.source: dict(each.metrics()) for each in self._stations.values()}
        for equipment, vibration in self._vibrations.items():
            shown[self._stations[equipment].scenario.source]["Vibration/RMS"] = vibration.reading
        return {**shown, self._quality.scenario.source: self._quality.metrics()}

    def receive(self, document: Mapping[str, Plain], now_ms: int) -> None:
        """The MES receives a release document. Raises `ValueError` where it is none."""
        self._mes.receive(document, now_ms)

    def wind_down(self) -> None:
        """Begin no further order and no further incident."""
        self._winds_down = True
        self._mes.take_no_more()

    def step(self, now_ms: int) -> list[Happening]:
        """Let time pass until `now_ms`; what happened until then, in order."""
        return self._agenda.advance(now_ms)

    def _path(self, equipment: str) -> str:
        return f"{self._scenario.site}/{equipment}"

    def _station(self, scenario: StationScenario, start_ms: int) -> Station:
        return Station(
            scenario=scenario,
            equipment=self._path(scenario.equipment),
            settle_ms=self._scenario.settle_ms,
            agenda=self._agenda,
            last_scrap=start_ms // 1000,
        )

    def _vibration(self, scenario: StationScenario, start_ms: int) -> Vibration:
        return Vibration(
            scenario=scenario,
            equipment=self._path(scenario.equipment),
            seed=self._scenario.seed,
            start_ms=start_ms,
            agenda=self._agenda,
        )

    def _befall(self, incident: Incident, at_ms: int) -> None:
        if self._winds_down:
            return
        match incident:
            case VibrationIncident(station=name):
                self._vibrations[name].shake()
            case StopIncident(station=name, fault=fault, lasts_ms=lasts_ms, loss=loss):
                self._stations[name].stop(Stop(states=(("FAULT", lasts_ms),), fault=fault, loss=loss))
            case CounterReset(station=name):
                self._stations[name].reset_counter()
            case UnmappedScrap(station=name, reason=reason):
                self._stations[name].scrap_unmapped(reason)
            case FailedCheck(check=check):
                self._quality.fail_next(check)
