"""The schedule of abuses of a demonstration: what is done to which part, when, and for how long. Pure."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SPACING_S: Final = 2.5
"""One abuse in so many seconds, besides further kills that were asked for."""
FIRST_S: Final = 3.0
"""The bridge is up and the first orders are out by then."""
LAST_S: Final = 1.0
"""Before the end of production."""
CUT_S: Final = (0.2, 5.0)
DOWN_S: Final = (0.0, 3.0)
FAULT_S: Final = (1.0, 5.0)
PAUSE_S: Final = (0.5, 5.0)
PAST_THE_LEASE_S: Final = (3.0, 6.0)
"""The demonstration's lease runs out after two seconds."""
MOST_FAULTS: Final = 3


class AbuseKind(StrEnum):
    """What can be done to a part."""

    KILL_BRIDGE = "kill_bridge"
    KILL_STANDBY = "kill_standby"
    PAUSE_BRIDGE = "pause_bridge"
    FILL_DISK_OF_BRIDGE = "fill_disk_of_bridge"
    KILL_STORE = "kill_store"
    PAUSE_STORE = "pause_store"
    FILL_STORE = "fill_store"
    FILL_DISK_OF_STORE = "fill_disk_of_store"
    DEMAND_REPLICAS = "demand_replicas"
    DEMOTE_STORE = "demote_store"
    KILL_ODOO = "kill_odoo"
    PAUSE_ODOO = "pause_odoo"
    ODOO_AWAY = "odoo_away"
    TIMEOUT_BEFORE_COMMIT = "timeout_before_commit"
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"
    SERIALIZATION_FAILURES = "serialization_failures"
    END_KEY = "end_key"
    REPLACE_KEY = "replace_key"
    RESTART_BROKER = "restart_broker"
    KILL_BROKER = "kill_broker"
    EMPTY_BROKER = "empty_broker"
    PAUSE_BROKER = "pause_broker"
    CUT = "cut"
    SILENCE = "silence"
    SILENCE_THERE = "silence_there"
    SILENCE_BACK = "silence_back"


@dataclass(frozen=True, slots=True)
class Trait:
    """Of a kind: to which part it is done, how long it lasts, its words, and how often it is in the bag from which the
    abuses are drawn. Two abuses of one part come one after the other; empty: the part is the link."""

    part: str
    lasts_s: tuple[float, float]
    words: str
    tickets: int = 1


