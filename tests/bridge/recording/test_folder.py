"""Files end by size and age, the oldest go first, and another site's are left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.recording.folder import Bounds
from bridge.recording.reader import read
from bridge.recording.span import Losing, Lost
from tests.bridge.recording.day import beginnings, gaps
from tests.bridge.recording.spans import ABOUT, PLENTY, START_MS, new_folder, numbers, span, written


def test_a_file_ends_at_its_age_and_the_next_goes_on_without_a_gap(tmp_path: Path) -> None:
    files = written(tmp_path, *(span(nth) for nth in range(1, 11)), bounds=replace(PLENTY, max_age_ms=4_000))
    recording = list(read(files))
    assert len(files) == 3
    assert numbers(recording) == list(range(1, 11))
    assert gaps(recording) == []


def test_names_tell_the_site_and_the_moment(tmp_path: Path) -> None:
    [file] = written(tmp_path, span(1))
    assert file.name == "acme-berlin-20231114T221321.000Z-1.mcap"


def test_the_oldest_files_go_when_there_would_be_too_many(tmp_path: Path) -> None:
    one = written(tmp_path / "one", span(1))[0].stat().st_size
    bounds = Bounds(max_file=one, max_total=4 * one, max_age_ms=1_000)
    files = written(tmp_path / "many", *(span(nth) for nth in range(1, 21)), bounds=bounds)
    recording = list(read(files))
    assert numbers(recording) in ([18, 19, 20], [17, 18, 19, 20])
    assert sum(file.stat().st_size for file in files) <= bounds.max_total
    assert gaps(recording) == []


def test_files_of_another_site_and_what_is_no_recording_are_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / "acme-berlin-2-20231114T221321.000Z-1.mcap", tmp_path / "acme-berlin-notes.mcap"]
    for other in others:
        other.write_text("of others")
    written(tmp_path, span(1), span(2), bounds=Bounds(max_file=1, max_total=2, max_age_ms=10**9))
    assert all(other.exists() for other in others)
    assert len(list(tmp_path.iterdir())) == 3


def test_after_a_gap_a_file_begins_that_says_what_is_missing_and_has_the_state_after_it(tmp_path: Path) -> None:
    folder, losing = new_folder(tmp_path), Losing("the disk does not follow")
    losing.add(span(2, 3))
    losing.add(span(4))
    folder.write([span(1), losing.span(), span(5)])
    folder.finish()
    recording = list(read(sorted(tmp_path.iterdir())))
    assert numbers(recording) == [1, 5]
    assert gaps(recording) == [
        Lost(from_ms=START_MS + 2000, to_ms=START_MS + 4000, inputs=3, reason="the disk does not follow")
    ]
    _, second = beginnings(recording)
    assert second.snapshot is not None
    assert list(second.snapshot.by_id.values()) == [b"4"]
    assert (second.number, second.follows) == (4, False)


def test_two_sites_may_record_into_one_folder(tmp_path: Path) -> None:
    for site in ("acme/berlin", "acme/hamburg"):
        folder = new_folder(tmp_path, about=replace(ABOUT, site=site))
        folder.write([span(1)])
        folder.finish()
    assert sorted(file.name.split("-")[1] for file in tmp_path.iterdir()) == ["berlin", "hamburg"]
