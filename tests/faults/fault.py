"""What goes wrong in a schedule: a list of faults, drawn from its seed. Leaving one out changes none of the others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Kind(StrEnum):
    """The kinds of faults."""

    KILL = "the bridge is killed"
    POWER_CUT = "the bridge's machine loses power"
    PAUSE = "the bridge is paused"
    CLOCK_BACK = "the bridge's clock is set back"
    CLOCK_AHEAD = "the bridge's clock is set ahead"
    LEAP_BACK = "the bridge's clock leaps back"
    LEAP_AHEAD = "the bridge's clock leaps ahead"
    CUT = "a link is cut"
    HALF_OPEN = "a link is half open"
    SLOW_LINK = "a link is slow"
    LATE = "a QoS 0 message comes late"
    LOSE = "QoS 0 messages are lost"
    DOUBLE = "QoS 1 messages come twice"
    BROKER_RESTART = "the broker restarts"
    BROKER_FORGETS = "the broker restarts without its memory"
    STORE_AWAY = "the store is away"
    STORE_READ_ONLY = "the store is read-only"
    STORE_SLOW = "the store is slow"
    COMMIT_LOST = "commits do not arrive"
    ANSWER_LOST = "answers to commits are lost"
    FAIL_OVER = "the store fails over and loses its last writes"
    ODOO_AWAY = "Odoo is away"
    ODOO_SLOW = "Odoo is slow"
    ODOO_BEFORE = "Odoo times out before its commit"
    ODOO_AFTER = "Odoo times out after its commit"
    ODOO_LATE = "Odoo times out and commits later"
    ODOO_SERIALIZATION = "Odoo cannot serialize"
    ODOO_REFUSES = "Odoo refuses"


NEED: Final = {
    Kind.FAIL_OVER: "weak",
    Kind.BROKER_FORGETS: "forgetful",
    Kind.LOSE: "lossy",
}
"""Faults that lose what nobody can bring back; they happen only where the schedule says that this may be."""

WEIGHTS: Final = {
    Kind.KILL: 4,
    Kind.CUT: 2,
    Kind.POWER_CUT: 2,
    Kind.PAUSE: 2,
    Kind.FAIL_OVER: 6,
    Kind.LOSE: 5,
    Kind.BROKER_FORGETS: 6,
}
"""How often beside the others, which have 1."""

BRIDGE_LINKS: Final = ("acme-bridge-host", "acme-bridge-documents", "acme-bridge-orders")
PLANT_LINKS: Final = (
    "plant-acme-berlin-machining",
    "plant-acme-berlin-packaging",
    "plant-acme-berlin-quality",
    "plant-mes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. `amount` is what the kind counts: turns of a loop until the kill, messages, calls, or milliseconds."""

    number: int
    kind: Kind
    at_s: float
    lasts_s: float
    amount: int
    who: str

    def __str__(self) -> str:
        who = f" ({self.who})" if self.who else ""
        return f"{self.number}. {self.at_s:.3f} s: {self.kind}{who}, for {self.lasts_s:.1f} s, amount {self.amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All that a seed decides, but the plant's own day. `traits` say what may be lost beyond recall, whether a second
    bridge stands by, and whether Odoo has no inbox."""

    seed: int
    traits: frozenset[str]
    faults: tuple[Fault, ...]

    def without(self, numbers: Collection[int]) -> Schedule:
        """The same without some of the faults."""
        left = tuple(fault for fault in self.faults if fault.number not in numbers)
        return Schedule(seed=self.seed, traits=self.traits, faults=left)


CHANCES: Final = {"standby": 0.3, "weak": 0.1, "forgetful": 0.08, "lossy": 0.12, "look-first": 0.1}
LEAPS: Final = (Kind.LEAP_BACK, Kind.LEAP_AHEAD)
LEAP_EVERY: Final = 4
"""In every so many schedules a clock leaps by hours, beside the other faults."""
LEAP_MS: Final = (900_000, 3_600_000, 7_200_000)
FAULTS: Final = (2, 9)
HORIZON_S: Final = 25.0
"""When the last fault begins, at the latest."""


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = Random(f"schedule {seed}")
    traits = frozenset(trait for trait, share in CHANCES.items() if chance.random() < share)
    kinds = [kind for kind in Kind if kind not in LEAPS and NEED.get(kind, "") in traits | {""}]
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    count = chance.randint(*FAULTS)
    drawn = sorted((chance.uniform(0.5, HORIZON_S), kind) for kind in chance.choices(kinds, weights, k=count))
    faults = tuple(_fault(number, kind, at_s, chance) for number, (at_s, kind) in enumerate(drawn, 1))
    return Schedule(seed=seed, traits=traits, faults=faults + _leaps(seed, count + 1))


def _leaps(seed: int, number: int) -> tuple[Fault, ...]:
    """A leap of a clock, where this schedule has one. It is drawn by itself, so that it changes no other fault."""
    if seed % LEAP_EVERY:
        return ()
    chance = Random(f"leap {seed}")
    leap = Fault(
        number=number,
        kind=chance.choice(LEAPS),
        at_s=chance.uniform(0.5, HORIZON_S),
        lasts_s=chance.choice((0.3, 5.0, 20.0)) * chance.uniform(0.5, 1.5),
        amount=chance.choice(LEAP_MS),
        who=chance.choice(("a", "a", "b")),
    )
    return (leap,)


def _fault(number: int, kind: Kind, at_s: float, chance: Random) -> Fault:
    lasts_s = chance.choice((0.0, 0.3, 2.0, 5.0, 10.0, 20.0)) * chance.uniform(0.5, 1.5)
    amount, who = chance.randint(1, 4), ""
    match kind:
        case Kind.KILL | Kind.POWER_CUT:
            amount, who = chance.randint(0, 400), chance.choice(("a", "a", "a", "b"))
        case Kind.PAUSE | Kind.CLOCK_BACK | Kind.CLOCK_AHEAD:
            amount, who = chance.choice((300, 5_000, 60_000, 240_000)), chance.choice(("a", "a", "b"))
        case Kind.CUT:
            who = chance.choice(BRIDGE_LINKS + PLANT_LINKS)
        case Kind.HALF_OPEN:
            who, lasts_s = chance.choice(BRIDGE_LINKS + PLANT_LINKS), chance.uniform(1.0, 22.0)
        case Kind.SLOW_LINK:
            who, amount = chance.choice(BRIDGE_LINKS + PLANT_LINKS), chance.choice((50, 400, 3_000))
        case Kind.LATE:
            who, amount = BRIDGE_LINKS[0], chance.choice((20, 300, 1_500))
        case Kind.LOSE:
            who = BRIDGE_LINKS[0]
        case Kind.DOUBLE:
            who = chance.choice((BRIDGE_LINKS[1], "plant-mes"))
        case Kind.STORE_SLOW | Kind.ODOO_SLOW:
            amount = chance.choice((50, 500, 3_000))
        case Kind.FAIL_OVER:
            amount = chance.choice((5, 200, 2_000))
        case _:
            pass
    return Fault(number=number, kind=kind, at_s=at_s, lasts_s=lasts_s, amount=amount, who=who)
