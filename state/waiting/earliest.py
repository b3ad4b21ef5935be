"""Names, each with a moment, of which the earliest is asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final, Generic, TypeVar

Name = TypeVar("Name", bound=str | tuple[str, str])

FEW: Final = 64
"""So many out-of-date moments are kept whatever is there: below that it costs more to look than to keep."""


class Earliest(Generic[Name]):
    """A heap that notices lazily what is gone. It never has more than three times as much as is there, and a few."""

    def __init__(self) -> None:
        self._moments: dict[Name, int] = {}
        self._heap: list[tuple[int, Name]] = []

    def __len__(self) -> int:
        return len(self._moments)

    def __iter__(self) -> Iterator[Name]:
        return iter(self._moments)

    @property
    def kept(self) -> int:
        """How many moments are in memory, those included that are out of date."""
        return len(self._heap)

    def put(self, name: Name, at_ms: int) -> None:
        """Add a name, or give it another moment."""
        if self._moments.get(name) == at_ms:
            return
        self._moments[name] = at_ms
        heappush(self._heap, (at_ms, name))
        self._tidy()

    def drop(self, name: Name) -> None:
        """Take a name out, if it is there."""
        if self._moments.pop(name, None) is not None:
            self._tidy()

    def first(self) -> tuple[int, Name] | None:
        """The earliest moment and its name."""
        while self._heap:
            at_ms, name = self._heap[0]
            if self._moments.get(name) == at_ms:
                return at_ms, name
            heappop(self._heap)
        return None

    def _tidy(self) -> None:
        if len(self._heap) > 3 * len(self._moments) + FEW:
            self._heap = [(at_ms, name) for name, at_ms in self._moments.items()]
            heapify(self._heap)
