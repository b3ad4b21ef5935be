"""The console's password: one argon2id hash in a file; and a log-in link that works once, for demonstrations.

Both files are read when somebody logs in, so that a changed one counts without a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError


def is_password(file: Path, password: str) -> bool:
    """Whether this is the password of the file. Slow by intent (some 50 ms of CPU): call it in a thread.

    Raises `OSError` where the file cannot be read, and `ValueError` where it holds no argon2 hash.
    """
    stored = file.read_text("utf-8").strip()
    try:
        return PasswordHasher().verify(stored, password)
    except InvalidHashError as error:
        raise ValueError(f"{file} holds no argon2 hash; write it with `uns-bridge console hash`") from error
    except Argon2Error:
        return False


def write_link(file: Path) -> str:
    """Make a log-in token that works once. The file holds only its hash; what is given back is shown to nobody else."""
    token = secrets.token_urlsafe(24)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(_digest(token))
    return token


def is_link(file: Path, token: str) -> bool:
    """Whether the token would be taken."""
    try:
        return hmac.compare_digest(file.read_text("ascii"), _digest(token))
    except (OSError, ValueError):
        return False


def use_link(file: Path, token: str) -> bool:
    """Take the token, once: who removes the file has it."""
    if not is_link(file, token):
        return False
    try:
        file.unlink()
    except OSError:
        return False
    return True


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
