"""What commands outside the running bridge share: opening a plant's store, and asking it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bridge.commands.exit import UNREACHABLE, WRONG, fail
from bridge.errors import ConfigError
from bridge.plant import Plant, load_plant
from bridge.wiring import open_store
from state.errors import StateError
from state.store import Store

Answer = TypeVar("Answer")

PlantOption = Annotated[
    Path, typer.Option("--plant", "-p", envvar="UNS_BRIDGE_PLANT", help="The plant folder.", show_envvar=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def ask(folder: Path, question: Callable[[Plant, Store], Awaitable[Answer]]) -> Answer:
    """Ask the store of a plant folder. Ends the command with a sentence when that is not possible."""
    try:
        return asyncio.run(_ask(folder, question))
    except ConfigError as error:
        fail(error, WRONG)
    except StateError as error:
        fail(error, UNREACHABLE)


async def _ask(folder: Path, question: Callable[[Plant, Store], Awaitable[Answer]]) -> Answer:
    plant = load_plant(folder)
    store = open_store(plant)
    try:
        return await question(plant, store)
    finally:
        await store.close()
