"""`uns-bridge audit verify FILE`: whether lines were removed from an audit log, changed or moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import FAILED, WRONG, fail
from state.audit import verify

app = typer.Typer(help="The log of what people did: verify.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The log of what people did: verify."""


@app.command("verify")
def verify_log(
    file: Annotated[Path, typer.Argument(help="The log, such as data/audit.jsonl below the plant folder.")],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove that nothing was removed from the log, changed or moved. Exit 0 whole, 1 not, 2 no such file."""
    try:
        problems = verify(file)
        lines = len(file.read_bytes().splitlines())
    except OSError as error:
        fail(f"{file}: {error.strerror}", WRONG)
    if json_output:
        print(json.dumps({"whole": not problems, "lines": lines, "problems": list(problems)}, indent=2))
    else:
        print("\n".join(problems) if problems else f"{file}: whole, {lines} lines")
    if problems:
        raise typer.Exit(FAILED)
