"""Spans for files that no bridge writes: documents with a number, and the record that each changes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bridge.core.input import Input, UnsDocument
from bridge.recording.about import About
from bridge.recording.file import OpenFile
from bridge.recording.folder import Bounds, RecordingFolder, open_new
from bridge.recording.reader import Read, Recorded
from bridge.recording.span import Mirror, Span
from state.record import RecordId, Table

START_MS = 1_700_000_000_000
PLENTY = Bounds(max_file=10**9, max_total=10**12, max_age_ms=10**9)
ABOUT = About(
    site="acme/berlin",
    host_id="acme-bridge",
    servers=("broker.plant:1883",),
    bridge="1.0",
    plant="0123456789ab",
    texts={"assets.yaml": "enterprise: acme\n"},
)


def document(nth: int) -> tuple[int, Input]:
    """The n-th document, received n seconds after the start."""
    return START_MS + nth * 1000, UnsDocument("uns/v1/acme/berlin/scrap", b'{"id": %d}' % nth)


def span(*nths: int) -> Span:
    """A turn with these documents; its commit has the number of the last and writes it into one record."""
    changes: dict[RecordId, bytes | None] = {RecordId(Table.SIGNAL, "last"): b"%d" % nths[-1]}
    return Span(number=nths[-1], inputs=[document(nth) for nth in nths], changes=changes)


def new_folder(
    path: Path, bounds: Bounds = PLENTY, open_file: OpenFile = open_new, about: About = ABOUT
) -> RecordingFolder:
    """A folder that begins to be written, by a site that has committed nothing; every write is flushed."""
    return RecordingFolder(path, bounds, about, Mirror(0, {}), open_file=open_file, flush_s=0)


def written(path: Path, *spans: Span, bounds: Bounds = PLENTY) -> list[Path]:
    """The files of one run with these spans, ended in good order."""
    folder = new_folder(path, bounds)
    for each in spans:
        folder.write([each])
    folder.finish()
    return sorted(path.iterdir())


def numbers(recording: Iterable[Read]) -> list[int]:
    """Which documents were read."""
    return [(each.received_ms - START_MS) // 1000 for each in recording if isinstance(each, Recorded)]
