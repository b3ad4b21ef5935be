"""`uns-bridge --help` lists what exists."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from bridge.__main__ import app

COMMANDS = {"demo", "run", "check", "doctor", "simulate", "decode", "nodes"} | {
    "send",
    "outbox",
    "orders",
    "odoo",
    "audit",
    "rules",
}


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    return result.stdout


def test_the_help_lists_every_command() -> None:
    listed = set(re.findall(r"^\W+(\w+)\s", help_of(), re.M))
    assert listed >= COMMANDS


@pytest.mark.parametrize(
    ("group", "commands"),
    [
        ("outbox", {"list", "show", "replay", "skip", "release"}),
        ("orders", {"list", "show"}),
        ("odoo", {"install", "uninstall", "check"}),
        ("send", {"rebirth", "write"}),
        ("audit", {"verify"}),
        ("rules", {"list", "test"}),
    ],
)
def test_the_help_of_a_group_lists_its_commands(group: str, commands: set[str]) -> None:
    assert set(re.findall(r"^\W+(\w+)\s", help_of(group), re.M)) >= commands


def test_an_unknown_command_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["rnu"]).exit_code == 2
