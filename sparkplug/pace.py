"""How often rebirths are asked, by one session (`Backoff`) and by the host (`Pacer`); when sessions are due (`Dues`).

A node that answers every rebirth with the same broken birth must not be asked for ever, and a plant that comes
back after an outage must not answer all at once.
"""

from __future__ import annotations

import zlib
from heapq import heappop, heappush
from typing import Final

from sparkplug.fact import NodeId

_CALM_WINDOWS: Final = 4  # so many windows without a need make the next request a first one again
_TOKEN: Final = 1000  # a token in thousandths, so that all arithmetic is in whole numbers


class Backoff:
    """At most one request per window; every further one doubles the window, up to `most_ms`."""

    __slots__ = ("_first_ms", "_most_ms", "asked_ms", "window_ms")

    def __init__(self, first_ms: int, most_ms: int) -> None:
        self._first_ms = first_ms
        self._most_ms = most_ms
        self.asked_ms: int | None = None
        self.window_ms = first_ms

    def take(self, now_ms: int) -> bool:
        """Whether a request may be made now; if so, it counts as made."""
        if self.asked_ms is not None:
            since_ms = now_ms - self.asked_ms
            if 0 <= since_ms < self.window_ms:
                return False
            calm = since_ms >= _CALM_WINDOWS * self.window_ms
            self.window_ms = self._first_ms if calm else min(2 * self.window_ms, self._most_ms)
        self.asked_ms = now_ms
        return True

    @property
    def next_ms(self) -> int:
        """When the next request may be made; 0 where none was made yet."""
        return 0 if self.asked_ms is None else self.asked_ms + self.window_ms

    def begin_anew(self) -> None:
        """Forget what was asked: a person has looked at it, and may have mended what kept the answer away."""
        self.asked_ms, self.window_ms = None, self._first_ms


class Pacer:
    """A token bucket for the rebirth requests of all nodes. Those that find it empty wait, in order."""

    __slots__ = ("_burst", "_filled_ms", "_jitter_ms", "_order", "_per_s", "_tokens", "_waiting")

    def __init__(self, *, per_s: int, burst: int, jitter_ms: int) -> None:
        self._per_s = per_s
        self._burst = burst * _TOKEN
        self._jitter_ms = jitter_ms
        self._tokens = self._burst
        self._filled_ms: int | None = None
        self._waiting: dict[NodeId, tuple[int, str]] = {}
        self._order: list[tuple[int, NodeId]] = []  # a heap of those, and of some that are no longer waiting

    @property
    def next_due_ms(self) -> int | None:
        """When the next waiting request may be made."""
        first = self._first()
        if first is None:
            return None
        earliest, _ = first
        if self._tokens >= _TOKEN or self._filled_ms is None:
            return earliest
        return max(earliest, self._filled_ms - (self._tokens - _TOKEN) // self._per_s)

    def ask(self, node: NodeId, reason: str, due_ms: int) -> None:
        """Let a request wait until `due_ms`. One that waits already for this node is kept as it is."""
        if node not in self._waiting:
            self._waiting[node] = due_ms, reason
            heappush(self._order, (due_ms, node))

    def ask_spread(self, node: NodeId, reason: str, due_ms: int) -> None:
        """Like `ask`, a little later: by a time that depends on the node's name alone."""
        self.ask(node, reason, due_ms + zlib.crc32(str(node).encode()) % (self._jitter_ms + 1))

    def forget(self, node: NodeId) -> None:
        """The node was born by itself, or the request is void."""
        self._waiting.pop(node, None)

    def due(self, now_ms: int) -> tuple[tuple[NodeId, str], ...]:
        """The requests that are to be made now, with their reasons."""
        if not self._waiting:  # asked after each message
            return ()
        self._fill(now_ms)
        made = []
        while self._tokens >= _TOKEN and (first := self._first()) is not None and first[0] <= now_ms:
            _, node = heappop(self._order)
            made.append((node, self._waiting.pop(node)[1]))
            self._tokens -= _TOKEN
        return tuple(made)

    def _first(self) -> tuple[int, NodeId] | None:
        """Who waits for the earliest time; those who no longer wait are put out of the way."""
        while self._order:
            due_ms, node = self._order[0]
            if self._waiting.get(node, (None, ""))[0] == due_ms:
                return due_ms, node
            heappop(self._order)
        return None

    def _fill(self, now_ms: int) -> None:
        if self._filled_ms is not None and now_ms > self._filled_ms:
            self._tokens = min(self._burst, self._tokens + (now_ms - self._filled_ms) * self._per_s)
        if self._filled_ms is None or now_ms > self._filled_ms:
            self._filled_ms = now_ms


class Dues:
    """When each node's session has something to do. The earliest is at hand: it is asked for before each message."""

    __slots__ = ("_by_node", "earliest_ms")

    def __init__(self) -> None:
        self._by_node: dict[NodeId, int] = {}
        self.earliest_ms: int | None = None

    def note(self, node: NodeId, due_ms: int | None) -> None:
        """When this node is due now; None: it waits for nothing."""
        before_ms = self._by_node.pop(node, None)
        if due_ms is not None:
            self._by_node[node] = due_ms
        if before_ms is not None and before_ms == self.earliest_ms:
            self.earliest_ms = min(self._by_node.values(), default=None)
        elif due_ms is not None:
            self.earliest_ms = due_ms if self.earliest_ms is None else min(self.earliest_ms, due_ms)

    def due(self, now_ms: int) -> list[NodeId]:
        """The nodes whose time has come, in their own order."""
        if self.earliest_ms is None or self.earliest_ms > now_ms:
            return []
        return sorted(node for node, due_ms in self._by_node.items() if due_ms <= now_ms)
