"""What is around the bridge and not fit to work on: looked at before a start, refused with a sentence, or accepted.

What a plant accepts with a setting is in the log at each start, on the console's first page and in `uns-bridge doctor`.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bridge.doctor.clock import WARN_MS, Reading, ahead_ms, told_difference
from bridge.errors import NotDurable, StartRefused
from bridge.plant import Plant
from bridge.wiring import Outside
from odoo_adapter.errors import OdooError, Refused

ODOO_LIMIT_S: Final = 2.0
"""How long a start waits for Odoo. One that is away is no reason not to follow the plant."""
UNKNOWN_VERSION: Final = "version"
"""The code of a `Refused` by which an Odoo is of no version that the bridge knows."""

log = structlog.get_logger()


async def refuse_unfit(plant: Plant, outside: Outside) -> None:
    """Raises `StartRefused`, and `StoreUnavailable` where the store does not answer."""
    await _refuse_weak_store(plant, outside)
    await _refuse_clock(plant, outside)
    await _refuse_unknown_odoo(outside)


async def _refuse_weak_store(plant: Plant, outside: Outside) -> None:
    weaknesses = await outside.store.weaknesses()
    for weakness in weaknesses:
        log.warning("store.weak", weakness=weakness)
    if weaknesses and not plant.settings.redis.accept_weak_durability:
        raise NotDurable(tuple(weaknesses))


async def _refuse_clock(plant: Plant, outside: Outside) -> None:
    """The store's clock is the one that other bridges of the site see too."""
    off_ms = await clock_ahead_ms(outside)
    if abs(off_ms) > plant.settings.limits.clock_off_ms:
        raise StartRefused(
            f"the store's {told_difference(off_ms)}: stops, shifts and lots would stand at the wrong time; let both "
            "machines take their time from the same source (chrony, systemd-timesyncd), or accept more with "
            "`limits: {clock_off: ...}` in bridge.yaml"
        )
    if abs(off_ms) > WARN_MS:
        log.warning("clock.off", ahead_ms=off_ms, of="the store")


async def clock_ahead_ms(outside: Outside) -> int:
    """By how much the store's clock is surely ahead of ours (below 0: behind)."""
    if outside.store_clock is None:
        return 0
    asked_ms = outside.clock.now_ms()
    told_ms = await outside.store_clock()
    return ahead_ms(Reading(asked_ms=asked_ms, answered_ms=outside.clock.now_ms(), told_ms=told_ms))


async def _refuse_unknown_odoo(outside: Outside) -> None:
    """Only what Odoo says of its version: everything else can be mended while the bridge runs."""
    try:
        async with asyncio.timeout(ODOO_LIMIT_S):
            await outside.odoo.check()
    except Refused as error:
        if error.code == UNKNOWN_VERSION:
            text = f"{error.reason}; run a version of the bridge that knows it, or name another Odoo in odoo.url"
            raise StartRefused(text) from error
    except (OdooError, TimeoutError):
        pass
