"""A backtest: a recording through two versions of the rules, and what they would have posted differently.

Both begin with the memory that the recording begins with, and again wherever something is missing in it. Nothing leaves
the machine; the same recording and versions give the same result again.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bridge.lifecycle.difference import Comparison, Difference
from bridge.lifecycle.side import Batch, Side, deciding
from bridge.plant import Content, Plant
from bridge.recording.reader import Advanced, sizes_of
from bridge.recording.span import Lost

MOST_REASONS: Final = 5_000
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
    versions: tuple[Content, Content], sides: tuple[Side, Side], advanced: Advanced = lambda count: None
) -> Backtest:
    """Bring together what two versions decided over the same inputs."""
    comparison, lost, defects = Comparison(MOST_REASONS), list[Lost](), 0
    told = next(sides[0]), next(sides[1])
    while True:
        before, last = told
        _bring_together(comparison, before, last)
        lost += last.lost
        defects += last.defects
        if last.read:
            advanced(last.read)
        questions = comparison.open_questions()
        try:
            told = sides[0].send(questions[0]), sides[1].send(questions[1])
        except StopIteration:
            break
    return Backtest(
        before=_name(versions[0]),
        after=_name(versions[1]),
        from_ms=last.from_ms,
        to_ms=last.to_ms,
        inputs=last.inputs,
        gaps=tuple(lost),
        defects=defects,
        difference=comparison.difference(),
    )


def _bring_together(comparison: Comparison, before: Batch, after: Batch) -> None:
    """What two versions decided over the same inputs, in the order in which they did."""
    told = [(each.nth, False, each) for each in before.happened], [(each.nth, True, each) for each in after.happened]
    for _, is_after, happened in heapq.merge(*told, key=lambda each: each[:2]):
        if not is_after:
            comparison.before(happened.made)
            continue
        comparison.after(happened.made)
        for order in happened.closed:
            comparison.order_closed(order)
    comparison.answered(before.answers, after.answers)


def _name(content: Content) -> str:
    assert content.release is not None
    return content.release.version
