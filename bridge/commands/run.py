"""`uns-bridge run PLANT`: the bridge in the foreground, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer

from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, TAKEN_OVER, UNREACHABLE, WRONG, fail
from bridge.doctor.clock import ServerClock, from_odoo
from bridge.errors import ConfigError, PartFailed, SecretMissing, StartRefused
from bridge.lifecycle.live import load_live
from bridge.log import configure_logging
from bridge.master.source import OdooMaster
from bridge.plant import Plant
from bridge.service import Service
from bridge.wiring import Outside, odoo_connection, open_odoo, open_store
from odoo_adapter.client.api import OdooApi
from odoo_adapter.rights import read_clock
from state.errors import Fenced, StateError, StoreUnavailable

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)
SAME_STOP_S: Final = 1.0
"""Signals so close to each other are one stop, told more than once: by Linux for each thread of a parent that died, by
a terminal to a whole group and by a wrapper that hands on what it got."""

log = structlog.get_logger()


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    debug: Annotated[bool, typer.Option("--debug", help="Log details too.")] = False,
) -> None:
    """Run the bridge on a plant folder until SIGTERM or Ctrl-C; another one, a second later, ends it at once."""
    configure_logging(debug=debug)
    try:
        asyncio.run(_run(load_live(plant)))
    except (ConfigError, SecretMissing, StartRefused) as error:
        fail(error, WRONG)
    except StoreUnavailable as error:
        fail(f"{error}\nstart Redis, or mend redis.url in {plant}/bridge.yaml", UNREACHABLE)
    except Fenced as error:
        fail(error, TAKEN_OVER)
    except StateError as error:
        fail(error, FAILED)
    except PartFailed as error:
        log.error("bridge.failed", part=error.part, reason=str(error), exc_info=error.__cause__)
        fail(error, FAILED)


async def _run(plant: Plant) -> None:
    stop = asyncio.Event()
    stop_on_signal(stop)
    if plant.settings.odoo.is_unverified:
        log.warning("odoo.unverified", url=plant.settings.odoo.url, effect="anybody on the way can take the key")
    outside = open_outside(plant)
    try:
        await Service(plant, outside).run(stop)
    finally:
        await outside.odoo.close()
        await outside.store.close()


def open_outside(plant: Plant) -> Outside:
    """The real world of a plant. All that is asked of Odoo goes over one connection."""
    api = OdooApi(odoo_connection(plant))
    store = open_store(plant)
    return Outside(
        store=store,
        odoo=open_odoo(plant, api),
        link=PahoLink,
        clock=SystemClock(),
        store_clock=ServerClock(of="the store", tell=store.clock_ms),
        odoo_clock=ServerClock(of="Odoo", tell=partial(_odoo_clock, api), step_ms=1000),
        master=partial(OdooMaster, plant, api) if plant.settings.master_data else None,
    )


async def _odoo_clock(odoo: OdooApi) -> int:
    return from_odoo(await read_clock(odoo))


def stop_on_signal(stop: asyncio.Event, *, same_s: float = SAME_STOP_S) -> None:
    """The first signal stops in stages. One that comes `same_s` later, or after that, kills as a crash would: it is for
    people who cannot wait."""
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if not stop.is_set():
            log.info("bridge.stopping")
            stop.set()
            loop.call_later(same_s, kill_from_now_on)

    def kill_from_now_on() -> None:
        for each in STOPPING:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for each in STOPPING:
        loop.add_signal_handler(each, begin)
