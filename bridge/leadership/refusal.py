"""What is around the bridge and not fit to work on: looked at before a start, refused with a sentence, or accepted.

What a plant accepts with a setting is in the log at each start, on the console's first page and in `uns-bridge doctor`.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bridge.doctor.clock import ServerClock, told_difference
from bridge.errors import NotDurable, StartRefused
from bridge.plant import Plant
from bridge.wiring import Outside
from odoo_adapter.errors import OdooError, Refused
from odoo_adapter.versions import is_known, nearest
from state.errors import WrongServer

ODOO_LIMIT_S: Final = 2.0
"""How long a start waits for Odoo. One that is away is no reason not to follow the plant."""
UNKNOWN_VERSION: Final = "version"
"""The code of a `Refused` by which an Odoo is of no version that the bridge knows."""

ACCEPT_UNKNOWN: Final = "accept_unknown_version"

log = structlog.get_logger()


async def refuse_unfit(plant: Plant, outside: Outside) -> None:
    """Raises `StartRefused`, and `StoreUnavailable` where the store does not answer."""
    await _refuse_weak_store(plant, outside)
    if outside.store_clock is not None:  # other bridges of the site see it too
        await _refuse_clock(plant, outside, outside.store_clock)
    await _refuse_unfit_odoo(plant, outside)


async def _refuse_weak_store(plant: Plant, outside: Outside) -> None:
    try:
        weaknesses = await outside.store.weaknesses()
    except WrongServer as error:
        raise StartRefused(f"redis.url: {error}") from error
    for weakness in weaknesses:
        log.warning("store.weak", weakness=weakness)
    if weaknesses and not plant.settings.redis.accept_weak_durability:
        raise NotDurable(tuple(weaknesses))


async def _refuse_clock(plant: Plant, outside: Outside, server: ServerClock) -> None:
    """What is accepted is told by `ClockWatch`, from the first moment on."""
    off_ms = await server.ahead_ms(outside.clock)
    if abs(off_ms) > plant.settings.limits.clock_off_ms:
        raise StartRefused(
            f"{server.of}'s {told_difference(off_ms)}: stops, shifts and lots would stand at the wrong time; let both "
            "machines take their time from the same source (chrony, systemd-timesyncd), or accept more with "
            "`limits: {clock_off: ...}` in bridge.yaml"
        )


async def _refuse_unfit_odoo(plant: Plant, outside: Outside) -> None:
    """Its version, and its clock: everything else can be mended while the bridge runs."""
    try:
        async with asyncio.timeout(ODOO_LIMIT_S):
            await _refuse_unknown_version(plant, outside)
            if outside.odoo_clock is not None:
                await _refuse_clock(plant, outside, outside.odoo_clock)
    except (OdooError, TimeoutError):
        pass


async def _refuse_unknown_version(plant: Plant, outside: Outside) -> None:
    """What else the check declines, such as a missing inbox, hides no clock that is off. Raises `OdooError`."""
    try:
        info = await outside.odoo.check()
    except Refused as error:
        if error.code == UNKNOWN_VERSION:
            raise StartRefused(
                f"{error.reason}; run a version of the bridge that knows it, name another Odoo in odoo.url, or accept "
                f"it untried, called as the nearest older one, with `odoo: {{{ACCEPT_UNKNOWN}: true}}` in bridge.yaml"
            ) from error
        return
    if plant.settings.odoo.accept_unknown_version and not is_known(info.version):
        called_as = nearest(info.version)
        log.warning(
            "odoo.unknown_version", version=info.version, called_as=called_as, accepted_by=f"odoo.{ACCEPT_UNKNOWN}"
        )
