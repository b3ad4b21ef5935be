"""A day in the simulated plant without a broker: releases arrive one by one, time passes in steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.simulator.happening import DocumentSent, FactHappened, Happening, MetricsChanged
from bridge.simulator.ledger import Fact, FactKind
from bridge.simulator.plan import order_quantity
from bridge.simulator.plant_model import PlantModel
from bridge.simulator.scenario import Scenario
from bridge.simulator.scenario_file import load_scenario
from ruleset.sample import Plain

START_MS = 1_700_000_000_000
LONGEST_MS = 180_000
SCENARIO = Path(__file__).parents[3] / "bridge/demo/scenario.yaml"


def demonstration() -> Scenario:
    """The scenario that the demonstration runs."""
    return load_scenario(SCENARIO)


def release(nth: int, quantity: int, *, version: int = 1, status: str = "released") -> Mapping[str, Plain]:
    """The release document of the n-th order, on press 1 and 2 in turn."""
    return {
        "order": f"mo-{nth}",
        "name": f"WH/MO/{nth:05}",
        "version": version,
        "status": status,
        "quantity": str(quantity),
        "operations": [
            {"work_order": f"wo-{2 * nth}", "name": "Press", "work_center": f"PRESS-{1 + nth % 2}"},
            {"work_order": f"wo-{2 * nth + 1}", "name": "Pack", "work_center": "PACK-1"},
        ],
        "components": [],
    }


@dataclass(frozen=True, slots=True)
class Day:
    """What happened until the plant came to rest."""

    happenings: list[Happening]
    length_ms: int

    @property
    def facts(self) -> list[Fact]:
        return [each.fact for each in self.happenings if isinstance(each, FactHappened)]

    def facts_of(self, kind: FactKind) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind is kind]

    @property
    def documents(self) -> list[DocumentSent]:
        return [each for each in self.happenings if isinstance(each, DocumentSent)]

    def documents_named(self, name: str) -> list[Mapping[str, Plain]]:
        return [each.document for each in self.documents if each.topic.endswith(f"/{name}")]

    def values(self, device: str | None, metric: str) -> list[object]:
        """Every value that a device reported for a metric, in order."""
        return [
            each.values[metric]
            for each in self.happenings
            if isinstance(each, MetricsChanged) and each.source.device == device and metric in each.values
        ]


def run_day(scenario: Scenario, *, step_ms: int = 50) -> Day:
    """All orders of the scenario, released on time, until the plant is at rest again."""
    model = PlantModel(scenario, START_MS)
    releases = [
        (START_MS + nth * scenario.orders.every_ms, release(nth, order_quantity(scenario, nth)))
        for nth in range(1, scenario.orders.count + 1)
    ]
    happenings: list[Happening] = []
    now_ms = START_MS
    while releases or not model.is_at_rest:
        assert now_ms < START_MS + LONGEST_MS
        next_ms = min(now_ms + step_ms, releases[0][0]) if releases else now_ms + step_ms
        now_ms = next_ms
        happenings += model.step(now_ms)
        if releases and releases[0][0] == now_ms:
            model.receive(releases.pop(0)[1], now_ms)
    happenings += model.step(now_ms + scenario.settle_ms * 5)
    return Day(happenings, now_ms - START_MS)
