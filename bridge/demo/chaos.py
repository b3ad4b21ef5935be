"""The schedule of abuses of a demonstration: what is done to which part, when, and for how long. Pure."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SPACING_S: Final = 4.0
"""One abuse in so many seconds, besides further kills that were asked for."""
FIRST_S: Final = 3.0
"""The bridge is up and the first orders are out by then."""
LAST_S: Final = 1.0
"""Before the end of production."""
CUT_S: Final = (0.2, 5.0)
DOWN_S: Final = (0.0, 3.0)
FAULT_S: Final = (1.0, 5.0)
MOST_FAULTS: Final = 3


class AbuseKind(StrEnum):
    """What can be done to a part."""

    KILL_BRIDGE = "kill_bridge"
    KILL_STORE = "kill_store"
    KILL_ODOO = "kill_odoo"
    RESTART_BROKER = "restart_broker"
    CUT = "cut"
    SILENCE = "silence"
    ODOO_AWAY = "odoo_away"
    TIMEOUT_BEFORE_COMMIT = "timeout_before_commit"
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"
    SERIALIZATION_FAILURES = "serialization_failures"


TICKETS: Final[Mapping[AbuseKind, int]] = {
    AbuseKind.KILL_BRIDGE: 3,
    AbuseKind.KILL_STORE: 2,
    AbuseKind.KILL_ODOO: 1,
    AbuseKind.RESTART_BROKER: 1,
    AbuseKind.CUT: 3,
    AbuseKind.SILENCE: 2,
    AbuseKind.ODOO_AWAY: 1,
    AbuseKind.TIMEOUT_BEFORE_COMMIT: 1,
    AbuseKind.TIMEOUT_AFTER_COMMIT: 1,
    AbuseKind.SERIALIZATION_FAILURES: 1,
}
"""How often a kind is in the bag from which the abuses are drawn."""
ON_SIMULATED_ODOO: Final = frozenset(
    {
        AbuseKind.KILL_ODOO,
        AbuseKind.ODOO_AWAY,
        AbuseKind.TIMEOUT_BEFORE_COMMIT,
        AbuseKind.TIMEOUT_AFTER_COMMIT,
        AbuseKind.SERIALIZATION_FAILURES,
    }
)
"""What only the simulator lets us do to it."""
ON_LINK: Final = frozenset({AbuseKind.CUT, AbuseKind.SILENCE})


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
        lasts = f"{self.lasts_ms / 1000:.1f} s"
        calls = f"for the next {self.calls} calls" if self.calls > 1 else "for the next call"
        match self.kind:
            case AbuseKind.KILL_BRIDGE:
                return f"kill -9 of the bridge, started again after {lasts}"
            case AbuseKind.KILL_STORE:
                return f"kill -9 of the store, started again after {lasts}"
            case AbuseKind.KILL_ODOO:
                return f"kill -9 of Odoo, started again after {lasts}"
            case AbuseKind.RESTART_BROKER:
                return f"the broker stops, and starts again after {lasts}"
            case AbuseKind.CUT:
                return f"the link of {self.link} is cut for {lasts}"
            case AbuseKind.SILENCE:
                return f"the link of {self.link} lets nothing pass for {lasts}, then it is reset"
            case AbuseKind.ODOO_AWAY:
                return f"Odoo answers with its 404 page for {lasts}"
            case AbuseKind.TIMEOUT_BEFORE_COMMIT:
                return f"Odoo hangs up before it commits, {calls}"
            case AbuseKind.TIMEOUT_AFTER_COMMIT:
                return f"Odoo commits and hangs up, {calls}"
            case AbuseKind.SERIALIZATION_FAILURES:
                return f"Odoo fails to serialize, {calls}"


def plan_abuses(
    *,
    seed: int,
    seconds: float,
    kinds: Collection[AbuseKind],
    links: Mapping[AbuseKind, Sequence[str]],
    kills: int | None = None,
) -> tuple[Abuse, ...]:
    """The abuses of a run in their order, the same ones for the same arguments. `links` by what can be done to them.

    Every kind is drawn before one comes more often than its tickets say. `kills` sets how often the bridge is killed.
    """
    chance = random.Random(f"{seed}/chaos")
    drawn = _drawn(chance, max(1, round(seconds / SPACING_S)), kinds, kills)
    slot_s = (seconds - FIRST_S - LAST_S) / max(1, len(drawn))
    return tuple(
        _abuse(chance, kind, FIRST_S + slot_s * (nth + chance.uniform(0.05, 0.95)), links.get(kind, ()))
        for nth, kind in enumerate(drawn)
    )


def _drawn(chance: random.Random, count: int, kinds: Collection[AbuseKind], kills: int | None) -> list[AbuseKind]:
    bag = [kind for kind in AbuseKind if kind in kinds for _ in range(TICKETS[kind])]
    drawn: list[AbuseKind] = []
    while len(drawn) < count:
        chance.shuffle(bag)
        drawn += bag
    drawn = drawn[:count]
    if kills is not None:
        drawn = [kind for kind in drawn if kind is not AbuseKind.KILL_BRIDGE] + [AbuseKind.KILL_BRIDGE] * kills
        chance.shuffle(drawn)
    return drawn


def _abuse(chance: random.Random, kind: AbuseKind, at_s: float, links: Sequence[str]) -> Abuse:
    if kind in ON_LINK:
        span_s = CUT_S
    elif kind in ON_SIMULATED_ODOO and kind is not AbuseKind.KILL_ODOO:
        span_s = FAULT_S
    else:
        span_s = DOWN_S
    is_counted = span_s is FAULT_S and kind is not AbuseKind.ODOO_AWAY
    return Abuse(
        at_ms=round(at_s * 1000),
        kind=kind,
        lasts_ms=round(chance.uniform(*span_s) * 1000),
        link=chance.choice(links) if links else "",
        calls=chance.randint(1, MOST_FAULTS) if is_counted else 0,
    )
