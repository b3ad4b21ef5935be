"""Secrets: named in `bridge.yaml` by file or by environment variable, read anew each time, never shown; and
files that only their owner reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher

from bridge.errors import SecretMissing
from ruleset.document import Node
from ruleset.problem import Problem

SHORTEST: Final = 8
"""Characters that a secret needs which somebody chose."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Secret:
    """Where a secret is: exactly one of `file` and `environment`. `place` is where `bridge.yaml` says so."""

    place: Problem
    file: Path | None = None
    environment: str | None = None

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """Read it now, so that a rotated one is taken without a restart. Raises `SecretMissing` where there is none."""
        if self.file is not None:
            try:
                secret = self.file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise self._missing(f"cannot read the secret file {self.file}: {reason}") from error
            what = f"the secret file {self.file}"
        else:
            secret = os.environ.get(self.environment or "", "")
            what = f"the environment variable {self.environment}"
        if not secret:
            raise self._missing(f"{what} is empty or not set")
        return secret

    def _missing(self, text: str) -> SecretMissing:
        where = self.place
        return SecretMissing(str(Problem(file=where.file, line=where.line, column=where.column, text=text)))


def hash_secret(secret: str) -> str:
    """The argon2id hash of a secret. Raises `ValueError` for one that is too short."""
    if len(secret) < SHORTEST:
        raise ValueError(f"a secret needs at least {SHORTEST} characters")
    return PasswordHasher().hash(secret)


def read_secret(node: Node, folder: Path) -> Secret | None:
    """Read `{file: PATH}` (relative to the plant folder) or `{env: NAME}`. What stands there instead is never shown."""
    if not node.is_mapping:
        node.problem("a secret is never written here; name it as {file: PATH} or {env: NAME}")
        return None
    keys = node.mapping(allowed={"file", "env"})
    if len(keys) != 1:
        node.problem("a secret is named by exactly one of file and env")
        return None
    (kind, value), *_ = keys.items()
    word = value.text()
    if word is None or not word.strip():
        value.problem(f"the {kind} of a secret must not be empty")
        return None
    place = Problem(file=node.file, line=value.line, column=value.column, text="the secret is named here")
    if kind == "file":
        return Secret(place=place, file=folder / word)
    return Secret(place=place, environment=word)


def write_privately(file: Path, text: str) -> None:
    """Write what only the file's owner may read, whole or not at all. Raises `OSError`."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
        new.write(text)
    beside.replace(file)
