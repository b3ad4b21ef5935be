"""What commands outside the running bridge share: opening a plant's store and asking it, who acts, JSON."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import typer

from bridge.commands.exit import UNREACHABLE, WRONG, fail
from bridge.errors import ConfigError
from bridge.lifecycle.live import load_live
from bridge.plant import Plant
from state.errors import StateError
from state.store import Store

Answer = TypeVar("Answer")

POLL_S: Final = 0.1
"""Pause between two looks at what another process does."""

PlantOption = Annotated[
    Path, typer.Option("--plant", "-p", envvar="UNS_BRIDGE_PLANT", help="The plant folder.", show_envvar=True)
]
ByOption = Annotated[str, typer.Option("--by", help="Who; the login name by default.")]
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
    from bridge.wiring import open_store  # most commands that are loaded with this ask no store

    plant = load_live(folder)
    store = open_store(plant)
    try:
        return await question(plant, store)
    finally:
        await store.close()


async def answered(look: Callable[[], Awaitable[Answer | None]], within_s: float) -> Answer | None:
    """What `look` finds in the store as soon as another process has put it there; None where that takes too long."""
    try:
        async with asyncio.timeout(within_s):
            while (answer := await look()) is None:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return None
    return answer


def login() -> str:
    """The name of who acts, where `--by` does not say it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        fail("this login has no name; say who acts with --by NAME", WRONG)


def print_json(data: object) -> None:
    """JSON as `--json` has it."""
    print(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())
