"""A backtest: a recording through two versions of the rules, and what they would have posted differently.

Both begin with the memory that the recording begins with, and again wherever something is missing in it. Nothing leaves
the machine; the same recording and versions give the same result again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bridge.lifecycle.difference import Comparison, Difference
from bridge.lifecycle.side import Batch, Happened, deciding
from bridge.plant import Content, Plant
from bridge.recording.reader import Advanced, sizes_of
from bridge.recording.span import Lost

MOST_TRACES: Final = 5_000
"""Facts of which it is kept why: a few kB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a backtest found between the first input and the last. `defects`: how often the version after failed."""

    before: str
    after: str
    from_ms: int
    to_ms: int
    inputs: int
    gaps: tuple[Lost, ...]
    defects: int
    difference: Difference


def backtest(plant: Plant, after: Content, paths: Sequence[Path], advanced: Advanced = lambda count: None) -> Backtest:
    """Run both versions over these recordings, each in a process: the plant's own content is the version before. Both
    have a release.

    Raises `RecordingError` where a recording cannot be read, is of another site, or cannot be gone on from.
    """
    sides = plant, replace(plant, content=after)
    with ExitStack() as processes:
        sizes = sizes_of(paths)
        told = [processes.enter_context(deciding(side, paths, sizes)) for side in sides]
        return compared((plant.content, after), (told[0], told[1]), advanced)


def compared(
    versions: tuple[Content, Content],
    told: tuple[Iterable[Batch], Iterable[Batch]],
    advanced: Advanced = lambda count: None,
) -> Backtest:
    """Bring together what two versions decided over the same inputs."""
    comparison, batches = Comparison(MOST_TRACES), _Batches(advanced)
    before = ((each.nth, False, each) for batch in told[0] for each in batch.happened)
    after = ((each.nth, True, each) for each in batches.of(told[1]))
    for _, is_after, happened in heapq.merge(before, after, key=lambda each: each[0]):
        if not is_after:
            comparison.before(happened.made)
            continue
        comparison.after(happened.made)
        for order in happened.closed:
            comparison.order_closed(order)
    last = batches.last
    return Backtest(
        before=_name(versions[0]),
        after=_name(versions[1]),
        from_ms=last.from_ms,
        to_ms=last.to_ms,
        inputs=last.inputs,
        gaps=tuple(batches.lost),
        defects=batches.defects,
        difference=comparison.difference(),
    )


class _Batches:
    """The batches of a side on their way: what they say besides what happened. There is at least one."""

    def __init__(self, advanced: Advanced) -> None:
        self.lost: list[Lost] = []
        self.defects = 0
        self.last = Batch(inputs=0, from_ms=0, to_ms=0)
        self._advanced = advanced

    def of(self, batches: Iterable[Batch]) -> Iterator[Happened]:
        for self.last in batches:
            self.lost += self.last.lost
            self.defects += self.last.defects
            self._advanced(self.last.read)
            yield from self.last.happened


def _name(content: Content) -> str:
    assert content.release is not None
    return content.release.version
