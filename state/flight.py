"""What of an outbox is in flight: sent by this process, its outcome not known yet. Never stored: a crash ends it."""

from __future__ import annotations

from collections import Counter

from state.entry import Entry
from state.lane import LaneId, lane_of


class Flight:
    """The entries in flight, counted by lane and by destination."""

    def __init__(self) -> None:
        self._lanes: dict[str, LaneId] = {}
        self._busy: Counter[LaneId] = Counter()
        self._to: Counter[str] = Counter()

    def take_off(self, entry: Entry) -> None:
        """The entry is being sent."""
        lane = lane_of(entry)
        self._lanes[entry.key] = lane
        self._busy[lane] += 1
        self._to[lane.destination] += 1

    def land(self, key: str) -> None:
        """Its outcome is known. A look-up may bring an outcome without a sending: that changes nothing."""
        if (lane := self._lanes.pop(key, None)) is not None:
            self._to[lane.destination] -= 1
            self._busy[lane] -= 1
            if not self._busy[lane]:
                del self._busy[lane]

    def is_busy(self, lane: LaneId) -> bool:
        """Whether something of this lane is in flight."""
        return lane in self._busy

    def count(self, destination: str) -> int:
        """How many entries are on their way there."""
        return self._to[destination]
