"""`uns-bridge console hash`: the hash of the console's password, for the file that bridge.yaml names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import WRONG, fail
from bridge.settings.secret import hash_secret, write_privately

app = typer.Typer(help="The operator's console.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The operator's console."""


@app.command("hash")
def hash_command(
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file instead of printing it.")] = None,
) -> None:
    """Ask for a password, twice, and give the argon2 hash for `console.password_file`."""
    try:
        line = hash_secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
        if out is None:
            print(line)
        else:
            write_privately(out, f"{line}\n")
    except ValueError as error:
        fail(error, WRONG)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}", WRONG)
