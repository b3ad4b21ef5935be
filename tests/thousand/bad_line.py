"""A line to Odoo on which calls are lost, answers are torn, and proxies show their own pages, by a seeded chance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import aiohttp
from aiohttp import web

LOST_BEFORE, LOST_MEANWHILE, LOST_AFTER, TORN = "request lost", "left while it works", "answer lost", "answer torn"
GATEWAY, BUSY, LATE = "502 after it was done", "503", "late"
FAULTS: Final = (LOST_BEFORE, LOST_MEANWHILE, LOST_AFTER, TORN, GATEWAY, BUSY, LATE)
LATEST_S: Final = 0.3
BATCH: Final = b'"tx":['
"""In a call of the inbox that carries transactions."""
SHARE_OF_BATCHES: Final = 0.3
SHARE: Final = 0.015
"""Of all other calls: looking first takes up to thirty for one posting, and so does the check of the user's rights."""
_KEPT: Final = ("Authorization", "Content-Type", "X-Odoo-Database", "User-Agent")


class BadLine:
    """Leads calls to `target`. Some meet a fault, each kind as often; `injected` counts them."""

    def __init__(self, target: str, chance: Random) -> None:
        self._target = target.rstrip("/")
        self._chance = chance
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._left: set[asyncio.Task[tuple[int, bytes]]] = set()
        self.injected: Counter[str] = Counter()
        self.url = ""

    async def close(self) -> None:
        """End the line, once what was left alone at the server is over."""
        await asyncio.gather(*self._left, return_exceptions=True)
        await self._session.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Lead one call there and back, or do to it what the chance says."""
        body = await request.read()
        fault = self._draw(SHARE_OF_BATCHES if BATCH in body else SHARE)
        if fault == LATE:
            await asyncio.sleep(self._chance.random() * LATEST_S)
        if fault == BUSY:
            return web.Response(status=503, text="<h1>Service Unavailable</h1>")
        if fault == LOST_BEFORE:
            return _cut(request)
        sent = asyncio.create_task(self._forward(request, body), name="line-forward")
        self._left.add(sent)
        sent.add_done_callback(self._left.discard)
        if fault == LOST_MEANWHILE:
            return _cut(request)
        try:
            status, read = await asyncio.shield(sent)
        except (aiohttp.ClientError, OSError):  # the server is being restarted
            return web.Response(status=502, text="<h1>Bad Gateway</h1>")
        if fault == LOST_AFTER:
            return _cut(request)
        if fault == GATEWAY:
            return web.Response(status=502, text="<h1>Bad Gateway</h1>")
        if fault == TORN:
            return await _tear(request, status, read)
        return web.Response(status=status, body=read, content_type="application/json")

    def _draw(self, share: float) -> str:
        if self._chance.random() >= share:
            return ""
        fault = self._chance.choice(FAULTS)
        self.injected[fault] += 1
        return fault

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        url = self._target + request.raw_path
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            return answer.status, await answer.read()


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _tear(request: web.Request, status: int, read: bytes) -> web.StreamResponse:
    """Announce the whole answer, and send half of it."""
    torn = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    torn.content_length = len(read)
    await torn.prepare(request)
    await torn.write(read[: len(read) // 2])
    return _cut(request)


@asynccontextmanager
async def bad_line(target: str, chance: Random) -> AsyncIterator[BadLine]:
    """An open line; `url` leads to it."""
    line = BadLine(target, chance)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_route("*", "/{path:.*}", line.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        line.url = f"http://{host}:{port}"
        yield line
    finally:
        await line.close()
        await runner.cleanup()
