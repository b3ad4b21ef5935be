"""What a demonstration shows while it runs: a line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

LINE_EVERY_S: Final = 5.0
"""How often a line is printed where there is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stands: the plant's facts, and the outbox's entries by state."""

    facts: int
    releases: int
    delivered: int
    waiting: int
    held: int
    dead: int
    stored: int
    kills: int


class Progress:
    """Shows the standing. Used as a context manager."""

    def __init__(self, *, headless: bool, now_s: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True, highlight=False)
        live = self._console.is_terminal and not headless
        self._live = Live(console=self._console, refresh_per_second=4, transient=True) if live else None
        self._now_s = now_s
        self._began_s = now_s()
        self._printed_s = self._began_s

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(f"[dim]{self._elapsed_s:5.0f} s[/dim]  {escape(text)}", soft_wrap=True)

    def show(self, standing: Standing) -> None:
        """The present standing, in the place of the last one."""
        if self._live:
            self._live.update(_table(standing, self._elapsed_s))
        elif self._now_s() - self._printed_s >= LINE_EVERY_S:
            self._printed_s = self._now_s()
            self.say(_line(standing))

    @property
    def _elapsed_s(self) -> float:
        return self._now_s() - self._began_s


def _line(standing: Standing) -> str:
    kills = f", bridge killed {standing.kills} times" if standing.kills else ""
    return (
        f"{standing.facts} facts on the floor ({standing.releases} orders), {standing.delivered} delivered, "
        f"{standing.waiting} waiting, {standing.held} held, {standing.dead} dead, "
        f"{standing.stored} stored in edge nodes{kills}"
    )


def _table(standing: Standing, elapsed_s: float) -> Table:
    table = Table("time", "orders", "facts", "delivered", "waiting", "held", "dead", "stored in nodes", "kills")
    counts = (
        standing.releases,
        standing.facts,
        standing.delivered,
        standing.waiting,
        standing.held,
        standing.dead,
        standing.stored,
        standing.kills,
    )
    table.add_row(f"{elapsed_s:.0f} s", *(str(count) for count in counts))
    return table
