"""`uns-bridge`: the commands. Each is a module of `bridge.commands`, or one beside what it is made of; this file only
names them. A command's module, and all that it needs, is imported when the command is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": (
        "bridge.commands.demo:command",
        "Run a simulated plant, the bridge and an Odoo, and compare what happened with what was posted.",
    ),
    "run": (
        "bridge.commands.run:command",
        "Run the bridge on a plant folder until SIGTERM or Ctrl-C; another one, a second later, ends it at once.",
    ),
    "check": (
        "bridge.commands.check:command",
        "Check everything in the plant folder; exit 0 clean, 2 problems; 1 Odoo declines to be asked, 3 it cannot be.",
    ),
    "doctor": (
        "bridge.doctor.command:command",
        "Say what is wrong around the bridge. Exit 0 ok, 1 something is wrong, 2 the folder, 3 unreachable.",
    ),
    "rules": (
        "bridge.commands.rules:app",
        "The rules of a plant: list, test, explain, backtest, ready ones, and the life of their versions.",
    ),
    "people": (
        "bridge.lifecycle.people_command:app",
        "Who may change the rules: list, add, secret, remove.",
    ),
    "simulate": (
        "bridge.commands.simulate:command",
        "Run a simulated plant against a broker. It makes the orders that the bridge releases there.",
    ),
    "record": (
        "bridge.recording.commands.record:command",
        "Record the traffic of a plant's brokers without running the bridge. Nothing is published.",
    ),
    "replay": (
        "bridge.recording.commands.replay:command",
        "Publish recorded messages to a broker, in their order and at their pace.",
    ),
    "rerun": (
        "bridge.recording.commands.rerun:command",
        "Run a recording through the rules of a plant folder, in memory, and print what would be posted.",
    ),
    "decode": ("bridge.commands.decode:command", "Print one payload; exit 1 when something is wrong with it."),
    "outbox": (
        "bridge.commands.outbox:app",
        "Entries of the outbox: list, causes, show, replay, correct, skip, release.",
    ),
    "orders": ("bridge.commands.orders:app", "Order releases and their acknowledgement: list, show."),
    "nodes": (
        "bridge.commands.nodes:command",
        "List edge nodes with their state, their devices and what is done against the standard, also by no node.",
    ),
    "send": ("bridge.commands.send:app", "Commands to edge nodes and devices: rebirth, write."),
    "odoo": ("bridge.commands.odoo:app", "The inbox in Odoo and the integration user's rights."),
    "console": ("bridge.commands.console:app", "The operator's console."),
    "audit": ("bridge.commands.audit:app", "The log of what people did: verify."),
}
"""By name: where the command is (a function, or the app of a group), and how its own help begins."""


class _Command(TyperCommand):
    """Stands for a command until it is used: then the real one is imported, and does all but its line in the help."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return load(str(self.name)).make_context(info_name, args, parent, **extra)


class _Commands(TyperGroup):
    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {name: _Command(name, help=help) for name, (_, help) in COMMANDS.items()}


app = typer.Typer(
    name="uns-bridge",
    cls=_Commands,
    help="A Unified Namespace bridge: from Sparkplug and MQTT to Odoo, exactly once, and orders back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def uns_bridge() -> None:
    """All commands are those of `_Commands`."""


def load(name: str) -> Any:
    """Import a command, as Typer makes it below a group."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(module), attribute)
    group = typer.Typer(callback=uns_bridge, add_completion=False)
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=name)
    else:
        group.command(name)(found)
    made = typer.main.get_command(group)
    assert isinstance(made, TyperGroup)
    return made.commands[name]


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
