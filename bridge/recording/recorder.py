"""The recorder: takes what the loop committed, and has it written by a thread beside the loop.

It never makes the loop wait. When the disk does not follow, whole spans are dropped, and the next file begins with the
state after them; when it takes nothing at all, the recording pauses, is tried again, and the bridge goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from bridge.core.input import Input, Notice
from bridge.plant import Plant
from bridge.recording.about import about
from bridge.recording.folder import RecordingFolder, bounds_of
from bridge.recording.span import Losing, Mirror, Span
from state.record import RecordId, Stored

MOST_WAITING: Final = 20_000
"""Inputs that wait for the disk."""
GATHER_S: Final = 0.25
"""Between two writes: a thread is woken for many inputs, not for each."""
IDLE_S: Final = 5.0
"""How long what was written may wait for more until its chunk is ended."""
RETRY_S: Final = 30.0
TOO_SLOW: Final = "the disk does not follow"

Tell = Callable[[Notice], None]


class FileRecorder:
    """The recorder of one run of the bridge. `lost` counts the inputs that were not written since it began."""

    def __init__(
        self,
        files: RecordingFolder,
        tell: Tell,
        *,
        most_waiting: int = MOST_WAITING,
        gather_s: float = GATHER_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self.lost = 0
        self._files = files
        self._tell = tell
        self._most_waiting = most_waiting
        self._gather_s = gather_s
        self._retry_s = retry_s
        self._spans: list[Span] = []
        self._waiting = 0
        self._losing: Losing | None = None
        self._paused = False
        self._came = asyncio.Event()
        self._finishing = asyncio.Event()
        self._finished = asyncio.Event()

    @property
    def written(self) -> int:
        """The inputs that were written since it began."""
        return self._files.inputs

    @property
    def waiting(self) -> int:
        """The inputs that wait for the disk."""
        return self._waiting

    @property
    def is_paused(self) -> bool:
        """Whether the disk took nothing when it was last tried."""
        return self._paused

    def take(self, number: int, inputs: Sequence[tuple[int, Input]], changes: Mapping[RecordId, bytes | None]) -> None:
        """Keep the inputs of a turn with their times, and what their commit changed. Returns at once."""
        span = Span(number=number, inputs=inputs, changes=changes)
        if self._losing is None and self._waiting + len(inputs) <= self._most_waiting:
            self._spans.append(span)
            self._waiting += len(inputs)
            self._came.set()
        else:
            self._lose(span, TOO_SLOW)

    async def run(self) -> None:
        """Write until cancelled."""
        while not self._finishing.is_set():
            await self._gather()
            await self._write()
        await self._write()
        await self._done(self._files.finish)
        self._finished.set()
        await asyncio.Event().wait()

    async def finish(self) -> None:
        """Return when all that was taken is written, and the file ended."""
        self._finishing.set()
        self._came.set()
        await self._finished.wait()

    async def _gather(self) -> None:
        """Wait until there is something to do, a while after the last time that there was."""
        await _within(self._retry_s if self._paused else self._gather_s, self._finishing)
        if not self._paused:
            await _within(IDLE_S, self._came)

    async def _write(self) -> None:
        spans = self._drained()
        if not await self._done(partial(self._files.write, spans), spans):
            return
        for span in spans:
            if (lost := span.lost) is not None:
                fields = {"inputs": lost.inputs, "from_ms": lost.from_ms, "to_ms": lost.to_ms, "reason": lost.reason}
                self._tell(Notice(level="warning", name="recording.gap", fields=fields))
        if self._paused:
            self._paused = False
            self._tell(Notice(level="info", name="recording.resumed", fields={"folder": str(self._files.path)}))

    async def _done(self, work: Callable[[], None], spans: Sequence[Span] = ()) -> bool:
        """Let a thread do this with the files; whether that went well. Else these spans are lost."""
        try:
            await asyncio.to_thread(work)
        except Exception as error:  # what cannot be recorded must not end the bridge
            await asyncio.to_thread(self._files.abandon)
            self._pause(spans, error)
            return False
        return True

    def _drained(self) -> list[Span]:
        """All that waits, in its order; what was dropped is the last."""
        spans, self._spans, self._waiting = self._spans, [], 0
        if self._losing is not None:
            spans.append(self._losing.span())
            self._losing = None
        self._came.clear()
        return spans

    def _lose(self, span: Span, reason: str) -> None:
        self.lost += len(span.inputs) if span.lost is None else 0
        self._losing = self._losing or Losing(reason)
        self._losing.add(span)
        self._came.set()

    def _pause(self, spans: Sequence[Span], error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        for span in [*spans, *self._drained()]:
            self._lose(span, reason)
        if not self._paused:
            self._paused = True
            fields = {"folder": str(self._files.path), "reason": reason, "effect": "the bridge goes on unrecorded"}
            self._tell(Notice(level="alert", name="recording.paused", fields=fields))


def new_recorder(plant: Plant, stored: Stored, tell: Tell) -> FileRecorder | None:
    """The recorder of a bridge that begins with what is stored; None where the plant folder asks for none."""
    wanted = plant.settings.recording
    if wanted is None:
        return None
    mirror = Mirror(stored.number, stored.records)
    return FileRecorder(RecordingFolder(wanted.folder, bounds_of(wanted), about(plant), mirror), tell)


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, not longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
