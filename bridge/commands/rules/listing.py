"""`uns-bridge rules list PLANT`: the rules of a plant folder, with the version that their postings name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import WRONG, fail
from bridge.errors import ConfigError
from bridge.plant import load_plant
from bridge.rule_tests.folder import load_tests


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """List the rules: form, version, place, at how much equipment each is at work, and how many tests it has."""
    try:
        loaded = load_plant(plant)
        tests = load_tests(loaded)
    except ConfigError as error:
        fail(error, WRONG)
    rows = [
        {
            "rule": rule.name,
            "form": rule.form,
            "version": rule.version,
            "file": rule.file,
            "line": rule.line,
            "equipment": list(rule.equipment),
            "tests": sum(rule.name in test.rules for test in tests),
        }
        for rule in loaded.rules.rules
    ]
    if json_output:
        print(json.dumps(rows, indent=2))
        return
    from rich.console import Console  # `rules test`, which is loaded with this, does without
    from rich.table import Table

    table = Table("rule", "form", "version", "place", "equipment", "tests")
    for rule in loaded.rules.rules:
        count = sum(rule.name in test.rules for test in tests)
        place, equipment = f"{rule.file}:{rule.line}", str(len(rule.equipment))
        table.add_row(rule.name, rule.form, rule.version, place, equipment, str(count))
    Console().print(table)
