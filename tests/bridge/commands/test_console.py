"""`uns-bridge console hash` makes the file that the console compares a password with."""

from __future__ import annotations

import stat
from pathlib import Path

from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.console.password import is_password

PASSWORD = "night shift 3 am"


def test_the_hash_is_written_for_its_owner_only_and_is_that_of_the_password(tmp_path: Path) -> None:
    out = tmp_path / "console.hash"

    result = CliRunner().invoke(app, ["console", "hash", "--out", str(out)], input=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert (is_password(out, PASSWORD), is_password(out, "guessed")) == (True, False)


def test_a_password_that_is_too_short_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "console.hash"

    result = CliRunner().invoke(app, ["console", "hash", "--out", str(out)], input="short\nshort\n")

    assert result.exit_code == 2
    assert not out.exists()


def test_the_hash_is_printed_where_no_file_is_named() -> None:
    result = CliRunner().invoke(app, ["console", "hash"], input=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0
    assert "$argon2id$" in result.output
    assert PASSWORD not in result.output
