"""`uns-bridge rules explain`: why something was posted, refused or alerted; or why a rule did not post."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.exit import WRONG, fail

PlantOption = Annotated[
    Path | None, typer.Option("--plant", "-p", envvar="UNS_BRIDGE_PLANT", help="The plant folder.", show_envvar=True)
]


def command(
    key: Annotated[str | None, typer.Argument(help="The key of a posting, or how it alone begins.")] = None,
    folder: Annotated[Path | None, typer.Argument(metavar="[PLANT]", help="The plant folder.")] = None,
    plant: PlantOption = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Instead of a key: a rule.")] = None,
    asset: Annotated[str | None, typer.Option("--asset", help="The equipment at which it looked.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of sentences.")] = False,
) -> None:
    """Say why something was posted, refused or alerted; with --rule and --asset what a rule saw when it last looked."""
    from bridge.commands.rules.explanation import explain_key, explain_looks  # `rules test` does without the store

    place = folder or plant
    if place is None:
        fail("name the plant folder: `uns-bridge rules explain KEY PLANT`, or --plant", WRONG)
    if rule is not None and asset is not None and key is None:
        explain_looks(place, rule, asset, json_output)
    elif key is not None and rule is None and asset is None:
        explain_key(place, key, json_output)
    else:
        fail("give the key of a posting, or --rule and --asset together", WRONG)
