"""`uns-bridge audit verify PATH...`: whether lines were removed from an audit log, changed or moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import FAILED, WRONG, fail
from bridge.commands.site import ask
from bridge.loop import AUDIT_HEAD
from bridge.plant import Plant
from bridge.wiring import AUDIT_FILE
from state.audit import Head, decode_head, log_files, verify
from state.store import Store

app = typer.Typer(help="The log of what people did: verify.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The log of what people did: verify."""


@app.command("verify")
def verify_log(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="The folder of the log, such as data, or its files in order.")
    ] = None,
    plant: Annotated[
        Path | None,
        typer.Option("--plant", "-p", help="The plant folder: its data_dir, and the last line that its store knows."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove that nothing was removed from the log, changed or moved. Exit 0 whole, 1 not, 2 no such log, 3 no store."""
    if not paths and plant is None:
        fail("name the folder of the log, or the plant with --plant", WRONG)
    folder, known = (None, None) if plant is None else ask(plant, _known)
    named = paths or [folder or Path()]
    files = [file for path in named for file in _files(path)]
    try:
        problems = verify(*files, known=known)
        lines = sum(len(file.read_bytes().splitlines()) for file in files)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", WRONG)
    if json_output:
        print(json.dumps({"whole": not problems, "lines": lines, "problems": list(problems)}, indent=2))
    else:
        print("\n".join(problems) if problems else f"{' '.join(map(str, named))}: whole, {lines} lines")
    if problems:
        raise typer.Exit(FAILED)


async def _known(plant: Plant, store: Store) -> tuple[Path, Head | None]:
    """Where the plant's log is, and how far it had come at the bridge's last commit."""
    kept = await store.read_one(AUDIT_HEAD.table, AUDIT_HEAD.id)
    return plant.settings.data_dir, None if kept is None else decode_head(kept)


def _files(path: Path) -> tuple[Path, ...]:
    """The files of the log in a folder; a file as it is."""
    if not path.is_dir():
        return (path,)
    files = log_files(path / AUDIT_FILE)
    if not files:
        fail(f"{path}: there is no {AUDIT_FILE} in this folder; name the data_dir of a bridge", WRONG)
    return files
