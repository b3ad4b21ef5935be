"""`uns-bridge rules`: the rules of a plant folder, their tests, and the life of their versions.

`list` and `test` need files only, and are run often: what looks into the store is imported when it is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from bridge.commands.rules import listing, pack, test


class _Rules(TyperGroup):
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or _with_store().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_with_store().list_commands(ctx)]


@cache
def _with_store() -> TyperGroup:
    """The commands that look into the store."""
    group = typer.Typer()
    group.command("explain")(import_module("bridge.commands.rules.explain").command)
    group.command("backtest")(import_module("bridge.commands.rules.backtest").command)
    import_module("bridge.lifecycle.command").add_to(group)
    made = typer.main.get_command(group)
    assert isinstance(made, TyperGroup)
    return made


app = typer.Typer(
    cls=_Rules,
    help="The rules of a plant: list, test, explain, backtest, ready ones, and the life of their versions.",
    no_args_is_help=True,
)
app.command("list")(listing.command)
app.command("test")(test.command)
app.add_typer(pack.app, name="pack")
