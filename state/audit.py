"""The audit log: JSON lines of which each holds the hash of the one before, so that a removed, changed or reordered
line is found.

Beside the log lies `<name>.head` with the number and the hash of the last line, so that lines cut off at the end are
found too. Whoever can write both files and knows this page can forge a log; keep a copy of the head elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Field: TypeAlias = str | int | float | bool | None
START: Final = "0" * 64
"""What the first line holds in place of a hash before it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log: the number of its last line and that line's hash."""

    number: int
    hash: str


class AuditLog:
    """Appends to one log. One process at a time writes a log.

    A last line that a crash cut short was never confirmed; it is taken away when the log is opened. Raises `OSError`
    where the file cannot be written and `ValueError` where its last line is no line of an audit log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._head = self._open()

    def append(self, kind: str, by: str, fields: Mapping[str, Field], at_ms: int) -> None:
        """Write one line and return when the disk has it. Threads may share a log."""
        with self._lock:
            self._append(kind, by, fields, at_ms)

    def _append(self, kind: str, by: str, fields: Mapping[str, Field], at_ms: int) -> None:
        number = self._head.number + 1
        content = {"n": number, "at_ms": at_ms, "kind": kind, "by": by, "fields": dict(fields)}
        content["prev"] = self._head.hash
        digest = _hash(content)
        with self._path.open("ab") as log:
            log.write(_canonical({**content, "hash": digest}) + b"\n")
            log.flush()
            os.fsync(log.fileno())
        self._head = Head(number, digest)
        self._write_head()

    def _open(self) -> Head:
        if not self._path.exists():
            return Head(0, START)
        with self._path.open("r+b") as log:
            text = log.read()
            whole = text[: text.rfind(b"\n") + 1]
            log.truncate(len(whole))
        if not whole:
            return Head(0, START)
        last = _read(whole.splitlines()[-1])
        if last is None:
            raise ValueError(f"{self._path}: the last line is no line of an audit log")
        return _head_of(last)

    def _write_head(self) -> None:
        beside = head_path(self._path)
        new = beside.with_name(beside.name + ".new")
        new.write_text(f"{self._head.number} {self._head.hash}\n", encoding="ascii")
        os.replace(new, beside)


def head_path(path: Path) -> Path:
    """Where a log's head lies."""
    return path.with_name(path.name + ".head")


def verify(path: Path) -> tuple[str, ...]:
    """What is wrong with a log, a sentence each; empty when nothing was removed, changed or reordered."""
    problems: list[str] = []
    head, recorded = Head(0, START), _recorded_head(path)
    seen_head = recorded is None or recorded == head
    for place, line in enumerate(path.read_bytes().splitlines(), start=1):
        content = _read(line)
        if content is None:
            problems.append(f"{path}:{place}: no line of an audit log")
            head = Head(head.number + 1, "")
            continue
        if content["n"] != head.number + 1:
            problems.append(
                f"{path}:{place}: line {content['n']} stands where {head.number + 1} is due: removed or moved"
            )
        elif content["prev"] != head.hash and head.hash:
            problems.append(f"{path}:{place}: it does not continue the line before: one of them was changed")
        if content["hash"] != _hash({name: value for name, value in content.items() if name != "hash"}):
            problems.append(f"{path}:{place}: it was changed after it was written")
        head = _head_of(content)
        seen_head = seen_head or head == recorded
    if recorded is None:
        problems.append(f"{head_path(path)}: it is missing, so lines cut off at the end cannot be found")
    elif not seen_head:
        problems.append(f"{path}: it lacks line {recorded.number}, which {head_path(path)} names as its last one")
    return tuple(problems)


def _recorded_head(path: Path) -> Head | None:
    try:
        number, digest = head_path(path).read_text(encoding="ascii").split()
        return Head(int(number), digest)
    except (OSError, ValueError):
        return None


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
