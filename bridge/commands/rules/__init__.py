"""`uns-bridge rules`: the rules of a plant folder, and their tests."""

from __future__ import annotations

import typer

from bridge.commands.rules import explain, listing, test
from bridge.lifecycle import command as lifecycle

app = typer.Typer(help="The rules of a plant: list, test, explain, and the life of their versions.", no_args_is_help=True)
app.command("list")(listing.command)
app.command("test")(test.command)
app.command("explain")(explain.command)
lifecycle.add_to(app)
