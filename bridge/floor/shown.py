"""What the clocks of the plant showed while all settles: whether ours is behind them. Pure."""

from __future__ import annotations

from ruleset.sample import Fresh, Observation, Sample


class Shown:
    """By how much the clock of each node is ahead of ours, since all is away; below 0: behind.

    Births show it, and what comes live; of several the most, since a message may have waited on its way. The times of a
    birth's metrics may be old, and what was stored is.
    """

    def __init__(self) -> None:
        self._ahead_ms: dict[str, int] = {}

    def note(self, node: str, observation: Observation, now_ms: int) -> None:
        """A node said this now."""
        match observation:
            case Fresh(at_ms=at_ms) | Sample(at_ms=at_ms, birth=False, historical=False):
                ahead_ms = at_ms - now_ms
                self._ahead_ms[node] = max(ahead_ms, self._ahead_ms.get(node, ahead_ms))
            case _:
                pass

    @property
    def behind_ms(self) -> int:
        """By how much our clock is behind those of all nodes. One alone that is ahead is wrong itself; hours count
        too, where all agree."""
        return max(0, min(self._ahead_ms.values())) if len(self._ahead_ms) > 1 else 0
