"""The audit log: JSON lines of which each holds the hash of the one before, so that a removed, changed or reordered
line is found.

A log that has grown large is put aside, as `audit.0000004711.jsonl` up to line 4711, and the next line begins
`audit.jsonl` anew: numbers and hashes go on over the files. Beside them lies `audit.jsonl.head` with the number and
the hash of the last line, so that lines cut off at the end are found too. Whoever can write all files and knows this
page can forge a log; keep a copy of the head elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

Field: TypeAlias = str | int | float | bool | None
START: Final = "0" * 64
"""What the first line holds in place of a hash before it."""
LARGEST: Final = 100_000_000
"""Bytes at which a file is put aside."""
CUT_SHORT: Final = "audit.cut_short"
"""A line of our own: what a full disk or a crash left of a line was taken away before it. That line never counted."""
LINES_GONE: Final = "audit.lines_gone"
"""A line of our own: the log ended before the line that its head named when it was opened."""
OURSELVES: Final = "uns-bridge"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log: the number of its last line and that line's hash."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log, as it was appended."""

    number: int
    at_ms: int
    kind: str
    by: str
    fields: Mapping[str, Field]
    hash: str


class AuditLog:
    """Appends to one log. Several processes may: each line waits for a lock on `audit.jsonl.lock`, and goes on from
    what the others wrote.

    Raises `OSError` where the file cannot be read and `ValueError` where its last line is no line of an audit log.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self._path = path
        self._largest = largest
        self._lock = threading.Lock()
        self._size = len(_whole_lines(path))  # what counts; what the file holds beyond it was never confirmed
        self._head = _end_of(log_files(path))
        self._remarks: dict[str, Mapping[str, Field]] = {}
        recorded = _recorded_head(path)
        if recorded and recorded != self._head and recorded.number >= self._head.number:
            self._remarks[LINES_GONE] = {"last": recorded.number, "hash": recorded.hash}

    @property
    def head(self) -> Head:
        """The last line that counts."""
        return self._head

    def expect(self, head: Head) -> None:
        """The log is known to have come as far as this; where it has not that line, the next line says so for good."""
        marker = _marker(head)
        if head.number and not any(marker in file.read_bytes() for file in log_files(self._path)):
            self._remarks[LINES_GONE] = {"last": head.number, "hash": head.hash}

    def append(self, kind: str, by: str, fields: Mapping[str, Field], at_ms: int) -> None:
        """Write one line and return when the disk has it. Threads may share a log.

        Raises `OSError` where the disk does not take it; the line does not count then, and the log goes on when the
        disk does.
        """
        with self._lock, _locked(self._path):
            self._catch_up()
            self._take_rest_away()
            self._put_aside_if_large()
            head, text = self._head, b""
            for line in (*((remark, OURSELVES, found) for remark, found in self._remarks.items()), (kind, by, fields)):
                head, added = _next_line(head, *line, at_ms)
                text += added
            with self._path.open("ab") as log:
                log.write(text)
                log.flush()
                os.fsync(log.fileno())
                size = log.tell()
            self._write_head(head)
            self._size, self._head = size, head
            self._remarks.clear()

    def _catch_up(self) -> None:
        """Go on from the last line that another process wrote, and confirmed with the head."""
        recorded = _recorded_head(self._path)
        if recorded is None or recorded.number <= self._head.number or not self._path.exists():
            return
        text = self._path.read_bytes()
        if (place := text.find(_marker(recorded))) >= 0:
            self._size, self._head = text.index(b"\n", place) + 1, recorded

    def _take_rest_away(self) -> None:
        """Half a line must not stand before the next one. The next one says that it was there."""
        rest = _size(self._path) - self._size
        if rest > 0:
            os.truncate(self._path, self._size)
            self._remarks.setdefault(CUT_SHORT, {"bytes": rest})

    def _put_aside_if_large(self) -> None:
        if self._size >= self._largest:
            self._path.rename(self._path.with_suffix(f".{self._head.number:010}{self._path.suffix}"))
            self._size = 0

    def _write_head(self, head: Head) -> None:
        beside = head_path(self._path)
        new = beside.with_name(beside.name + ".new")
        new.write_text(f"{head.number} {head.hash}\n", encoding="ascii")
        os.replace(new, beside)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone among all processes, for as long as this lasts. A process that dies lets go."""
    with path.with_name(path.name + ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _marker(head: Head) -> bytes:
    """What only the line of this head has."""
    return f'"hash":"{head.hash}"'.encode()


def log_files(path: Path) -> tuple[Path, ...]:
    """The files of a log in their order: those put aside, then `path` itself, as far as they exist."""
    aside = path.parent.glob(f"{path.stem}.{'[0-9]' * 10}{path.suffix}")
    return tuple(file for file in (*sorted(aside), path) if file.exists())


def head_path(path: Path) -> Path:
    """Where the head of a log lies; `path` is any of its files."""
    return path.with_name(re.sub(r"\.\d{10}(?=\.)", "", path.name) + ".head")


def read_lines(*files: Path) -> Iterator[Line]:
    """The lines of a log whose files are given in their order; what is no line is left out, which `verify` tells.

    Raises `OSError` where a file cannot be read.
    """
    for file in files:
        for text in file.read_bytes().splitlines():
            if content := _read(text):
                yield msgspec.convert({**content, "number": content["n"]}, Line)


def verify(*files: Path, known: Head | None = None) -> tuple[str, ...]:
    """What is wrong with a log, a sentence each; empty when nothing was removed, changed or reordered.

    `files`: all of the log's, in their order. `known` is a head that was kept elsewhere. Raises `OSError` where one
    cannot be read.
    """
    problems: list[str] = []
    head, recorded = Head(0, START), _recorded_head(files[-1])
    seen_head = recorded is None or recorded == head
    seen_known = known is None or known == head
    for file in files:
        for place, line in enumerate(file.read_bytes().splitlines(keepends=True), start=1):
            content = _read(line)
            problems += (f"{file}:{place}: {wrong}" for wrong in _wrong_in(line, content, head))
            head = _head_of(content) if content else Head(head.number + 1, "")
            seen_head = seen_head or head == recorded
            seen_known = seen_known or head == known
    if recorded is None:
        problems.append(f"{head_path(files[-1])}: it is missing, so lines cut off at the end cannot be found")
    elif not seen_head:
        problems.append(
            f"{files[-1]}: it lacks line {recorded.number}, which {head_path(files[-1])} names as the last one"
        )
    if known is not None and not seen_known:
        problems.append(f"{files[-1]}: it lacks line {known.number} with the hash that the store of the plant knows")
    return tuple(problems)


def encode_head(head: Head) -> bytes:
    """The stored form of a head."""
    return f"{head.number} {head.hash}".encode()


def decode_head(stored: bytes) -> Head:
    """Read back what `encode_head` gave. Raises `ValueError` for anything else."""
    number, digest = stored.decode("ascii").split()
    return Head(int(number), digest)


def _wrong_in(line: bytes, content: Mapping[str, object] | None, before: Head) -> list[str]:
    """What is wrong with one line that follows `before`, whose hash is empty where it is not known."""
    if not line.endswith(b"\n"):
        return ["it was cut short while it was written; the next line will take its place"]
    if content is None:
        return ["no line of an audit log"]
    wrong: list[str] = []
    if content["n"] != before.number + 1:
        hint = "; name the files before it too, or their folder" if before.number == 0 else ""
        wrong.append(f"line {content['n']} stands where {before.number + 1} is due: removed or moved{hint}")
    elif content["prev"] != before.hash and before.hash:
        wrong.append("it does not continue the line before: one of them was changed")
    is_as_written = line == _canonical(content) + b"\n"  # JSON says the same in many ways, we in one
    if not is_as_written or content["hash"] != _hash({each: content[each] for each in content if each != "hash"}):
        wrong.append("it was changed after it was written")
    if content["kind"] == LINES_GONE and isinstance(fields := content["fields"], dict):
        wrong.append(f"before it, lines up to {fields.get('last')} were gone when the bridge started")
    return wrong


def _end_of(files: tuple[Path, ...]) -> Head:
    """The last line of the last file that has one."""
    for file in reversed(files):
        if whole := _whole_lines(file):
            content = _read(whole[whole.rfind(b"\n", 0, -1) + 1 :])
            if content is None:
                raise ValueError(f"{file}: the last line is no line of an audit log")
            return _head_of(content)
    return Head(0, START)


def _whole_lines(file: Path) -> bytes:
    """What a file holds, up to the end of its last whole line."""
    if not file.exists():
        return b""
    text = file.read_bytes()
    return text[: text.rfind(b"\n") + 1]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _recorded_head(path: Path) -> Head | None:
    try:
        return decode_head(head_path(path).read_bytes())
    except (OSError, ValueError):
        return None


def _next_line(head: Head, kind: str, by: str, fields: Mapping[str, Field], at_ms: int) -> tuple[Head, bytes]:
    content = {"n": head.number + 1, "at_ms": at_ms, "kind": kind, "by": by, "fields": dict(fields), "prev": head.hash}
    digest = _hash(content)
    return Head(head.number + 1, digest), _canonical({**content, "hash": digest}) + b"\n"


def _read(line: bytes) -> dict[str, object] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    wanted = {"n": int, "at_ms": int, "kind": str, "by": str, "fields": dict, "prev": str, "hash": str}
    if not isinstance(content, dict) or content.keys() != wanted.keys():
        return None
    return content if all(isinstance(content[name], kind) for name, kind in wanted.items()) else None


def _head_of(content: Mapping[str, object]) -> Head:
    return Head(int(str(content["n"])), str(content["hash"]))


def _hash(content: Mapping[str, object]) -> str:
    return hashlib.sha256(_canonical(content)).hexdigest()


def _canonical(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
