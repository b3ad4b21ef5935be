"""The `recording` of bridge.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.settings.recording import RecordingSettings
from tests.bridge.test_settings import FOLDER, ODOO, read, said


def test_nothing_is_recorded_unless_it_is_asked_for() -> None:
    assert read(ODOO).recording is None
    assert read(f"{ODOO}recording: {{}}\n").recording == RecordingSettings(folder=FOLDER / "data/recordings")


def test_everything_of_a_recording_can_be_said() -> None:
    text = "recording: {folder: /var/spool/uns, max_file: 5000kB, max_total: 1TB, max_age: 10m}\n"
    assert read(ODOO + text).recording == RecordingSettings(
        folder=Path("/var/spool/uns"), max_file=5_000_000, max_total=10**12, max_age_ms=600_000
    )


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("max_file: 64", 'bridge.yaml:2:23: expected text, found 64; write "64" in quotes'),
        ("max_file: 64 MB", 'bridge.yaml:2:23: expected a size such as 500kB, 64MB or 10GB, found "64 MB"'),
        ("max_file: 10kB", "bridge.yaml:2:23: 10kB is too small: at least 1MB"),
        ("max_age: 1s", "bridge.yaml:2:22: 1s is too short: at least 1m"),
        (
            "max_total: 100MB",
            "bridge.yaml:2:24: max_total must hold two files of max_file: the one that is written, and the one before",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_place(section: str, problem: str) -> None:
    assert said(f"{ODOO}recording: {{{section}}}\n") == [problem]