TRAITS: Final[Mapping[AbuseKind, Trait]] = {
    AbuseKind.KILL_BRIDGE: Trait("bridge", DOWN_S, "kill -9 of the leading bridge, started again after {lasts}", 3),
    AbuseKind.KILL_STANDBY: Trait("bridge", DOWN_S, "kill -9 of the standby, started again after {lasts}"),
    AbuseKind.PAUSE_BRIDGE: Trait("bridge", PAST_THE_LEASE_S, "the leading bridge is paused for {lasts} (SIGSTOP)", 2),
    AbuseKind.FILL_DISK_OF_BRIDGE: Trait("bridge-disk", PAUSE_S, "the disk of the leading bridge is full for {lasts}"),
    AbuseKind.KILL_STORE: Trait("store", DOWN_S, "kill -9 of the store, started again after {lasts}", 2),
    AbuseKind.PAUSE_STORE: Trait("store", PAUSE_S, "the store is paused for {lasts} (SIGSTOP)"),
    AbuseKind.FILL_STORE: Trait("store", PAUSE_S, "the store's memory is full for {lasts} (maxmemory)"),
    AbuseKind.FILL_DISK_OF_STORE: Trait("store", PAUSE_S, "the disk of the store is full for {lasts}"),
    AbuseKind.DEMAND_REPLICAS: Trait("store", PAUSE_S, "the store lacks a replica for {lasts} (min-replicas-to-write)"),
    AbuseKind.DEMOTE_STORE: Trait("store", PAUSE_S, "the store is the replica of a dead server for {lasts}"),
    AbuseKind.KILL_ODOO: Trait("odoo", DOWN_S, "kill -9 of Odoo, started again after {lasts}"),
    AbuseKind.PAUSE_ODOO: Trait("odoo", PAUSE_S, "Odoo is paused for {lasts} (SIGSTOP)"),
    AbuseKind.ODOO_AWAY: Trait("odoo", FAULT_S, "Odoo answers with its 404 page for {lasts}"),
    AbuseKind.TIMEOUT_BEFORE_COMMIT: Trait("odoo", FAULT_S, "Odoo hangs up before it commits, {calls}"),
    AbuseKind.TIMEOUT_AFTER_COMMIT: Trait("odoo", FAULT_S, "Odoo commits and hangs up, {calls}"),
    AbuseKind.SERIALIZATION_FAILURES: Trait("odoo", FAULT_S, "Odoo fails to serialize, {calls}"),
    AbuseKind.END_KEY: Trait("odoo", FAULT_S, "the API key ends, and a new one is in its place after {lasts}"),
    AbuseKind.REPLACE_KEY: Trait("odoo", FAULT_S, "the API key is replaced, and the old one ends after {lasts}"),
    AbuseKind.RESTART_BROKER: Trait("broker", DOWN_S, "the broker stops, and starts again after {lasts}"),
    AbuseKind.KILL_BROKER: Trait("broker", DOWN_S, "kill -9 of the broker, started again after {lasts}"),
    AbuseKind.EMPTY_BROKER: Trait("broker", DOWN_S, "kill -9 of the broker, started again with nothing after {lasts}"),
    AbuseKind.PAUSE_BROKER: Trait("broker", PAUSE_S, "the broker is paused for {lasts} (SIGSTOP)"),
    AbuseKind.CUT: Trait("", CUT_S, "the link of {link} is cut for {lasts}", 3),
    AbuseKind.SILENCE: Trait("", CUT_S, "the link of {link} lets nothing pass for {lasts}, then it is reset", 2),
    AbuseKind.SILENCE_THERE: Trait("", CUT_S, "the link of {link} carries answers only for {lasts}, then it is reset"),
    AbuseKind.SILENCE_BACK: Trait("", CUT_S, "the link of {link} carries no answers for {lasts}, then it is reset"),
}
COUNTED: Final = frozenset(
    {AbuseKind.TIMEOUT_BEFORE_COMMIT, AbuseKind.TIMEOUT_AFTER_COMMIT, AbuseKind.SERIALIZATION_FAILURES}
)
"""Faults that strike a number of calls."""
KILLS: Final = frozenset(kind for kind, trait in TRAITS.items() if trait.words.startswith("kill -9"))
ON_ODOO_SERVER: Final = frozenset({AbuseKind.KILL_ODOO, AbuseKind.PAUSE_ODOO})
"""What is done to its process, whichever Odoo it is."""
ON_SIMULATED_ODOO: Final = frozenset(kind for kind, trait in TRAITS.items() if trait.part == "odoo") - ON_ODOO_SERVER
"""What only the simulator lets us do to it."""
ON_BROKER: Final = frozenset(kind for kind, trait in TRAITS.items() if trait.part == "broker")
ON_DISK: Final = frozenset({AbuseKind.FILL_DISK_OF_BRIDGE, AbuseKind.FILL_DISK_OF_STORE})
ON_LINK: Final = frozenset(kind for kind, trait in TRAITS.items() if not trait.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abuse:
    """One abuse. `link` is the name of the link that is cut, `calls` how many of Odoo's calls fail."""

    at_ms: int
    kind: AbuseKind
    lasts_ms: int
    link: str = ""
    calls: int = 0

    @property
    def what(self) -> str:
        """In words."""
        calls = f"for the next {self.calls} calls" if self.calls > 1 else "for the next call"
        return TRAITS[self.kind].words.format(lasts=f"{self.lasts_ms / 1000:.1f} s", link=self.link, calls=calls)

    @property
    def part(self) -> str:
        """Whom it is done to."""
        return TRAITS[self.kind].part or self.link


def plan_abuses(
    *,
    seed: int,
    seconds: float,
    kinds: Collection[AbuseKind],
    links: Sequence[str],
    kills: int | None = None,
) -> tuple[Abuse, ...]:
    """The abuses of a run in their order, the same ones for the same arguments. `links` are those that can be cut.

    Every kind is drawn before one is drawn twice, and then as often as its tickets say. `kills` sets how often the
    leading bridge is killed.
    """
    chance = random.Random(f"{seed}/chaos")
    drawn = _drawn(chance, max(1, round(seconds / SPACING_S)), kinds, kills)
    slot_s = (seconds - FIRST_S - LAST_S) / max(1, len(drawn))
    return tuple(
        _abuse(chance, kind, FIRST_S + slot_s * (nth + chance.uniform(0.05, 0.95)), links)
        for nth, kind in enumerate(drawn)
    )


def _drawn(chance: random.Random, count: int, kinds: Collection[AbuseKind], kills: int | None) -> list[AbuseKind]:
    each = [kind for kind in AbuseKind if kind in kinds]
    bag = [kind for kind in each for _ in range(TRAITS[kind].tickets)]
    chance.shuffle(each)
    drawn = each
    while len(drawn) < count:
        chance.shuffle(bag)
        drawn += bag
    drawn = drawn[:count]
    if kills is not None:
        drawn = [kind for kind in drawn if kind is not AbuseKind.KILL_BRIDGE] + [AbuseKind.KILL_BRIDGE] * kills
    chance.shuffle(drawn)
    return drawn


def _abuse(chance: random.Random, kind: AbuseKind, at_s: float, links: Sequence[str]) -> Abuse:
    return Abuse(
        at_ms=round(at_s * 1000),
        kind=kind,
        lasts_ms=round(chance.uniform(*TRAITS[kind].lasts_s) * 1000),
        link=chance.choice(links) if kind in ON_LINK else "",
        calls=chance.randint(1, MOST_FAULTS) if kind in COUNTED else 0,
    )
