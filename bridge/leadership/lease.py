"""The site's lease in the hands of this run: how it is taken, kept, asked about before something is done, given back.

The store alone decides, by its own clock: no clock of ours is asked, so that neither a clock that jumps nor a process
that was paused believes in a lease that is another's.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Final, TypeVar
from uuid import uuid4

import structlog

from bridge.console.standby import standing_by
from bridge.plant import Plant
from bridge.wiring import Outside
from state.errors import Fenced, StoreUnavailable
from state.store import Lease, Store

LOOK_EVERY_S: Final = 0.25
"""How often a standby looks whether the lease is free: little beside a lease, and nothing for a store."""

Result = TypeVar("Result")

log = structlog.get_logger()


class Leadership:
    """The lease of one run."""

    def __init__(self, store: Store, lease: Lease, site: str) -> None:
        self.lease: Final = lease
        self._store = store
        self._site = site

    async def keep(self) -> None:
        """Renew until cancelled. Raises `Fenced` when it is another's. A silent store is asked again: meanwhile the
        check of every commit keeps a successor safe from us. Its silence is said once."""
        is_silent = False
        while True:
            await asyncio.sleep(self.lease.ttl_ms / 3000)
            try:
                await self._renew()
                is_silent = False
            except StoreUnavailable as error:
                if not is_silent:
                    log.warning("lease.not_renewed", reason=str(error))
                is_silent = True

    async def while_kept(self, work: Coroutine[object, object, Result]) -> Result:
        """Do this while the lease is renewed beside it. Raises a group: of `Fenced` when it was lost meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self.keep(), name="lease")
            result = await work
            keeping.cancel()
        return result

    async def is_ours(self) -> bool:
        """Ask the store now; False also where it does not answer."""
        try:
            return await self._store.renew(self.lease)
        except StoreUnavailable:
            return False

    async def confirm(self) -> None:
        """Return when the store says that it is ours: what is done next is the leader's. Raises `Fenced`."""
        while True:
            with suppress(StoreUnavailable):
                return await self._renew()
            await asyncio.sleep(LOOK_EVERY_S)

    async def give_back(self) -> None:
        """Let a successor in at once."""
        try:
            await self._store.release(self.lease)
        except StoreUnavailable as error:
            log.warning("lease.not_released", reason=str(error), effect="a successor waits until it has run out")

    async def _renew(self) -> None:
        if not await self._store.renew(self.lease):
            raise Fenced(f"another bridge took over the site {self._site}")


async def lead(plant: Plant, outside: Outside, stop: asyncio.Event) -> Leadership | None:
    """The lease, as soon as no other bridge has it; None when told to stop before.

    Raises `StoreUnavailable` where the store does not answer at first; a bridge that stands by outlasts that.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    store, site, lease_ms = outside.store, plant.assets.path, plant.settings.redis.lease_ms
    lease = await store.acquire(holder, lease_ms)
    if lease is None:
        log.info("lease.held_by_another", site=site)
        async with standing_by(plant, outside):
            lease = await _stand_by(store, holder, lease_ms, stop)
    return None if lease is None else Leadership(store, lease, site)


async def _stand_by(store: Store, holder: str, lease_ms: int, stop: asyncio.Event) -> Lease | None:
    """After the store was away its leader comes first, for the time of a lease: nobody could renew meanwhile, and the
    leader still has what a store that failed over may lack."""
    is_away, pause_s = False, LOOK_EVERY_S
    while not await _is_set(stop, within_s=pause_s):
        try:
            if is_away:
                await store.leader()
                is_away, pause_s = False, lease_ms / 1000
                continue
            pause_s = LOOK_EVERY_S
            if lease := await store.acquire(holder, lease_ms):
                return lease
        except StoreUnavailable as error:
            if not is_away:
                log.warning("lease.not_seen", reason=str(error), effect="this bridge goes on standing by")
            is_away, pause_s = True, LOOK_EVERY_S
    return None


async def _is_set(stop: asyncio.Event, *, within_s: float) -> bool:
    """Whether the event is set, as soon as it is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await stop.wait()
    return stop.is_set()
