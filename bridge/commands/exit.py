"""The exit codes of all commands, the one way in which one ends with a sentence, and how it writes a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NoReturn

import typer

OK: Final = 0
FAILED: Final = 1
"""The work found a failure."""
WRONG: Final = 2
"""Wrong use, or something wrong in the plant folder."""
UNREACHABLE: Final = 3
"""Something that is needed does not answer."""
TAKEN_OVER: Final = 4
"""Another bridge leads the site by now; started again, this one stands by."""


def fail(error: BaseException | str, code: int) -> NoReturn:
    """Say what is wrong, on standard error, and end."""
    print(error, file=sys.stderr)
    raise typer.Exit(code)


def write(file: Path, text: str) -> None:
    """Write a file that the command line names, or end."""
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}", WRONG)
