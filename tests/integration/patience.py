"""Waiting for the real thing: ask again and again until it holds, and say what did not when time is up."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

LOOK_EVERY_S = 0.05


async def until(holds: Callable[[], bool | Awaitable[bool]], what: Callable[[], str] | str, limit_s: float) -> None:
    """Return when `holds` does. Raises `AssertionError` with `what` after `limit_s`."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + limit_s
    while True:
        answer = holds()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        if loop.time() > ends_s:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {limit_s:g} s: {text}")
        await asyncio.sleep(LOOK_EVERY_S)
