"""The versions of a plant folder on disk: their texts in `versions/VERSION/`, and what people did in a log.

    plant/
      assets.yaml, codes.yaml, rules/...    the draft: what is edited
      people.yaml                           who may do what
      versions/audit.jsonl(.head)           the log
      versions/4f0c.../assets.yaml, ...     a version, never changed again

All of it belongs into the plant's git repository. Commands write it, one at a time; a running bridge reads it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bridge.lifecycle.content import VERSIONS_FOLDER, is_sound, keep, texts_of, version_folder, version_of
from bridge.lifecycle.history import History, InForce, Step, fold, objection
from bridge.lifecycle.people import Person
from state.audit import AuditLog, Field, log_files, read_lines, verify

LOG_FILE: Final = "audit.jsonl"
_LOCK_FILE: Final = ".lock"


class Refused(Exception):
    """A person may not take this step. The text says why."""


class LogBroken(Exception):
    """The log of the versions was changed by something else, or a kept version was. The text has every place."""


class VersionBook:
    """The versions of one plant folder."""

    def __init__(self, plant: Path) -> None:
        self._plant = plant
        self._log = plant / VERSIONS_FOLDER / LOG_FILE

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes when the log does; cheap to ask for."""
        try:
            found = self._log.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def history(self, known: InForce | None = None) -> History:
        """Where every version stands. Raises `LogBroken`, also where the log lacks what is `known` to have been in
        force, and `OSError` where it cannot be read."""
        files = log_files(self._log)
        if files and (problems := verify(*files)):
            raise LogBroken("\n".join(problems))
        lines = tuple(read_lines(*files))
        if known is not None and not any((line.number, line.hash) == (known.line, known.hash) for line in lines):
            raise LogBroken(
                f"{self._log}: line {known.line} is missing, which made {known.version} live, and the bridge ran that: "
                f"put {VERSIONS_FOLDER}/ back as it was, from git, or begin anew with what is there now: "
                f"`uns-bridge rules forget-live {self._plant}`"
            )
        return fold(lines)

    def folder(self, version: str) -> Path:
        """Where the texts of a version are. Raises `LogBroken` where they are not what the name stands for."""
        folder = version_folder(self._plant, version)
        if not is_sound(self._plant, version):
            raise LogBroken(f"{folder}: its files are not those that were proposed as {version}; take them from git")
        return folder

    def propose(self, who: Person, reason: str, tests: int, at_ms: int) -> str:
        """Make a version of the draft and give its name. Raises `Refused`, `LogBroken` and `OSError`."""
        texts = texts_of(self._plant)
        version = version_of(texts)
        with self._locked():
            self._check(Step.PROPOSE, who, version, reason)
            keep(self._plant, texts)
            self._append(Step.PROPOSE, who, version, reason, {"tests": tests}, at_ms)
        return version

    def act(
        self, step: Step, who: Person, version: str, reason: str, at_ms: int, fields: Mapping[str, Field] | None = None
    ) -> None:
        """Take a step with a version. Raises `Refused`, `LogBroken` and `OSError`; nothing is written then."""
        with self._locked():
            self._check(step, who, version, reason)
            self.folder(version)
            self._append(step, who, version, reason, fields or {}, at_ms)

    def _check(self, step: Step, who: Person, version: str, reason: str) -> None:
        if not reason.strip():
            raise Refused("the reason must say why")
        if (text := objection(self.history(), step, version, who)) is not None:
            raise Refused(text)

    def _append(
        self, step: Step, who: Person, version: str, reason: str, fields: Mapping[str, Field], at_ms: int
    ) -> None:
        AuditLog(self._log).append(step, who.name, {"version": version, "reason": reason, **fields}, at_ms)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time: two that fold the same log would both find that they may."""
        self._log.parent.mkdir(exist_ok=True)
        with (self._log.parent / _LOCK_FILE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
