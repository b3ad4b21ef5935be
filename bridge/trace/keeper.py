"""Traces on their way to the store: of what was decided with the entry, of looks at a bounded pace. Pure.

The table is not loaded at a start. The store keeps the newest `limits.traces_kept`; looks are written again and again,
so that those of rules that are gone are the oldest one day.
"""

from __future__ import annotations

from typing import Final

from ruleset.trace.look import Looks
from ruleset.trace.trace import Trace, encode

LOOKS_PAUSE_MS: Final = 10_000
MOST_RULES: Final = 100
"""Rules at an equipment whose looks are written after each pause."""


class Traces:
    """What is to be stored with the next commit."""

    def __init__(self) -> None:
        self._new: dict[str, Trace] = {}
        self._due_ms = 0

    def keep(self, trace: Trace, key: str = "") -> None:
        """With what was decided now; `key` where its entry has another one than the fact."""
        self._new[key or trace.key] = trace

    def due(self, looks: Looks, now_ms: int) -> None:
        """Take up looks, those that wait longest first. Call it often: it works once in `LOOKS_PAUSE_MS`."""
        if now_ms < self._due_ms or not looks.untaken:
            return
        self._due_ms = now_ms + LOOKS_PAUSE_MS
        for trace in looks.take(MOST_RULES):
            self._new[look_id(trace.rule, trace.equipment, trace.outcome)] = trace

    def next_due_ms(self, looks: Looks) -> int | None:
        """When `due` has something to do next."""
        return self._due_ms if looks.untaken else None

    def take_changed(self) -> frozenset[str]:
        """The ids of the traces that are not stored yet."""
        return frozenset(self._new)

    def snapshot(self, id: str) -> bytes:
        """The stored form; the trace is with the store from here on."""
        return encode(self._new.pop(id))

    def restore(self, id: str, snapshot: bytes) -> None:
        """Never: traces are not loaded."""
        raise ValueError(f"the trace {id} is not to be loaded")


def look_id(rule: str, equipment: str, outcome: str) -> str:
    """The record of the last look of one outcome. No key of a posting has a `|`."""
    return f"look|{rule}|{equipment}|{outcome}"
