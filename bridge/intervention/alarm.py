"""The alarm about what waits for people: too many dead letters and held entries, or one too long, or a workflow late.

Pure, and nothing of it is stored: after a start it is said again. It looks once a minute of its caller's time, told
once while it lasts and once a day, so that the log of a bad night can be read in the morning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bridge.core.input import Notice
from bridge.plant import Workflow
from state.entry import Entry, EntryState
from state.outbox import Outbox

LOOK_MS: Final = 60_000
AGAIN_MS: Final = 86_400_000
ALL: Final = "all"
"""The name of the limit on everything that is dead or held; the others are workflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A limit that is passed: of how many entries, and since when the oldest waits. `tell` is whom it concerns."""

    limit: str
    tell: str
    entries: int
    oldest_ms: int


@dataclass(slots=True, kw_only=True)
class Alarm:
    """`most` dead and held entries, and none of them for longer than `longest_ms`."""

    outbox: Outbox
    most: int
    longest_ms: int
    workflows: tuple[Workflow, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    _look_from_ms: int = 0
    _told_ms: dict[str, int] = field(default_factory=dict)

    @property
    def next_due_ms(self) -> int | None:
        """When to look next; None while nothing waits, and nothing is told. Past only before the first look."""
        return self._look_from_ms if self.outbox.depth() or self.overdue else None

    def due(self, now_ms: int) -> Iterator[Notice]:
        """Look, if it is time for it."""
        if now_ms < self._look_from_ms:
            return
        self._look_from_ms = now_ms + LOOK_MS
        before = {one.limit for one in self.overdue}
        self.overdue = tuple(self._passed(now_ms))
        for one in self.overdue:
            if now_ms >= self._told_ms.get(one.limit, -AGAIN_MS) + AGAIN_MS:
                self._told_ms[one.limit] = now_ms
                age_s = (now_ms - one.oldest_ms) // 1000
                fields: dict[str, str | int | float | None]
                fields = {"limit": one.limit, "tell": one.tell, "entries": one.entries, "oldest_s": age_s}
                yield Notice(level="alert", name="entries.overdue", fields=fields)
        for limit in sorted(before - {one.limit for one in self.overdue}):
            del self._told_ms[limit]
            yield Notice(level="info", name="entries.in_time", fields={"limit": limit})

    def _passed(self, now_ms: int) -> Iterator[Overdue]:
        entries = self.outbox.entries()
        waiting = [one for one in entries if one.state in (EntryState.DEAD, EntryState.HELD)]
        if waiting and (len(waiting) > self.most or _oldest_ms(waiting) < now_ms - self.longest_ms):
            yield Overdue(limit=ALL, tell="", entries=len(waiting), oldest_ms=_oldest_ms(waiting))
        for flow in self.workflows:
            if flow.alert is None or flow.alert_after_ms is None:
                continue
            late = [
                one for one in entries if one.action in flow.actions and one.created_ms < now_ms - flow.alert_after_ms
            ]
            if late:
                yield Overdue(limit=flow.name, tell=flow.alert, entries=len(late), oldest_ms=_oldest_ms(late))


def _oldest_ms(entries: Iterable[Entry]) -> int:
    return min(one.created_ms for one in entries)
