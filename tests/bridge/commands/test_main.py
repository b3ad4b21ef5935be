"""`uns-bridge --help` lists what exists."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from bridge.__main__ import COMMANDS, app, load

HEAVY = {"aiohttp", "pint", "redis", "structlog", "google", "cel_expr_python", "ruamel", "jinja2"}
"""What commands need and `--help` does not: together they take more than a second to import."""


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    return result.stdout


def test_the_help_lists_every_command() -> None:
    listed = set(re.findall(r"^\W+(\w+)\s", help_of(), re.M))
    assert listed >= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_each_command_what_its_own_help_begins_with(name: str) -> None:
    assert load(name).help.partition("\n\n")[0] == COMMANDS[name][1]


def test_the_help_imports_no_command() -> None:
    ask = "import sys, typer.testing, bridge.__main__ as m\n"
    ask += "assert typer.testing.CliRunner().invoke(m.app, ['--help']).exit_code == 0\n"
    ask += "print(*{name.partition('.')[0] for name in sys.modules})"
    imported = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert {"bridge", "typer"} <= set(imported)
    assert HEAVY & set(imported) == set()


def test_the_tests_of_rules_import_nothing_that_only_a_broker_or_a_report_needs() -> None:
    ask = "import sys, bridge.commands.rules.test, bridge.settings\n"
    ask += "print(*({'google.protobuf', 'paho', 'redis', 'xml.etree'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout == "\n"


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
