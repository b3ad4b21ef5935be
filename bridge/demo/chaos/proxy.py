"""A link that can be cut: a TCP port on loopback that leads to a server."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

HOST: Final = "127.0.0.1"
CHUNK: Final = 65_536


class Proxy:
    """Leads to a server, which may be away at times. `port` is known once it was started."""

    def __init__(self, target_port: int, target_host: str = HOST) -> None:
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._there = asyncio.Event()
        self._back = asyncio.Event()
        self._there.set()
        self._back.set()
        self._refuses = False
        self.port = 0

    async def start(self) -> None:
        """Take connections, on a free port."""
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections and take no more."""
        if self._server is not None:
            self._server.close()
            self._end_connections()
            await self._server.wait_closed()

    async def cut(self, lasts_s: float) -> None:
        """Reset all connections now, and refuse new ones for so long."""
        self._refuses = True
        self._end_connections()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._refuses = False

    async def silence(self, lasts_s: float, *, there: bool = True, back: bool = True) -> None:
        """Let nothing pass to the server, or back, for so long, then reset all connections: what was sent that way
        meanwhile never arrives."""
        silent = [flow for flow, is_meant in ((self._there, there), (self._back, back)) if is_meant]
        for flow in silent:
            flow.clear()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._end_connections()
            for flow in silent:
                flow.set()

    def _end_connections(self) -> None:
        for connection in self._connections:
            connection.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._refuses:
                _reset(writer)
            else:
                await self._lead(reader, writer)
        except (asyncio.CancelledError, OSError):
            _reset(writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on until both sides have ended. Where one is cut or gone, the other learns it by a reset."""
        await self._there.wait()
        target_reader, target_writer = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass(reader, target_writer, self._there), name="proxy-there")
                tasks.create_task(_pass(target_reader, writer, self._back), name="proxy-back")
        except BaseExceptionGroup as group:
            _reset(target_writer)
            raise ConnectionResetError from group
        except asyncio.CancelledError:
            _reset(target_writer)
            raise
        finally:
            target_writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event) -> None:
    """Pass on what comes, and its end, while it flows."""
    while data := await reader.read(CHUNK):
        await flow.wait()
        writer.write(data)
        await writer.drain()
    await flow.wait()
    writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a TCP reset; what waits to be sent is thrown away."""
    same: socket.socket | None = writer.get_extra_info("socket")
    if same is not None and same.fileno() >= 0:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
