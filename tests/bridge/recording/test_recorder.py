"""The recorder never makes the loop wait, and says what it could not keep."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from bridge.core.input import Notice
from bridge.recording.folder import RecordingFolder, open_new
from bridge.recording.reader import files_in, read
from bridge.recording.recorder import FileRecorder
from bridge.recording.span import Span
from tests.bridge.recording.day import gaps
from tests.bridge.recording.spans import START_MS, new_folder, numbers, span
from tests.bridge.simulator.listener import running, until


class Disk:
    """Opens files as long as it is let. Full, it takes nothing, like the kernel's own full device."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.full = False

    def open(self, path: Path) -> IO[bytes]:
        self.free.wait(5)
        if self.full:
            return open("/dev/full", "wb")
        return open_new(path)


def take(recorder: FileRecorder, taken: Span) -> None:
    recorder.take(taken.number, taken.inputs, taken.changes)


class Told:
    """What the recorder said."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    @property
    def names(self) -> list[str]:
        return [notice.name for notice in self.notices]


@asynccontextmanager
async def recording(
    path: Path, disk: Disk, *, most_waiting: int = 100
) -> AsyncIterator[tuple[FileRecorder, Told, RecordingFolder]]:
    """A recorder that is quick to write and to try again."""
    told, folder = Told(), new_folder(path, open_file=disk.open)
    recorder = FileRecorder(folder, told.notices.append, most_waiting=most_waiting, gather_s=0.001, retry_s=0.01)
    async with running(recorder.run()):
        yield recorder, told, folder


async def test_what_was_taken_is_in_the_file_when_it_is_finished(tmp_path: Path) -> None:
    async with recording(tmp_path, Disk()) as (recorder, told, _):
        for nth in range(1, 51):
            take(recorder, span(nth))
        await recorder.finish()
    found = list(read(files_in([tmp_path])))
    assert numbers(found) == list(range(1, 51))
    assert gaps(found) == []
    assert told.names == []
    assert (recorder.written, recorder.lost, recorder.waiting) == (50, 0, 0)


async def test_what_was_written_is_read_while_the_file_is_still_open(tmp_path: Path) -> None:
    async with recording(tmp_path, Disk()) as (recorder, _, _):
        take(recorder, span(1))
        await until(lambda: recorder.written == 1 and numbers(read(files_in([tmp_path]))) == [1])


async def test_a_disk_that_does_not_follow_costs_whole_spans_and_that_is_said(tmp_path: Path) -> None:
    disk = Disk()
    async with recording(tmp_path, disk, most_waiting=3) as (recorder, told, _):
        disk.free.clear()
        take(recorder, span(1))
        await until(lambda: recorder.waiting == 0)  # the thread has it, and waits for the disk
        for nth in range(2, 9):
            take(recorder, span(nth))
        disk.free.set()
        await until(lambda: told.names == ["recording.gap"])
        take(recorder, span(9))
        await recorder.finish()
    found = list(read(files_in([tmp_path])))
    assert numbers(found) == [1, 2, 3, 4, 9]
    assert [(gap.inputs, gap.from_ms, gap.to_ms) for gap in gaps(found)] == [(4, START_MS + 5000, START_MS + 8000)]
    assert told.notices[0].fields["inputs"] == recorder.lost == 4


async def test_a_full_disk_pauses_the_recording_which_goes_on_by_itself_when_there_is_room(tmp_path: Path) -> None:
    disk = Disk()
    disk.full = True
    async with recording(tmp_path, disk) as (recorder, told, _):
        take(recorder, span(1))
        await until(lambda: told.names == ["recording.paused"])
        take(recorder, span(2))
        disk.full = False
        await until(lambda: told.names == ["recording.paused", "recording.gap", "recording.resumed"])
        take(recorder, span(3))
        await recorder.finish()
    found = list(read(files_in([tmp_path])))
    assert numbers(found) == [3]
    assert [gap.reason for gap in gaps(found)] == [os.strerror(28)]
    assert told.notices[0].fields["reason"] == os.strerror(28)
    assert recorder.lost == 2


async def test_a_bridge_stops_also_while_the_disk_takes_nothing(tmp_path: Path) -> None:
    disk = Disk()
    disk.full = True
    async with recording(tmp_path, disk) as (recorder, told, _):
        take(recorder, span(1))
        async with asyncio.timeout(5):
            await recorder.finish()
    assert recorder.is_paused
    assert told.names == ["recording.paused"]


async def test_what_a_defect_cannot_write_pauses_the_recording_and_nothing_else(tmp_path: Path) -> None:
    async with recording(tmp_path, Disk()) as (recorder, told, _):
        recorder.take(1, [(START_MS, object())], {})  # type: ignore[list-item]
        await until(lambda: "recording.resumed" in told.names)
        take(recorder, span(2))
        await recorder.finish()
    assert numbers(read(files_in([tmp_path]))) == [2]
