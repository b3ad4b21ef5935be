"""What truly happens in a schedule's plant: the scenario, drawn from the seed, and the bridge's plant folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Final

from bridge.plant import Plant, load_plant
from bridge.simulator.scenario import OrderFlow, Scenario, Span, VibrationIncident
from bridge.simulator.scenario_file import load_scenario
from tests.faults.desk import SERVER_LIMIT_S, TIMEOUT_S

BRIDGE_YAML: Final = """\
redis: {{lease: 2s, timeout: 2s, accept_weak_durability: {weak}}}
odoo:
  database: odoo
  user: uns-bridge
  key: {{env: UNUSED}}
  poll_every: 4s
  timeout: {timeout_s:.0f}s
  server_limit: {limit_s:.0f}s
  inbox: {inbox}
sparkplug: {{host_id: acme-bridge, groups: [acme-berlin]}}
edge_node: {{group: acme-berlin, node: orders}}
retry: {{first: 200ms, longest: 5s}}
limits: {{stale_grace: 10s}}
"""


@cache
def plant_of(home: Path, *, weak: bool, inbox: bool) -> Plant:
    """The demonstration's plant folder with the settings of a schedule."""
    folder = home / f"plant-{weak}-{inbox}"
    shutil.copytree(Path(str(files("bridge.demo") / "plant")), folder)
    way = "required" if inbox else "never"
    text = BRIDGE_YAML.format(weak=str(weak).lower(), inbox=way, timeout_s=TIMEOUT_S, limit_s=SERVER_LIMIT_S)
    (folder / "bridge.yaml").write_text(text, "utf-8")
    return load_plant(folder)


@cache
def _demonstration() -> Scenario:
    return load_scenario(Path(str(files("bridge.demo") / "scenario.yaml")))


def scenario_of(seed: int) -> Scenario:
    """A short day: two to four orders of a few pieces each, and some of the demonstration's incidents.

    Only a press that is shaken tells its vibration: calm readings are most of what a plant says, and lead to nothing.
    """
    chance, scenario = Random(f"day {seed}"), _demonstration()
    count = chance.randint(2, 4)
    flow = OrderFlow(count=count, every_ms=chance.choice((1_000, 3_000, 5_000)), quantity=Span(3, 8))
    drawn = sorted(chance.sample(scenario.incidents, k=chance.randint(1, 3)), key=lambda each: each.at_ms)
    incidents = tuple(replace(each, at_ms=each.at_ms // 2) for each in drawn)
    shaken = {each.station for each in incidents if isinstance(each, VibrationIncident)}
    return replace(
        scenario,
        seed=seed,
        orders=flow,
        stations=tuple(replace(each, vibrates=each.equipment in shaken) for each in scenario.stations),
        incidents=incidents,
        quality=replace(scenario.quality, rejects=frozenset({chance.randint(1, 6)})),
        mes=replace(scenario.mes, refuses={4: "unknown tool"} if chance.random() < 0.2 else {}),
    )
