"""Files are read in the order in which they were written, as far as they are whole, and what is missing is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap.records import ChunkIndex

from bridge.core.input import HostConnected, Tick
from bridge.recording.errors import RecordingError, Unreadable
from bridge.recording.folder import Bounds, RecordingFolder
from bridge.recording.reader import Recorded, files_in, of_one_site, read, sizes_of
from bridge.recording.span import Lost, Mirror, Span
from state.record import RecordId, Table
from tests.bridge.recording.day import beginnings, gaps, inputs
from tests.bridge.recording.spans import ABOUT, PLENTY, START_MS, document, new_folder, numbers, span, written

EACH_SPAN = Bounds(max_file=1, max_total=10**9, max_age_ms=10**9)
"""A file of its own for every span."""


def cut(path: Path, *, at: int) -> None:
    """Leave the first bytes of a file, as a crash does."""
    path.write_bytes(path.read_bytes()[:at])


def chunks_of(path: Path) -> list[ChunkIndex]:
    """Where the chunks of a finished file are."""
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    return summary.chunk_indexes


def test_inputs_come_back_in_order_with_their_times(tmp_path: Path) -> None:
    files = written(tmp_path, span(1, 2), span(3))
    assert inputs(read(files)) == [Recorded(*document(nth)) for nth in (1, 2, 3)]
    assert gaps(read(files)) == []


def test_files_are_put_in_order_and_each_begins_with_the_state_that_its_first_input_found(tmp_path: Path) -> None:
    files = written(tmp_path, span(1, 2), span(3), span(4), bounds=EACH_SPAN)
    recording = list(read(reversed(files)))
    told = [
        (each.part, each.follows, each.number, each.snapshot and each.snapshot.by_id) for each in beginnings(recording)
    ]
    last = RecordId(Table.SIGNAL, "last")
    assert numbers(recording) == [1, 2, 3, 4]
    assert told == [(1, False, 0, {}), (2, True, 2, {last: b"2"}), (3, True, 3, {last: b"3"})]


def test_a_file_says_whose_it_is_and_holds_the_plant_folder(tmp_path: Path) -> None:
    [began] = beginnings(read(written(tmp_path, span(1))))
    assert began.about == ABOUT


def test_two_runs_follow_each_other_where_the_second_began_at_the_last_commit_of_the_first(tmp_path: Path) -> None:
    first = written(tmp_path / "a", span(1, 2))
    second = RecordingFolder(tmp_path / "b", PLENTY, ABOUT, Mirror(2, {}))
    second.write([span(3)])
    second.finish()
    recording = list(read([*(tmp_path / "b").iterdir(), *first]))
    assert [each.follows for each in beginnings(recording)] == [False, True]
    assert numbers(recording) == [1, 2, 3]


def test_a_file_that_is_missing_between_two_others_is_said(tmp_path: Path) -> None:
    first, _, third = written(tmp_path, span(1), span(2), span(3), bounds=EACH_SPAN)
    recording = list(read([first, third]))
    reason = f"files are missing between {first.name} and {third.name}"
    assert gaps(recording) == [Lost(from_ms=START_MS + 1000, to_ms=START_MS + 3000, inputs=None, reason=reason)]
    assert numbers(recording) == [1, 3]


def test_an_unfinished_file_is_read_up_to_its_last_chunk(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.write([span(1)])
    folder.write([span(2)])
    [file] = tmp_path.iterdir()
    whole = file.stat().st_size
    folder.write([span(3)])
    cut(file, at=whole + 20)

    recording = list(read([file]))

    assert numbers(recording) == [1, 2]
    assert gaps(recording) == [
        Lost(
            from_ms=START_MS + 2000,
            to_ms=START_MS + 2000,
            inputs=None,
            reason=f"{file.name} ends in the midst, as after a crash",
        )
    ]


@pytest.mark.parametrize("behind", [0, 1, 9, 30, 60])
def test_a_file_cut_within_a_chunk_gives_what_came_before(tmp_path: Path, behind: int) -> None:
    [file] = written(tmp_path, *(span(nth) for nth in range(1, 21)))
    cut(file, at=chunks_of(file)[10].chunk_start_offset + behind)
    recording = list(read([file]))
    assert numbers(recording) == list(range(1, 11))
    assert len(gaps(recording)) == 1


def test_of_a_file_that_still_grows_it_is_read_what_it_held(tmp_path: Path) -> None:
    files = written(tmp_path, span(1, 2), span(3))
    sizes = sizes_of(files)
    assert numbers(read(files, sizes=sizes)) == [1, 2, 3]
    last = chunks_of(files[0])[-1].chunk_start_offset
    assert numbers(read(files, sizes={files[0]: last + 1})) == numbers(read(files, sizes={files[0]: last})) == [1, 2]


def test_a_file_cut_behind_its_inputs_misses_nothing(tmp_path: Path) -> None:
    [file] = written(tmp_path, span(1), span(2))
    cut(file, at=file.stat().st_size - 20)
    recording = list(read([file]))
    assert numbers(recording) == [1, 2]
    assert gaps(recording) == []


def test_a_damaged_chunk_is_passed_over_and_said(tmp_path: Path) -> None:
    [file] = written(tmp_path, span(1), span(2), span(3))
    second = chunks_of(file)[1]
    content = bytearray(file.read_bytes())
    content[second.chunk_start_offset + second.chunk_length - 5] ^= 0xFF
    file.write_bytes(content)

    recording = list(read([file]))

    assert numbers(recording) == [1, 3]
    [gap] = gaps(recording)
    assert gap.reason.startswith(f"{file.name} is damaged")


def test_a_servers_connection_stands_in_the_state_of_the_next_file(tmp_path: Path) -> None:
    connected = HostConnected(server="", will_ms=7)
    up = Span(number=1, inputs=[(START_MS, connected)], changes={})
    _, second = beginnings(read(written(tmp_path, up, span(2), bounds=EACH_SPAN)))
    assert second.snapshot is not None
    assert second.snapshot.connected == (connected,)


def test_what_is_no_recording_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.mcap").write_text("not at all")
    with pytest.raises(Unreadable, match=r"notes\.mcap: it is no recording of uns-bridge"):
        list(read([tmp_path / "notes.mcap"]))
    with pytest.raises(Unreadable, match=r"gone\.mcap: cannot be read: No such file"):
        list(read([tmp_path / "gone.mcap"]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="there is no recording in this folder"):
        files_in([tmp_path / "empty"])


def test_recordings_of_several_sites_are_not_mixed(tmp_path: Path) -> None:
    files = written(tmp_path / "berlin", span(1))
    folder = new_folder(tmp_path / "hamburg", about=replace(ABOUT, site="acme/hamburg"))
    folder.write([span(2)])
    folder.finish()
    with pytest.raises(RecordingError, match="several sites: acme/berlin, acme/hamburg"):
        of_one_site([*files, *(tmp_path / "hamburg").iterdir()])


def test_any_viewer_of_mcap_finds_the_messages_by_topic_and_time(tmp_path: Path) -> None:
    tick = Span(number=1, inputs=[(START_MS, Tick()), document(1)], changes={})
    [file] = written(tmp_path, tick, bounds=PLENTY)
    with file.open("rb") as opened:
        found = [
            (channel.topic, channel.message_encoding, schema and schema.encoding, message.log_time, message.data)
            for schema, channel, message in make_reader(opened, validate_crcs=True).iter_messages()
        ]
    assert found == [
        ("bridge/tick", "json", "jsonschema", START_MS * 10**6, b"{}"),
        ("uns/v1/acme/berlin/scrap", "json", "jsonschema", (START_MS + 1000) * 10**6, b'{"id": 1}'),
    ]
