"""What a leader retains of its commits, for a store that falls back behind what it confirmed.

A failover to a replica that lacked the last commits is such a fall, and a backup that was brought back. A leader that
runs through it has what is lacking, and commits it again. For one that starts there is the number of the last commit,
in a file of this machine.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from bridge.errors import ConfigError, StartRefused
from bridge.loop import Committing
from ruleset.problem import Problem
from state.errors import OutOfStep
from state.record import Commit
from state.store import Lease

LARGEST: Final = 64_000_000
"""Bytes of commits that are retained: seconds of a busy site, and a failover lacks less."""
MARK_FILE: Final = "commit"
"""The number of the last commit that was confirmed to this machine, below `data_dir`."""

log = structlog.get_logger()


class Retained:
    """The commits of one run on their way to the store. A `Committing` that gives a store again what it lost."""

    def __init__(self, store: Committing, mark: CommitMark, *, largest: int = LARGEST) -> None:
        self._store = store
        self._mark = mark
        self._largest = largest
        self._size = 0
        self._commits: deque[Commit] = deque()

    async def commit(self, lease: Lease, commit: Commit) -> None:
        """As a store does. Raises `OutOfStep` where more is lacking than was retained."""
        try:
            await self._store.commit(lease, commit)
        except OutOfStep as error:
            for one in (*self._lacking(commit, error), commit):
                await self._store.commit(lease, one)
        self._retain(commit)
        self._mark.write(commit.number)

    def _lacking(self, commit: Commit, error: OutOfStep) -> list[Commit]:
        lacking = [one for one in self._commits if one.number > error.stored]
        if not lacking or lacking[0].number != error.stored + 1:
            raise error
        numbers = {"confirmed": commit.number - 1, "stored": error.stored}
        log.error("store.fell_back", **numbers, effect="what it lacks is committed again; nothing of it is lost")
        return lacking

    def _retain(self, commit: Commit) -> None:
        self._commits.append(commit)
        self._size += _size(commit)
        while self._size > self._largest:
            self._size -= _size(self._commits.popleft())


class CommitMark:
    """The number of the last commit that was confirmed to this machine.

    It is written without waiting for the disk: it outlives the process, not the machine.
    """

    def __init__(self, path: Path, file: int) -> None:
        self.path: Final = path
        self._file = file
        self._is_told = False

    def refuse_less(self, stored: int, site: str) -> None:
        """Raises `StartRefused` where the store has an earlier number than it confirmed."""
        text = os.pread(self._file, 32, 0).strip()
        confirmed = int(text) if text.isdigit() else 0
        if stored < confirmed:
            raise StartRefused(
                f"the store has commit {stored} of {site}, and confirmed {confirmed} to this machine: "
                f"{confirmed - stored} are lost, by a failover to a replica that lacked them, or as it was emptied "
                f"or brought back from a backup. Bring the newer data back; or remove {self.path} to go on from what "
                "is there: docs/redis.md says what is missing then"
            )

    def write(self, number: int) -> None:
        """Over the number that stood there. A disk without that room keeps the earlier one, which refuses less."""
        try:
            os.pwrite(self._file, b"%020d\n" % number, 0)
        except OSError as error:
            if not self._is_told:
                effect = "a start on a store that fell back meanwhile would not notice it"
                log.warning("commit.not_marked", file=str(self.path), reason=error.strerror, effect=effect)
            self._is_told = True
        else:
            self._is_told = False


@contextmanager
def open_mark(data_dir: Path) -> Iterator[CommitMark]:
    """The mark of this machine. Raises `ConfigError` where it cannot be written."""
    path = data_dir / MARK_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        text = f"the number of the last commit cannot be kept: {error.strerror}; let the bridge write there"
        raise ConfigError((Problem(file=str(path), text=text),)) from error
    try:
        yield CommitMark(path, file)
    finally:
        os.close(file)


def _size(commit: Commit) -> int:
    return sum(len(record.id) + len(value or b"") for record, value in commit.puts.items())
