"""Server-sent events: a page is told that something changed, and fetches itself anew."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import msgspec
from aiohttp import web

from bridge.console.app import COOKIE, DESK, Desk

PAUSE_S: Final = 1.0
"""Between two events at least, so that a busy plant does not keep browsers busy."""
PAUSE_FULL_S: Final = 5.0
"""The same while many entries wait, when a page is more work for the bridge."""
MANY: Final = 5_000
BEAT_S: Final = 5.0
"""At least so often an event comes, so that ages go on and a page notices when the bridge is gone."""
MOST_STREAMS: Final = 50


class Streams:
    """The open event streams."""

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._open = 0

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Tell of changes until the page goes away, or its session ends."""
        if self._open >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(text="too many pages are open")
        headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}  # a proxy must not keep them back
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        self._open += 1
        try:
            with suppress(ConnectionResetError):
                await self._tell(request, response)
        finally:
            self._open -= 1
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        desk = request.app[DESK]
        while desk.sessions.find(request.cookies.get(COOKIE, ""), desk.inside.now_ms) is not None:
            change = desk.inside.watch.change
            await response.write(_event(desk))
            is_much = sum(desk.inside.core.outbox.depth().values()) > MANY
            await asyncio.sleep(PAUSE_FULL_S if is_much else self._pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await change.wait()


def _event(desk: Desk) -> bytes:
    data = msgspec.json.encode({"commit": desk.inside.watch.store.number})
    return b"event: changed\ndata: " + data + b"\n\n"
