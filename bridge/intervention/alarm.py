"""The alarms: too many dead letters or one for too long, the same of held entries, and workflows that are late.

Pure, and nothing of it is stored: after a start it is said again. It looks once a minute of its caller's time, told
once while it lasts and once a day, so that the log of a bad night can be read in the morning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bridge.core.input import Notice
from bridge.plant import Workflow
from state.entry import EntryState
from state.outbox import Outbox

LOOK_MS: Final = 60_000
AGAIN_MS: Final = 86_400_000
DECIDE: Final = {EntryState.DEAD: "limits.dead", EntryState.HELD: "limits.held"}
"""The names of the limits on what only a person can end; the others are workflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many entries at most, and none of them for longer than this."""

    most: int
    longest_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A limit that is passed: of how many entries, and since when the oldest waits. `tell` is whom it concerns."""

    limit: str
    tell: str
    entries: int
    oldest_ms: int


@dataclass(slots=True, kw_only=True)
class Alarm:
    """What may be dead, and what held, before somebody is told, and what each workflow says."""

    outbox: Outbox
    dead: Limit
    held: Limit
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
        depth = self.outbox.depth()
        for state, limit in ((EntryState.DEAD, self.dead), (EntryState.HELD, self.held)):
            oldest = self.outbox.waiting.oldest(state)
            if oldest is None:
                continue
            if depth[state] > limit.most or oldest.changed_ms < now_ms - limit.longest_ms:
                yield Overdue(limit=DECIDE[state], tell="", entries=depth[state], oldest_ms=oldest.changed_ms)
        yield from self._late(now_ms)

    def _late(self, now_ms: int) -> Iterator[Overdue]:
        """One pass for all workflows: during an outage each of its entries may be late."""
        alarmed = [flow for flow in self.workflows if flow.alert_after_ms is not None]
        flows = {action: flow for flow in alarmed for action in flow.actions}
        late: dict[str, list[int]] = {}
        for one in self.outbox.waiting.entries.values() if flows else ():
            flow = flows.get(one.action)
            if flow and flow.alert_after_ms is not None and one.created_ms < now_ms - flow.alert_after_ms:
                late.setdefault(flow.name, []).append(one.created_ms)
        for flow in alarmed:
            if flow.name in late:
                since = late[flow.name]
                yield Overdue(limit=flow.name, tell=flow.alert or "", entries=len(since), oldest_ms=min(since))
