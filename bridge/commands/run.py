"""`uns-bridge run PLANT`: the bridge in the foreground, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, UNREACHABLE, WRONG, fail
from bridge.errors import ConfigError, NotDurable
from bridge.log import configure_logging
from bridge.plant import Plant, load_plant
from bridge.service import Service
from bridge.wiring import Outside, open_odoo, open_store
from state.errors import StateError, StoreUnavailable


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    debug: Annotated[bool, typer.Option("--debug", help="Log details too.")] = False,
) -> None:
    """Run the bridge on a plant folder until SIGTERM or Ctrl-C."""
    configure_logging(debug=debug)
    try:
        asyncio.run(_run(load_plant(plant)))
    except (ConfigError, NotDurable) as error:
        fail(error, WRONG)
    except StoreUnavailable as error:
        fail(f"{error}\nstart Redis, or mend redis.url in {plant}/bridge.yaml", UNREACHABLE)
    except StateError as error:
        fail(error, FAILED)


async def _run(plant: Plant) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stopping in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stopping, stop.set)
    outside = Outside(store=open_store(plant), odoo=open_odoo(plant), link=PahoLink, clock=SystemClock())
    try:
        await Service(plant, outside).run(stop)
    except* StateError as group:
        raise _first(group) from None
    finally:
        await outside.odoo.close()
        await outside.store.close()


def _first(group: BaseExceptionGroup[StateError]) -> StateError:
    """The error that ended the service: others of the group are its consequence."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
