"""The audit log shows that nothing was removed, changed or reordered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from state.audit import AuditLog, head_path, verify


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


def test_a_line_cut_short_by_a_crash_is_taken_away(path: Path) -> None:
    with path.open("ab") as log:
        log.write(b'{"n":5,"at')
    assert verify(path) != ()
    AuditLog(path).append("log-in", "ann", {}, 5)
    assert (len(lines(path)), verify(path)) == (5, ())


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
