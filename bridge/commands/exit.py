"""The exit codes of all commands, and the one way in which a command ends with a sentence."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import typer

OK: Final = 0
FAILED: Final = 1
"""The work found a failure."""
WRONG: Final = 2
"""Wrong use, or something wrong in the plant folder."""
UNREACHABLE: Final = 3
"""Something that is needed does not answer."""


def fail(error: BaseException | str, code: int) -> NoReturn:
    """Say what is wrong, on standard error, and end."""
    print(error, file=sys.stderr)
    raise typer.Exit(code)
