"""`uns-bridge check PLANT [--json]`: read the whole plant folder and tell everything that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.errors import ConfigError
from bridge.plant import Plant, load_plant
from ruleset.problem import Problem

EXIT_CLEAN = 0
EXIT_PROBLEMS = 2


def check(plant: Path, json_output: bool) -> int:
    """Print one line per problem, or one JSON object. Returns the exit code: 0 clean, 2 problems."""
    try:
        loaded = load_plant(plant)
    except ConfigError as error:
        if json_output:
            print(json.dumps({"clean": False, "problems": [_as_json(problem) for problem in error.problems]}, indent=2))
        else:
            for problem in error.problems:
                print(problem)
            count = len(error.problems)
            print(f"{plant}: {count} problem{'s' if count > 1 else ''}")
        return EXIT_PROBLEMS
    if json_output:
        print(json.dumps({"clean": True, "problems": [], "found": _found(loaded)}, indent=2))
    else:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in _found(loaded).items())
        print(f"{plant}: clean ({counts})")
    return EXIT_CLEAN


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Check everything in the plant folder; exit 0 clean, 2 problems."""
    raise typer.Exit(check(plant, json_output))


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
