"""The `recording` of `bridge.yaml`: where recordings are kept, and how much of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.settings.section import section_of
from ruleset.document import Node

FOLDER: Final = "recordings"
"""Below `data_dir`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """The bounds of recordings, in bytes: of one file, and of all together; a file also ends at an age."""

    folder: Path
    max_file: int = 64_000_000
    max_total: int = 10_000_000_000
    max_age_ms: int = 3_600_000


def read_recording(node: Node, folder: Path, data_dir: Path) -> RecordingSettings:
    """Read the section. Paths are relative to `folder`."""
    section = section_of(node, RecordingSettings, folder)
    default = RecordingSettings(folder=section.path("folder") or data_dir / FOLDER)
    settings = RecordingSettings(
        folder=default.folder,
        max_file=section.size("max_file", default.max_file, at_least=1_000_000),
        max_total=section.size("max_total", default.max_total, at_least=1_000_000),
        max_age_ms=section.duration("max_age", default.max_age_ms, at_least_ms=60_000),
    )
    if settings.max_total < 2 * settings.max_file:
        at = section.get("max_total") or section.get("max_file") or node
        at.problem("max_total must hold two files of max_file: the one that is written, and the one before")
    return settings
