"""What the clocks of the plant showed while all settles: whether ours is behind them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ruleset.sample import Fresh, Observation, Sample


class Shown:
    """By how much the clock of each node is ahead of ours, since all is away; below 0: behind.

    Births show it, and what comes live; of several the most, since a message may have waited on its way. The times of a
    birth's metrics may be old, and what was stored is.
    """

    def __init__(self) -> None:
        self._ahead_ms: dict[str, int] = {}
        self._since_ms: dict[str, int] = {}
        """The same, of what was said since we stood still."""

    def stood_still(self) -> None:
        """We read nothing for a while. Our clock may have been set back meanwhile, and who spoke before could not show
        that."""
        self._since_ms = {}

    def note(self, node: str, observation: Observation, now_ms: int) -> None:
        """A node said this now."""
        match observation:
            case Fresh(at_ms=at_ms) | Sample(at_ms=at_ms, birth=False, historical=False):
                ahead_ms = at_ms - now_ms
                for shown_ms in (self._ahead_ms, self._since_ms):
                    shown_ms[node] = max(ahead_ms, shown_ms.get(node, ahead_ms))
            case _:
                pass

    @property
    def behind_ms(self) -> int:
        """By how much our clock is behind those of all nodes; hours count too, where all agree."""
        return max(_agreed_ms(self._ahead_ms), _agreed_ms(self._since_ms))


def _agreed_ms(ahead_ms: Mapping[str, int]) -> int:
    """What all clocks are ahead of ours at least. One alone that is ahead is wrong itself."""
    return max(0, min(ahead_ms.values())) if len(ahead_ms) > 1 else 0
