"""`uns-bridge audit verify PATH...`: whether lines were removed from an audit log, changed or moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import FAILED, WRONG, fail
from bridge.wiring import AUDIT_FILE
from state.audit import log_files, verify

app = typer.Typer(help="The log of what people did: verify.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The log of what people did: verify."""


@app.command("verify")
def verify_log(
    paths: Annotated[list[Path], typer.Argument(help="The folder of the log, such as data, or its files in order.")],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove that nothing was removed from the log, changed or moved. Exit 0 whole, 1 not, 2 no such log."""
    files = [file for path in paths for file in _files(path)]
    try:
        problems = verify(*files)
        lines = sum(len(file.read_bytes().splitlines()) for file in files)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", WRONG)
    if json_output:
        print(json.dumps({"whole": not problems, "lines": lines, "problems": list(problems)}, indent=2))
    else:
        print("\n".join(problems) if problems else f"{' '.join(map(str, paths))}: whole, {lines} lines")
    if problems:
        raise typer.Exit(FAILED)


def _files(path: Path) -> tuple[Path, ...]:
    """The files of the log in a folder; a file as it is."""
    if not path.is_dir():
        return (path,)
    files = log_files(path / AUDIT_FILE)
    if not files:
        fail(f"{path}: there is no {AUDIT_FILE} in this folder; name the data_dir of a bridge", WRONG)
    return files
