"""How often and by how many at once a server is called. Deliveries go first, what only reads ahead gives way.

And how long it is left alone after a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Final

from aiolimiter import AsyncLimiter

from odoo_adapter.errors import KeyRefused, OdooError, Unavailable

_WEIGHTS: Final = {False: 0.999, True: 1.0}
"""The limiter lets the lightest of those that wait go first; a thousandth counts for nothing else."""

PATIENCE_S: Final = 10.0
"""Who gives way waits no longer than this for one call: orders are read also while much is posted."""

KEY_LOOK_S: Final = 1.0
"""How often is looked whether a key that was refused has been replaced: it is a file that a person writes."""

_gives_way: ContextVar[bool] = ContextVar("gives_way", default=False)


@contextmanager
def giving_way() -> Iterator[None]:
    """All calls made inside wait for those that do not give way."""
    token = _gives_way.set(True)
    try:
        yield
    finally:
        _gives_way.reset(token)


class Pace:
    """One per server. `per_second` None: as often as the server answers."""

    def __init__(self, per_second: float | None, at_once: int, *, patience_s: float = PATIENCE_S) -> None:
        self._rate = None if per_second is None else AsyncLimiter(1, 1 / per_second)
        self._places = asyncio.Semaphore(at_once)
        self._patience_s = patience_s

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a call's turn, and hold its place while it lasts."""
        if self._rate is not None:
            await self._wait_for(self._rate)
        async with self._places:
            yield

    async def _wait_for(self, rate: AsyncLimiter) -> None:
        if not _gives_way.get():
            return await rate.acquire(_WEIGHTS[False])
        try:
            async with asyncio.timeout(self._patience_s):
                await rate.acquire(_WEIGHTS[True])
        except TimeoutError:
            await rate.acquire(_WEIGHTS[False])


async def leave_alone(failure: OdooError, usual_s: float = 0.0, *, look_every_s: float = KEY_LOOK_S) -> None:
    """Wait as long as the failure asks for, `usual_s` at the least. Where an API key was refused, only until there is
    another one."""
    asked_ms = failure.retry_after_ms if isinstance(failure, Unavailable) else None
    longest_s = max(usual_s, (asked_ms or 0) / 1000)
    if not isinstance(failure, KeyRefused):
        await asyncio.sleep(longest_s)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            while not failure.is_replaced():  # noqa: ASYNC110 - what changes is a file
                await asyncio.sleep(look_every_s)
