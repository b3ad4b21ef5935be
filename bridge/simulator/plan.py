"""What chance has in store for an order: drawn from the seed and the order's place, never from when it is asked.

So two runs with one seed have the same stops, scrap and decisions, whatever the orders are called and however
their steps interleave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from bridge.simulator.scenario import Scenario, Span, StationScenario, StopScenario

JITTER = 0.15
"""A piece takes this share more or less than its station's usual time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop: its states in order with their lengths. `loss` None: too short for a record."""

    states: tuple[tuple[str, int], ...]
    fault: str
    loss: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapPlan:
    """Pieces thrown away after a good one."""

    quantity: int
    reason: str
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlan:
    """One operation: how long each good piece takes, and what happens after the n-th one."""

    pieces_ms: tuple[int, ...]
    stops: Mapping[int, Stop]
    scraps: Mapping[int, ScrapPlan]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlan:
    """After packing: when quality decides what, and when the MES reports. `status` None: never decided."""

    status: str | None
    decides_ms: int
    reports_ms: int


def plan_operation(
    scenario: Scenario, station: StationScenario, nth: int, operation: int, quantity: int
) -> OperationPlan:
    """Plan the `operation` (from 0) of the `nth` order received."""
    chance = Random(f"{scenario.seed}/order/{nth}/{operation}")
    pieces_ms = tuple(round(station.piece_ms * chance.uniform(1 - JITTER, 1 + JITTER)) for _ in range(quantity))
    stops = {
        chance.randint(1, max(1, quantity - 1)): _draw_stop(chance, kind)
        for kind in scenario.stops
        if chance.random() < kind.chance
    }
    scraps = {}
    if station.scraps and chance.random() < scenario.scrap.chance:
        scraps[chance.randint(1, quantity)] = ScrapPlan(
            quantity=_within(chance, scenario.scrap.quantity),
            reason=chance.choice(scenario.scrap.reasons),
            confirmed=chance.random() >= scenario.scrap.unconfirmed,
        )
    return OperationPlan(pieces_ms=pieces_ms, stops=stops, scraps=scraps)


def plan_order(scenario: Scenario, nth: int) -> OrderPlan:
    """Plan what follows the last operation of the `nth` order received."""
    chance = Random(f"{scenario.seed}/order/{nth}/after")
    status: str | None = "reject" if nth in scenario.quality.rejects else "accept"
    return OrderPlan(
        status=None if nth in scenario.quality.undecided else status,
        decides_ms=_within(chance, scenario.quality.decides_ms),
        reports_ms=_within(chance, scenario.mes.reports_ms),
    )


def order_quantity(scenario: Scenario, nth: int) -> int:
    """How many pieces the planner orders with the `nth` order (from 1)."""
    return _within(Random(f"{scenario.seed}/planner/{nth}"), scenario.orders.quantity)


def lot_of(order: str) -> str:
    """The lot that everything made for an order belongs to."""
    return f"L-{order}"


def is_sent_twice(scenario: Scenario, document_id: str) -> bool:
    """Whether the MES sends this document a second time."""
    return Random(f"{scenario.seed}/duplicate/{document_id}").random() < scenario.mes.duplicates


def _draw_stop(chance: Random, kind: StopScenario) -> Stop:
    length_ms = _within(chance, kind.lasts_ms)
    first_ms = length_ms if len(kind.states) == 1 else length_ms // 5
    later = len(kind.states) - 1
    lengths = (first_ms, *((length_ms - first_ms) // later for _ in range(later)))
    return Stop(states=tuple(zip(kind.states, lengths, strict=True)), fault=kind.fault, loss=kind.loss)


def _within(chance: Random, span: Span) -> int:
    return chance.randint(span.at_least, span.at_most)
