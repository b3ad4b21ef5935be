"""The files of a recording in their folder: begun, rotated by size and age, and the oldest deleted when there are many.

Only the recorder's thread calls it. Every method may raise `OSError`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from bridge.core.input import Promoted
from bridge.recording.about import About, of_content
from bridge.recording.file import Beginning, OpenFile, RecordingFile
from bridge.recording.span import Lost, Mirror, Span
from bridge.settings.recording import RecordingSettings

FLUSH_S: Final = 5.0
"""What a crash may take from a recording, at most."""
SUFFIX: Final = ".mcap"
_STAMPED: Final = rf"\d{{8}}T\d{{6}}\.\d{{3}}Z-\d+\{SUFFIX}"
"""How names go on after the site: they sort by the moment at which their files begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large one file and all of them may become, in bytes, and when a file is old enough."""

    max_file: int
    max_total: int
    max_age_ms: int


def bounds_of(settings: RecordingSettings) -> Bounds:
    """What bridge.yaml says of them."""
    return Bounds(max_file=settings.max_file, max_total=settings.max_total, max_age_ms=settings.max_age_ms)


def open_new(path: Path) -> IO[bytes]:
    """A new file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


class RecordingFolder:
    """Writes spans. `mirror` None: there is no core whose state a file could begin with."""

    def __init__(
        self,
        folder: Path,
        bounds: Bounds,
        about: About,
        mirror: Mirror | None,
        *,
        open_file: OpenFile = open_new,
        flush_s: float = FLUSH_S,
    ) -> None:
        self.path = folder
        self.inputs = 0
        self._bounds = bounds
        self._about = about
        self._mirror = mirror
        self._open_file = open_file
        self._flush_s = flush_s
        self._file: RecordingFile | None = None
        self._run_ms = 0
        self._parts = 0
        self._flushed_s = 0.0

    def write(self, spans: Sequence[Span]) -> None:
        """Write these, in order. Where it fails, all of them are to come again as one that was lost."""
        for span in spans:
            self._write(span)
        if self._file is not None and time.monotonic() - self._flushed_s >= self._flush_s:
            self._file.flush()
            self._flushed_s = time.monotonic()

    def finish(self) -> None:
        """End the file in good order."""
        if self._file is not None:
            self._file.finish(self._number)
            self._file = None

    def abandon(self) -> None:
        """Leave the file as it is after a failure."""
        file, self._file = self._file, None
        if file is not None:
            file.abandon()

    @property
    def _number(self) -> int:
        return 0 if self._mirror is None else self._mirror.number

    def _write(self, span: Span) -> None:
        if span.lost is not None:
            if self._mirror is not None:
                self._mirror.take(span)
            self.finish()
            self._begin(span.lost.to_ms, span.lost)
            return
        at_ms = span.inputs[0][0]
        if self._file is None or self._is_over(self._file, at_ms):
            self.finish()
            self._begin(at_ms)
        assert self._file is not None
        for received_ms, entered in span.inputs:
            self._file.add(received_ms, entered)
            if isinstance(entered, Promoted):  # of what the next file begins with
                self._about = of_content(self._about, entered.content)
        self.inputs += len(span.inputs)
        if self._mirror is not None:
            self._mirror.take(span)

    def _is_over(self, file: RecordingFile, at_ms: int) -> bool:
        bounds = self._bounds
        return file.size >= bounds.max_file or at_ms - file.began_ms >= bounds.max_age_ms or file.is_full

    def _begin(self, at_ms: int, lost: Lost | None = None) -> None:
        self._run_ms = self._run_ms or at_ms
        beginning = Beginning(
            about=self._about,
            run_ms=self._run_ms,
            part=self._parts + 1,
            at_ms=at_ms,
            number=self._number,
            snapshot=None if self._mirror is None else self._mirror.snapshot(),
            lost=lost,
        )
        self._make_room()
        path = self.path / f"{self._prefix}{_stamp(at_ms)}-{beginning.part}{SUFFIX}"
        self._file = RecordingFile(path, beginning, self._open_file)
        self._parts += 1
        self._flushed_s = time.monotonic()

    @property
    def _prefix(self) -> str:
        return f"{self._about.site.replace('/', '-')}-"

    def _make_room(self) -> None:
        """Delete the oldest of the site's files until one more fits."""
        if not self.path.is_dir():
            return
        own = re.compile(re.escape(self._prefix) + _STAMPED)
        sizes = {path: path.stat().st_size for path in sorted(self.path.iterdir()) if own.fullmatch(path.name)}
        left = sum(sizes.values())
        for path, size in sizes.items():
            if left + self._bounds.max_file <= self._bounds.max_total:
                return
            path.unlink()
            left -= size


def _stamp(at_ms: int) -> str:
    """The moment as names have it."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{at_ms % 1000:03}Z"
