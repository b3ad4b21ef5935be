"""A TCP proxy between a link and its broker, whose cables can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"

Hear = Callable[[bytes], None]
"""Takes the bytes of one direction of one connection."""
Tap = Callable[[], tuple[Hear, Hear]]
"""Called for each connection: who hears what the link sends, and what the broker sends."""


def untapped() -> tuple[Hear, Hear]:
    """Nobody listens."""
    return lambda part: None, lambda part: None


class Proxy:
    """Listens on `port`. `cut` ends all connections without a word; while `is_down` new ones end at once."""

    def __init__(self, target_port: int, tap: Tap = untapped) -> None:
        self.port = 0
        self.is_down = False
        self._target_port = target_port
        self._tap = tap
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass the bytes of one connection both ways until either side ends."""
        if self.is_down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            from_link, from_broker = self._tap()
            await asyncio.gather(_pass_on(reader, far_writer, from_link), _pass_on(far_reader, writer, from_broker))
        finally:
            self._writers -= ends
            for end in ends:
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Hear) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            hear(part)
            writer.write(part)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@asynccontextmanager
async def proxy_to(port: int, tap: Tap = untapped) -> AsyncIterator[Proxy]:
    """A proxy to a loopback port."""
    proxy = Proxy(port, tap)
    server = await asyncio.start_server(proxy.serve, HOST, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield proxy
        finally:
            proxy.cut()
            server.close()
