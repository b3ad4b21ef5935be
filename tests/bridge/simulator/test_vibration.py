"""A vibration incident, judged as the demonstration's rule judges it: one request, however it chatters."""

from __future__ import annotations

from bridge.simulator.happening import Agenda, FactHappened, MetricsChanged
from bridge.simulator.vibration import Vibration
from tests.bridge.simulator.day import START_MS, demonstration

RAISE_ABOVE, RAISE_FOR_MS = 7.1, 2_000
CLEAR_BELOW, CLEAR_FOR_MS = 5.5, 3_000


def requests(readings: list[tuple[int, float]]) -> list[int]:
    """When a rule with these limits asks for maintenance."""
    asked, raised, since_ms = [], False, None
    for at_ms, reading in readings:
        wanted = reading < CLEAR_BELOW if raised else reading > RAISE_ABOVE
        if not wanted:
            since_ms = None
            continue
        since_ms = at_ms if since_ms is None else since_ms
        if at_ms - since_ms >= (CLEAR_FOR_MS if raised else RAISE_FOR_MS):
            asked += [] if raised else [at_ms]
            raised, since_ms = not raised, None
    return asked


def test_each_incident_is_one_request_at_the_moment_that_the_ledger_says() -> None:
    agenda = Agenda()
    vibration = Vibration(
        scenario=demonstration().stations[0], equipment="a/b", seed=7, start_ms=START_MS, agenda=agenda
    )
    vibration.shake()
    vibration.shake()
    happened = agenda.advance(START_MS + 60_000)

    readings = [
        (each.at_ms, float(str(each.values["Vibration/RMS"]))) for each in happened if isinstance(each, MetricsChanged)
    ]
    told = [each.fact.at_ms for each in happened if isinstance(each, FactHappened)]
    assert requests(readings) == told
    assert len(told) == 2
    assert vibration.is_calm
