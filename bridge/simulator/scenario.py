"""The scenario: what happens in a simulated plant, as values. `scenario_file` reads it from YAML.

Moments and lengths are milliseconds; incidents count from the start. Chances are shares from 0 to 1, drawn once
per operation or document from the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from sparkplug.fact import NodeId


@dataclass(frozen=True, slots=True)
class Span:
    """From at least to at most, both included."""

    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The Sparkplug origin that a station or the quality station reports through; `device` None: the node itself."""

    node: NodeId
    device: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFlow:
    """What the planner releases: so many orders, one every so often, with quantities within the span."""

    count: int
    every_ms: int
    quantity: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class StationScenario:
    """One press or line. `counter` is what its piece counter shows at the start."""

    equipment: str
    source: Source
    work_center: str
    serial_number: str
    piece_ms: int
    counter: int = 0
    scraps: bool = False
    vibrates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopScenario:
    """A kind of stop that happens by chance. `loss` None: too short to be recorded in Odoo."""

    chance: float
    states: tuple[str, ...]
    fault: str
    lasts_ms: Span
    loss: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapScenario:
    """Scrap that happens by chance; the share `unconfirmed` of it never counts."""

    chance: float
    unconfirmed: float
    quantity: Span
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityScenario:
    """The quality station. `rejects` and `undecided` name orders by their place among those received, from 1."""

    equipment: str
    source: Source
    serial_number: str
    decides_ms: Span
    rejects: frozenset[int]
    undecided: frozenset[int]
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MesScenario:
    """The MES. `refuses` gives the reason by the order's place among those received, from 1."""

    reports_ms: Span
    refuses: Mapping[int, str]
    duplicates: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What one finished piece consumes."""

    product: str
    lot: str | None
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VibrationIncident:
    """Chatter around the limit, then well above it, then calm again."""

    at_ms: int
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopIncident:
    """A stop, as soon as the station runs."""

    at_ms: int
    station: str
    fault: str
    lasts_ms: int
    loss: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReset:
    """The PLC restarts its piece counter at 0, between two pieces."""

    at_ms: int
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmappedScrap:
    """Confirmed scrap whose reason no code table knows."""

    at_ms: int
    station: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    """The next quality check of this name fails."""

    at_ms: int
    check: str


Incident: TypeAlias = VibrationIncident | StopIncident | CounterReset | UnmappedScrap | FailedCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that the simulated plant does, given its seed.

    The edge nodes store what happens while `primary_host` is offline; None: they publish to whoever listens.
    """

    seed: int
    site: str
    primary_host: str | None
    settle_ms: int
    changeover_ms: int
    orders: OrderFlow
    stations: tuple[StationScenario, ...]
    stops: tuple[StopScenario, ...]
    scrap: ScrapScenario
    quality: QualityScenario
    mes: MesScenario
    consumption: tuple[Component, ...]
    incidents: tuple[Incident, ...]
