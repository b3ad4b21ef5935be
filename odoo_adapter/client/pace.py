"""How often and by how many at once a server is called. Deliveries go first, what only reads ahead gives way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final

from aiolimiter import AsyncLimiter

_WEIGHTS: Final = {False: 0.999, True: 1.0}
"""The limiter lets the lightest of those that wait go first; a thousandth counts for nothing else."""

PATIENCE_S: Final = 10.0
"""Who gives way waits no longer than this for one call: orders are read also while much is posted."""

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
