"""`uns-bridge check PLANT [--online] [--json]`: read the whole plant folder and tell everything that is wrong with it.

The versions that are live and in shadow are read, too. With `--online` the folder is also compared with the Odoo that
it names.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bridge.commands.exit import OK, WRONG, fail
from bridge.commands.odoo import exit_code
from bridge.errors import ConfigError
from bridge.lifecycle.live import check_life
from bridge.online.check import Compared, check_online
from bridge.plant import CODES_FILE, Plant, load_plant
from bridge.rule_tests.folder import load_tests
from odoo_adapter.errors import OdooError
from ruleset.codes import unused_tables
from ruleset.problem import Problem
from ruleset.rules import unused_templates


def check(plant: Path, json_output: bool, online: bool = False) -> int:
    """Print one line per problem, or one JSON object. Returns the exit code: 0 clean, 2 problems. Raises `OdooError`
    where Odoo cannot be asked."""
    try:
        loaded = load_plant(plant)
        tests = load_tests(loaded)
    except ConfigError as error:
        _tell(plant, error.problems, {}, json_output=json_output)
        return WRONG
    compared = asyncio.run(check_online(loaded)) if online else None
    broken, told = check_life(plant)
    problems = (*broken, *(compared.problems if compared else ()))
    if compared and not json_output:
        _print_comparison(compared)
    notes = [*_notes(loaded), *told]
    if not json_output:
        _print_notes(notes)
    more = {"found": {**_found(loaded), "rule_tests": len(tests)}, "notes": notes, **_online(compared)}
    _tell(plant, problems, more, json_output=json_output)
    return WRONG if problems else OK


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    online: Annotated[bool, typer.Option("--online", help="Compare it with the Odoo that it names, too.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Check everything in the plant folder; exit 0 clean, 2 problems; 1 Odoo declines to be asked, 3 it cannot be."""
    try:
        code = check(plant, json_output, online)
    except OdooError as error:
        fail(error, exit_code(error))
    raise typer.Exit(code)


def _tell(plant: Path, problems: tuple[Problem, ...], more: dict[str, Any], *, json_output: bool) -> None:
    if json_output:
        told = [_as_json(problem) for problem in problems]
        print(json.dumps({"clean": not problems, "problems": told, **more}, indent=2))
        return
    for problem in problems:
        print(problem)
    version = f", as Odoo {more['online']['version']} has it" if "online" in more else ""
    if problems:
        print(f"{plant}: {len(problems)} problem{'s' if len(problems) > 1 else ''}")
    else:
        counts = ", ".join(_counted(count, name) for name, count in more["found"].items())
        print(f"{plant}: clean{version} ({counts})")


def _counted(count: int, name: str) -> str:
    """Such as `2 rule files`."""
    words = name.replace("_", " ")
    return f"{count} {words.removesuffix('s') if count == 1 else words}"


def _print_comparison(compared: Compared) -> None:
    table = Table("", "named here", "as in Odoo", "not", box=SIMPLE, pad_edge=False)
    for line in compared.comparison.lines:
        table.add_row(line.kind, str(line.named), str(line.fitting), str(line.named - line.fitting or ""))
    if table.row_count:
        Console().print(table)
    _print_notes(compared.comparison.notes)


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"note: {note}")


def _notes(plant: Plant) -> list[str]:
    """What is not wrong, but may be a mistake."""
    text = (plant.folder / CODES_FILE).read_text(encoding="utf-8-sig")
    notes = (*unused_tables(CODES_FILE, text, plant.rule_files.values()), *unused_templates(plant.rule_files))
    return [*map(str, notes), *_console_notes(plant)]


def _console_notes(plant: Plant) -> list[str]:
    """Files that make a log-in possible may be made later, or on another machine."""
    console = plant.settings.console
    file = console.password_file if console is not None else None
    if file is None or file.is_file():
        return []
    return [f"console: {file} is not there, so nobody can log in by password; `uns-bridge console hash --out {file}`"]


def _online(compared: Compared | None) -> dict[str, Any]:
    if compared is None:
        return {}
    kinds = {
        line.kind.replace(" ", "_"): {"named": line.named, "fitting": line.fitting}
        for line in compared.comparison.lines
    }
    return {"online": {"version": compared.version, "compared": kinds, "notes": list(compared.comparison.notes)}}


def _found(plant: Plant) -> dict[str, int]:
    """What there is, so that somebody who forgot half of the plant sees it."""
    equipment = plant.assets.equipment.values()
    return {
        "equipment": len(equipment),
        "signals": sum(len(each.signals) for each in equipment),
        "code_tables": len(plant.assets.codes),
        "workflows": len(plant.workflows),
        "rule_files": len(plant.rule_files),
    }


def _as_json(problem: Problem) -> dict[str, str | int]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "text": problem.text}
