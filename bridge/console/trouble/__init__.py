"""A trouble: one thing that is wrong, as the first page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad. Ordered: the worst first."""

    STOP = 0
    WARN = 1
    NOTE = 2

    @property
    def word(self) -> str:
        return {Level.STOP: "stop", Level.WARN: "warn", Level.NOTE: "note"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong. `detail` is what the machine said, `link` the page to go on with."""

    level: Level
    title: str
    means: str
    do: str
    since_ms: int | None = None
    detail: str = ""
    link: str = ""
