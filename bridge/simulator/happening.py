"""What the plant model says has happened, and the agenda of what will.

A happening is for the shell to carry out: metrics go to an edge node, documents to the MES's session, facts into
the ledger. The agenda runs what is due in the order of its time, so the size of a step changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from bridge.simulator.ledger import Fact
from bridge.simulator.scenario import Source
from ruleset.sample import Plain
from sparkplug.fact import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsChanged:
    """These metrics of one source changed together: one message."""

    source: Source
    values: Mapping[str, Value]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSent:
    """The MES sends this JSON document at QoS 1. The same document may be sent twice."""

    topic: str
    document: Mapping[str, Plain]
    at_ms: int


@dataclass(frozen=True, slots=True)
class FactHappened:
    """For the ledger, which gives it its sequence."""

    fact: Fact


Happening: TypeAlias = MetricsChanged | DocumentSent | FactHappened
Act: TypeAlias = Callable[[int], None]


class Agenda:
    """What is due when, in virtual time. Two acts of the same moment run in the order in which they were entered."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Act]] = []
        self._entries = count()
        self._happened: list[Happening] = []

    @property
    def next_due_ms(self) -> int | None:
        return self._due[0][0] if self._due else None

    def enter(self, at_ms: int, act: Act) -> None:
        """Have `act` called with `at_ms` when that moment comes."""
        heappush(self._due, (at_ms, next(self._entries), act))

    def report(self, happening: Happening) -> None:
        """Say what happened, for the running step's result."""
        self._happened.append(happening)

    def advance(self, now_ms: int) -> list[Happening]:
        """Run all that is due until `now_ms`, and give what happened, in order."""
        while self._due and self._due[0][0] <= now_ms:
            at_ms, _, act = heappop(self._due)
            act(at_ms)
        happened, self._happened = self._happened, []
        return happened
