"""The plant of a long outage: presses that count, stop, make orders and have scrap and checks, whose material is told
too, and how urgent each workflow is."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bench.recorded import ASSETS, Days, inputs, write_plant
from bridge.core.input import Input, OrdersArrived, UnsDocument
from bridge.plant import Plant, load_plant

TOLD_AFTER_MS: Final = 90_000
"""When the material of an order is told, after Odoo released it."""
PRIORITIES: Final = {"quality": 10, "production": 50, "equipment": 40, "material": 45, "progress": 60}

_CONSUMED: Final = """\
      consumed:
        document: consumed
        fields: {order: text, product: text, lot: text, qty: {type: number, unit: pcs}}
equipment:
"""
_RULES: Final = """\
- rule: consumed
  assets: "*"
  event: consumed
  order: consumed.order
  do: material.consume
  with: {product: consumed.product, quantity: consumed.qty, lot: consumed.lot}

- rule: failed
  assets: "*"
  event: quality
  order: quality.order
  when: quality.result == 'fail'
  do: quality.result
  with: {status: quality.result}
"""
_ACTIONS: Final = {
    "quality": "quality.result, quality.hold",
    "production": "production.scrap, production.complete",
    "equipment": "downtime.record, maintenance.request",
    "material": "material.consume",
    "progress": "production.progress",
}
_WORKFLOW: Final = """\
{name}:
  actions: [{actions}]
  system_of_record: floor
  mode: near_real_time
  latency: 60s
  priority: {priority}
  on_failure: wait
  alert: production
  alert_after: 2m
"""


def plant_in(folder: Path, devices: int) -> Plant:
    """The plant folder, read."""
    write_plant(folder, devices)
    assets = (folder / "assets.yaml").read_text()
    assert ASSETS.count("equipment:\n") == 1
    (folder / "assets.yaml").write_text(assets.replace("equipment:\n", _CONSUMED))
    (folder / "rules" / "material.yaml").write_text(_RULES)
    flows = (
        _WORKFLOW.format(name=name, actions=_ACTIONS[name], priority=priority) for name, priority in PRIORITIES.items()
    )
    (folder / "workflows.yaml").write_text("".join(flows))
    return load_plant(folder)


def told(plant: Plant, days: Days) -> Iterator[tuple[int, Input]]:
    """All that the floor tells in these days, in its order, and the orders, which were released long before. That they
    are done is for Odoo to say, and nobody hears it."""
    waiting: list[tuple[int, UnsDocument]] = []
    for at_ms, entered in inputs(plant, days):
        while waiting and waiting[0][0] <= at_ms:
            yield heapq.heappop(waiting)
        if not isinstance(entered, OrdersArrived):
            yield at_ms, entered
            continue
        open_ones = [order.order for order in entered.read.orders if order.state == "confirmed"]
        if open_ones:
            yield at_ms, entered
        for order in open_ones:
            told_ms = at_ms + TOLD_AFTER_MS
            heapq.heappush(waiting, (told_ms, _consumed(plant, order, told_ms)))


def _consumed(plant: Plant, order: str, at_ms: int) -> UnsDocument:
    body = {"id": f"C-{order}", "at": at_ms, "order": order, "product": "RESIN", "lot": f"R-{order}", "qty": 25}
    return UnsDocument(f"uns/v1/{plant.assets.path}/line-1/press-1/consumed", msgspec.json.encode(body))
