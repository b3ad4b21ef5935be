"""A backtest: a recording through two versions of the rules, and what they would have posted differently.

The version before runs as the live one, the version after in shadow beside it. Both begin with the memory that the
recording begins with, and again wherever something is missing in it. Nothing leaves the process; the same recording and
versions give the same result again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bridge.core.input import (
    Acted,
    ActKind,
    Claim,
    Destination,
    Input,
    Outcomes,
    Promoted,
    Request,
    Send,
    Setback,
    Shadowed,
    Started,
    Tick,
)
from bridge.core.site import restore, take_changes
from bridge.lifecycle.difference import Comparison, Difference
from bridge.lifecycle.shadow import Shadow
from bridge.pipeline import step
from bridge.plant import Content, Plant
from bridge.recording.errors import RecordingError
from bridge.recording.reader import Began, Read, Recorded
from bridge.recording.span import Lost, apply
from bridge.wiring import new_core
from odoo_adapter.odoo import Applied, Receipt
from state.entry import EntryState
from state.errors import RecordUnreadable
from state.record import RecordId, Table

TOGETHER: Final = 1_000
"""Inputs after which what was decided counts as delivered: a commit after each would double what a backtest takes."""
AFTER_MS: Final = 600_000
"""Time goes on after the last input, so that what was being collected then is posted."""
MOST_TRACES: Final = 5_000
"""Facts of which it is kept why: a few kB each."""
_PASSED_OVER: Final = (Claim, Outcomes, Setback, Acted, Promoted, Shadowed)
"""What was recorded of other entries, and of other versions."""


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


def backtest(plant: Plant, after: Content, recording: Iterable[Read]) -> Backtest:
    """Run both versions over a recording: the plant's own content is the version before. Both have a release.

    Raises `RecordingError` where the recording is of another site or cannot be gone on from.
    """
    run = _Run(plant, after)
    for each in recording:
        match each:
            case Began():
                run.begin(each)
            case Lost():
                run.gaps.append(each)
            case Recorded():
                run.take(each)
    return run.end()


class _Run:
    def __init__(self, plant: Plant, after: Content) -> None:
        self.gaps: list[Lost] = []
        self._plant = plant
        self._after = after
        self._comparison = Comparison(MOST_TRACES)
        self._core = new_core(plant)
        self._records: dict[RecordId, bytes] = {}
        self._inputs = 0
        self._from_ms = 0
        self._now_ms = 0

    def begin(self, began: Began) -> None:
        """A process of the bridge began, or the first that is known of it is in its midst."""
        if began.about.site != self._plant.assets.path:
            raise RecordingError(
                f"{began.path}: it is of the site {began.about.site}, and the plant folder of {self._plant.assets.path}"
            )
        if began.follows and began.part > 1:
            return
        self._commit()
        if not began.follows:
            found = began.snapshot.by_id if began.snapshot is not None else {}
            self._records = {id: body for id, body in found.items() if id.table is not Table.SHADOW}
        self._core = new_core(self._plant)
        self._core.shadows.append(Shadow(self._after, self._core.grace_ms, self._comparison))
        try:
            restore(self._core, self._records)
        except RecordUnreadable as error:
            raise RecordingError(
                f"{began.path}: the state that it begins with is of another bridge: {error}"
            ) from error
        self._now_ms = began.at_ms
        self._from_ms = self._from_ms or began.at_ms
        if began.part > 1:
            self._step(Started())
            for connected in began.snapshot.connected if began.snapshot is not None else ():
                self._step(connected)

    def take(self, recorded: Recorded) -> None:
        """One input, and the timers that are due before it."""
        self._inputs += 1
        entered = recorded.input
        if isinstance(entered, _PASSED_OVER):
            return
        if not isinstance(entered, Started):  # before it nothing runs that could wait
            self._wait(recorded.received_ms)
        self._now_ms = recorded.received_ms
        self._step(entered)
        if self._inputs % TOGETHER == 0:
            self._clear()
            self._commit()

    def end(self) -> Backtest:
        """Nothing more is recorded."""
        to_ms = self._now_ms
        self._wait(to_ms + AFTER_MS)
        assert self._plant.release is not None
        assert self._after.release is not None
        return Backtest(
            before=self._plant.release.version,
            after=self._after.release.version,
            from_ms=self._from_ms,
            to_ms=to_ms,
            inputs=self._inputs,
            gaps=tuple(self.gaps),
            defects=self._comparison.counts.defects,
            difference=self._comparison.difference(),
        )

    def _step(self, entered: Input) -> tuple[Request, ...]:
        return step(self._core, entered, self._now_ms)

    def _wait(self, until_ms: int) -> None:
        while (due_ms := self._core.next_due_ms(self._now_ms)) is not None and self._now_ms < due_ms < until_ms:
            self._now_ms = due_ms
            self._step(Tick())

    def _commit(self) -> None:
        apply(take_changes(self._core), self._records)

    def _clear(self) -> None:
        """Empty the outbox, which decides nothing here: what may be sent is delivered, what waits for a person skipped,
        and what is done forgotten."""
        outbox = self._core.outbox
        while True:
            keys = tuple(one.key for state in (EntryState.DEAD, EntryState.HELD) for one in outbox.entries(state))
            if keys:
                self._step(Acted(id="", kind=ActKind.SKIP, keys=keys, by="backtest", reason="nobody decides here"))
            sent = [
                one.key
                for destination in Destination
                for request in self._step(Claim(destination, TOGETHER))
                if isinstance(request, Send)
                for one in request.entries
            ]
            if not sent:
                break
            receipt = Receipt(model="backtest", id=0, details={})
            self._step(Outcomes(tuple(Applied(key=key, receipt=receipt) for key in sent)))
        outbox.forget_before(self._now_ms)
