"""Which sample told the present value of each signal, since the last start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ruleset.sample import Sample


class Telling:
    """Of all equipment of a site. Moments of earlier messages keep what they saw."""

    __slots__ = ("_by_equipment", "_renewed")

    def __init__(self) -> None:
        self._by_equipment: dict[str, dict[str, Sample]] = defaultdict(dict)
        self._renewed: set[str] = set()

    def begin_message(self) -> None:
        """What is noted from here on, earlier moments do not see."""
        self._renewed.clear()

    def note(self, sample: Sample, *, changed: bool) -> None:
        """A sample told a value, the known one unless it `changed`: that one's first sample is kept."""
        path = sample.equipment
        if not changed and sample.signal in self._by_equipment[path]:
            return
        if path not in self._renewed:
            self._renewed.add(path)
            self._by_equipment[path] = dict(self._by_equipment[path])
        self._by_equipment[path][sample.signal] = sample

    def of(self, path: str) -> Mapping[str, Sample]:
        """The samples by signal."""
        return self._by_equipment[path]

    def take_over(self, other: Telling) -> None:
        """Begin with what another one knows."""
        self._by_equipment.update({path: dict(told) for path, told in other._by_equipment.items()})
