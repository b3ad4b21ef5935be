"""The audit log shows that nothing was removed, changed or reordered."""

from __future__ import annotations

import json
import multiprocessing
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.audit import AuditLog, Head, decode_head, encode_head, head_path, log_files, verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of four lines."""
    log = AuditLog(tmp_path / "audit.jsonl")
    for number, who in enumerate(("ann", "bob", "ann", "zoë")):
        log.append("entry.skipped", who, {"key": f"scrap:{number}", "reason": "Maß falsch", "count": number}, number)
    return tmp_path / "audit.jsonl"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_an_untouched_log_is_without_problems(path: Path) -> None:
    assert verify(path) == ()


def test_a_log_goes_on_where_it_ended(path: Path) -> None:
    AuditLog(path).append("log-in", "ann", {}, 5)
    assert (len(lines(path)), verify(path)) == (5, ())


def told(path: Path) -> list[tuple[str, str, dict[str, object]]]:
    """Kind, who and fields of each line."""
    return [(one["kind"], one["by"], one["fields"]) for one in map(json.loads, lines(path))]


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size`: the write that would is cut short there, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_cut_short_by_a_crash_is_taken_away_and_the_log_says_so(path: Path) -> None:
    with path.open("ab") as log:
        log.write(b'{"n":5,"at')
    assert verify(path) == (f"{path}:5: it was cut short while it was written; the next line will take its place",)
    AuditLog(path).append("log-in", "ann", {}, 5)
    assert told(path)[4:] == [("audit.cut_short", "uns-bridge", {"bytes": 10}), ("log-in", "ann", {})]
    assert verify(path) == ()


def test_a_full_disk_refuses_the_line_and_the_log_goes_on_when_there_is_room(path: Path) -> None:
    log = AuditLog(path)
    with disk_full_at(path.stat().st_size + 20):
        for _ in range(2):
            with pytest.raises(OSError, match="too large"):
                log.append("log-in", "eve", {}, 5)
    log.append("log-in", "ann", {}, 6)
    assert told(path)[4:] == [("audit.cut_short", "uns-bridge", {"bytes": 20}), ("log-in", "ann", {})]
    assert verify(path) == ()


def test_a_bridge_that_starts_on_the_full_disk_goes_on_when_there_is_room(path: Path) -> None:
    with disk_full_at(path.stat().st_size + 20):
        with pytest.raises(OSError, match="too large"):
            AuditLog(path).append("log-in", "eve", {}, 5)
        after = AuditLog(path)
        with pytest.raises(OSError, match="too large"):
            after.append("log-in", "eve", {}, 6)
    AuditLog(path).append("log-in", "ann", {}, 7)
    assert told(path)[4:] == [("audit.cut_short", "uns-bridge", {"bytes": 20}), ("log-in", "ann", {})]
    assert verify(path) == ()


def test_a_line_whose_head_found_no_room_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    beside = head_path(path).with_name("audit.jsonl.head.new")
    beside.mkdir()  # what stands where the new head is written
    with pytest.raises(IsADirectoryError):
        log.append("log-in", "ann", {}, 1)
    beside.rmdir()
    size = path.stat().st_size
    log.append("log-in", "bob", {}, 2)
    assert told(path) == [("audit.cut_short", "uns-bridge", {"bytes": size}), ("log-in", "bob", {})]
    assert verify(path) == ()


def test_lines_that_were_gone_at_the_start_stay_a_problem(path: Path) -> None:
    path.write_bytes(b"".join(lines(path)[:2]))
    AuditLog(path).append("log-in", "ann", {}, 5)
    assert [kind for kind, _, _ in told(path)[2:]] == ["audit.lines_gone", "log-in"]
    assert verify(path) == (f"{path}:3: before it, lines up to 4 were gone when the bridge started",)


def test_a_large_log_is_put_aside_and_its_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in range(7):  # each with a log of its own, as after a restart
        AuditLog(path, largest=600).append("log-in", "ann", {"number": number}, number)
    files = log_files(path)
    assert [file.name for file in files] == ["audit.0000000003.jsonl", "audit.0000000006.jsonl", "audit.jsonl"]
    assert [fields["number"] for file in files for _, _, fields in told(file)] == list(range(7))
    assert verify(*files) == ()
    assert head_path(files[0]) == head_path(path)


def test_a_log_that_is_restarted_right_after_a_file_was_put_aside_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append("log-in", "ann", {}, 1)
    path.rename(tmp_path / "audit.0000000001.jsonl")
    assert verify(*log_files(path)) == ()
    AuditLog(path).append("log-in", "bob", {}, 2)
    assert (len(log_files(path)), verify(*log_files(path))) == (2, ())


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (slice(1, None), "line 4 stands where 1 is due: removed or moved; name the files before it too"),
        (slice(0, 2), "it lacks line 7"),
        (slice(0, None, 2), "line 7 stands where 4 is due"),
        (slice(None, None, -1), "line 7 stands where 1 is due"),
    ],
)
def test_files_of_a_log_that_are_missing_or_in_another_order_are_found(
    tmp_path: Path, named: slice, found: str
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", largest=600)
    for number in range(7):
        log.append("log-in", "ann", {"number": number}, number)
    assert found in "\n".join(verify(*log_files(tmp_path / "audit.jsonl")[named]))


def test_a_log_that_cannot_be_read_is_not_gone_on_with(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"no line\n")
    with pytest.raises(ValueError, match="the last line is no line of an audit log"):
        AuditLog(path)


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda old: [old[0], old[2], old[3]], "line 3 stands where 2 is due"),
        (lambda old: [old[0], old[2], old[1], old[3]], "line 3 stands where 2 is due"),
        (lambda old: old[1:], "line 2 stands where 1 is due"),
        (lambda old: old[:-1], "lacks line 4"),
        (lambda old: [old[0], old[1].replace(b"bob", b"eve"), *old[2:]], ":2: it was changed"),
        (lambda old: [old[0], b"{}\n", *old[2:]], ":2: no line of an audit log"),
        (lambda old: [*old, old[-1]], "line 4 stands where 5 is due"),
    ],
)
def test_tampering_is_found(path: Path, tamper: Callable[[list[bytes]], list[bytes]], found: str) -> None:
    path.write_bytes(b"".join(tamper(lines(path))))
    assert found in "\n".join(verify(path))


def test_a_line_that_was_changed_and_hashed_anew_does_not_fit_the_next(path: Path, tmp_path: Path) -> None:
    forged = AuditLog(tmp_path / "forged.jsonl")
    forged.append("entry.skipped", "eve", {}, 0)
    path.write_bytes(b"".join([lines(tmp_path / "forged.jsonl")[0], *lines(path)[1:]]))
    assert verify(path) == (f"{path}:2: it does not continue the line before: one of them was changed",)


def test_a_missing_head_is_a_problem(path: Path) -> None:
    head_path(path).unlink()
    assert "cannot be found" in verify(path)[0]


def test_a_log_that_was_written_anew_lacks_the_line_that_was_kept_elsewhere(path: Path, tmp_path: Path) -> None:
    known = AuditLog(path).head
    assert verify(path, known=known) == ()
    for file in tmp_path.iterdir():
        file.unlink()
    AuditLog(path).append("log-in", "eve", {}, 9)
    assert verify(path) == ()
    assert verify(path, known=known) == (f"{path}: it lacks line 4 with the hash that the store of the plant knows",)


def test_a_log_that_is_known_to_have_come_further_says_so_for_good(path: Path, tmp_path: Path) -> None:
    known = AuditLog(path).head
    for file in tmp_path.iterdir():
        file.unlink()
    log = AuditLog(path)
    log.expect(known)
    log.append("log-in", "eve", {}, 9)
    assert verify(path) == (f"{path}:1: before it, lines up to 4 were gone when the bridge started",)


def test_a_log_that_has_the_line_that_is_known_goes_on_without_a_word(path: Path) -> None:
    log = AuditLog(path)
    known = log.head
    log.append("log-in", "ann", {}, 5)
    again = AuditLog(path)
    again.expect(known)
    again.append("log-in", "bob", {}, 6)
    assert (told(path)[4:], verify(path)) == ([("log-in", "ann", {}), ("log-in", "bob", {})], ())


def test_a_head_comes_out_of_the_store_as_it_went_in() -> None:
    assert decode_head(encode_head(Head(7, "ab"))) == Head(7, "ab")


def test_two_logs_of_one_file_go_on_from_each_other(tmp_path: Path) -> None:
    one, two = AuditLog(tmp_path / "audit.jsonl", largest=300), AuditLog(tmp_path / "audit.jsonl", largest=300)
    for number in range(4):
        one.append("log-in", "ann", {}, number)
        two.append("log-in", "bob", {}, number)
    files = log_files(tmp_path / "audit.jsonl")
    assert ([each[1] for file in files for each in told(file)], verify(*files)) == (["ann", "bob"] * 4, ())


def write_ten(path: Path, who: str) -> None:
    log = AuditLog(path)
    for number in range(10):
        log.append("log-in", who, {}, number)


def test_processes_that_write_at_once_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [multiprocessing.get_context("fork").Process(target=write_ten, args=(path, who)) for who in "abcd"]
    for each in writers:
        each.start()
    for each in writers:
        each.join(30)
    assert sorted(each[1] for each in told(path)) == sorted("abcd" * 10)
    assert verify(path) == ()


@given(data=st.data(), count=st.integers(2, 6))
@settings(max_examples=150, deadline=None)
def test_whatever_is_done_to_one_place_of_a_log_is_found(data: st.DataObject, count: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        log = AuditLog(path)
        for number in range(count):
            log.append("entry.skipped", "zoë", {"key": f"scrap:{number}", "at": number, "why": " a "}, number)
        before = path.read_bytes()
        path.write_bytes(data.draw(tampered(before)))
        assert (path.read_bytes() == before) == (verify(path) == ())


@st.composite
def tampered(draw: st.DrawFn, log: bytes) -> bytes:
    """The log with a byte changed, put in or taken out, a line removed, two lines swapped, or its end cut off."""
    old = log.splitlines(keepends=True)
    place = draw(st.integers(0, len(log) - 1))
    line, other = draw(st.integers(0, len(old) - 1)), draw(st.integers(0, len(old) - 1))
    byte = bytes([draw(st.integers(0, 255))])
    match draw(st.sampled_from(("change", "put in", "take out", "remove", "swap", "cut off"))):
        case "change":
            return log[:place] + byte + log[place + 1 :]
        case "put in":
            return log[:place] + byte + log[place:]
        case "take out":
            return log[:place] + log[place + 1 :]
        case "remove":
            return b"".join(old[:line] + old[line + 1 :])
        case "swap":
            old[line], old[other] = old[other], old[line]
            return b"".join(old)
        case _:
            return log[:place]
