"""Whether the bridge lives, and whether it can take: for what looks on without a log-in. It tells nothing of the plant.

A bridge that cannot take is not started again for that: it comes back by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

HEALTH: Final = "/health/"
LIVE: Final = f"{HEALTH}live"
READY: Final = f"{HEALTH}ready"


def health(role: str, in_the_way: Callable[[], str] = str) -> list[web.RouteDef]:
    """The pages of a bridge with this role. `in_the_way` says why it cannot take, "" where it can."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"role": role})

    async def ready(_: web.Request) -> web.Response:
        if reason := in_the_way():
            return web.json_response({"role": role, "reason": reason}, status=503)
        return web.json_response({"role": role})

    return [web.get(LIVE, live), web.get(READY, ready)]
