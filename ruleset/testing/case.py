"""One rule test as it was read: what equipment says when, what happens to it and to the bridge, what must come of it.

Moments are milliseconds from the beginning of the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from ruleset.document import DURATION_UNITS_MS
from ruleset.sample import Plain

Value: TypeAlias = "bool | int | float | str | None"
"""A signal's value. None: the device says that it does not know."""


@dataclass(frozen=True, slots=True, order=True)
class Offset:
    """A moment of a test, as its author writes it: `4m10s`."""

    ms: int

    def __str__(self) -> str:
        if self.ms < 0:
            return f"-{Offset(-self.ms)}"
        rest, text = self.ms, ""
        for unit, factor in reversed(DURATION_UNITS_MS.items()):
            if rest >= factor:
                text += f"{rest // factor}{unit}"
                rest %= factor
        return text or "0s"


Shown: TypeAlias = "Offset | Decimal | int | str | None | tuple[Shown, ...] | Mapping[str, Shown]"
"""A value of a posting or of an expectation. None in an expectation: there must be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one message of an equipment tells of its signals. `told_ms` is when it is sent, `at_ms` when it was so."""

    equipment: str
    at_ms: int
    told_ms: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of an equipment; its times are as in `Said`."""

    equipment: str
    at_ms: int
    told_ms: int
    signal: str
    id: str
    fields: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Restart:
    """The bridge ends, is away for so long, and starts with what it had stored."""

    away_ms: int


@dataclass(frozen=True, slots=True)
class Lose:
    """Edge nodes or devices are gone: what their equipment says is not heard, and they store it."""

    equipment: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bear:
    """They are born (again). With `stored` they tell what nobody heard afterwards, else it is lost."""

    equipment: tuple[str, ...]
    stored: bool


@dataclass(frozen=True, slots=True)
class Close:
    """Odoo is done with an order."""

    order: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens to the bridge or to edge nodes."""

    at_ms: int
    what: Restart | Lose | Bear | Close


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One thing that must come: what the author says of it, and where."""

    line: int
    values: Mapping[str, Shown]


SECTIONS: Final = ("expect", "unmet", "alerts", "remarks")
"""What a test may name: postings, dead letters, alerts, remarks. Only remarks may come unnamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """`equipment` is what takes part, by path; `rules` the names of those at work. `expected` is by section."""

    name: str
    file: str
    line: int
    rules: frozenset[str]
    equipment: tuple[str, ...]
    start_ms: int
    until_ms: int
    said: tuple[Said, ...]
    happened: tuple[Happened, ...]
    acts: tuple[Act, ...]
    expected: Mapping[str, tuple[Expected, ...]]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"
