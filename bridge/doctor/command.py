"""`uns-bridge doctor PLANT [--json]`: what is wrong with broker, Redis, Odoo, rights, clocks and disk, and the mend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, OK, UNREACHABLE, WRONG, fail
from bridge.doctor.examination import examine
from bridge.doctor.finding import Finding, Level
from bridge.errors import ConfigError
from bridge.lifecycle.live import load_live


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Say what is wrong around the bridge. Exit 0 ok, 1 something is wrong, 2 the folder, 3 unreachable."""
    try:
        findings = asyncio.run(examine(load_live(plant), SystemClock()))
    except ConfigError as error:
        fail(error, WRONG)
    typer.echo(as_json(findings) if json_output else as_lines(findings))
    raise typer.Exit(exit_code(findings))


def exit_code(findings: Iterable[Finding]) -> int:
    """3 where something could not be reached, else 1 where something is wrong, else 0."""
    found = tuple(findings)
    if any(finding.unreachable for finding in found):
        return UNREACHABLE
    return FAILED if any(finding.level is Level.WRONG for finding in found) else OK


def as_lines(findings: Sequence[Finding]) -> str:
    """One line each, and a last one that counts."""
    return "\n".join([*(str(finding) for finding in findings), _summary(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    """All of them as one object."""
    return json.dumps({"ok": exit_code(findings) == OK, "findings": [asdict(one) for one in findings]}, indent=2)


def _summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    warnings = f"{counts[Level.WARNING]} warning{'s' * (counts[Level.WARNING] != 1)}"
    return f"{len(findings)} checks: {counts[Level.OK]} ok, {warnings}, {counts[Level.WRONG]} wrong"
