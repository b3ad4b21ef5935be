"""Reading scenarios: the demonstration's own is sound, and every problem of another is told with its place."""

from __future__ import annotations

import pytest

from bridge.simulator.scenario_file import read_scenario
from ruleset.errors import RuleError
from tests.bridge.simulator.day import SCENARIO, demonstration


def test_the_demonstration_scenario_is_read() -> None:
    scenario = demonstration()

    assert [station.work_center for station in scenario.stations] == ["PRESS-1", "PRESS-2", "PACK-1"]
    assert scenario.mes.refuses == {9: "unknown tool"}
    assert len(scenario.incidents) == 12


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = SCENARIO.read_text("utf-8")
    broken = (
        text.replace("seed: 7", "seed: seven")
        .replace("chance: 0.35", "chance: 1.5")
        .replace("do: counter_reset, station: packaging/line-1", "do: counter_reset, station: packaging/line-2")
        .replace('quantity: "0.05"', 'quantity: "-1"')
        .replace("site: acme/berlin", "sight: acme/berlin")
    )

    with pytest.raises(RuleError) as caught:
        read_scenario("scenario.yaml", broken)

    told = str(caught.value)
    assert len(caught.value.problems) == 6
    assert 'unknown key "sight"; did you mean "site"?' in told
    assert 'key "site" is missing here' in told
    assert 'expected a whole number, found the text "seven"' in told
    assert "1.5 is too large" in told
    assert 'did you mean "packaging/line-1"?' in told
    assert 'expected a quantity such as "0.05", found "-1"' in told
    assert all(problem.line > 0 for problem in caught.value.problems)


def test_an_incident_must_fit_its_station() -> None:
    broken = SCENARIO.read_text("utf-8").replace(
        "do: vibration, station: machining/press-2", "do: vibration, station: packaging/line-1"
    )

    with pytest.raises(RuleError, match='"packaging/line-1" is not possible here'):
        read_scenario("scenario.yaml", broken)
