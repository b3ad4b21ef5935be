"""The looks of the last while, for who asks what a rule saw at a moment that is past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ruleset.trace.look import Look, trace_of
from ruleset.trace.trace import Trace


class Recent:
    """All looks of this span of time and the one before, and of what was before those the latest of each rule at an
    equipment. They are kept as they come: most are never asked for."""

    __slots__ = ("_before", "_last", "_now")

    def __init__(self) -> None:
        self._now: dict[str, list[Look]] = defaultdict(list)
        self._before: dict[str, list[Look]] = {}
        self._last: dict[str, Look] = {}

    def note(self, looks: Iterable[tuple[str, Look]]) -> None:
        """Take what `Looks.fresh` gives."""
        for id, look in looks:
            self._now[id].append(look)

    def turn(self) -> None:
        """A span is over."""
        self._last |= {id: looks[-1] for id, looks in self._before.items()}
        self._before, self._now = dict(self._now), defaultdict(list)

    def by(self, id: str, decided_ms: int, at_ms: int) -> Trace | None:
        """The last look by then; of several of one moment rather the one at what happened at `at_ms`."""
        known = [look for look in self._newest_first(id) if look.decided_ms <= decided_ms]
        together = [look for look in known if look.decided_ms == known[0].decided_ms]
        found = next((look for look in together if look.at_ms == at_ms), next(iter(together), None))
        return None if found is None else trace_of(found)

    def _newest_first(self, id: str) -> Iterator[Look]:
        yield from reversed(self._now.get(id, ()))
        yield from reversed(self._before.get(id, ()))
        if id in self._last:
            yield self._last[id]
