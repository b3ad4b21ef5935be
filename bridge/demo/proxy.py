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
        self._flows = asyncio.Event()
        self._flows.set()
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

    async def silence(self, lasts_s: float) -> None:
        """Let nothing pass for so long, then reset all connections: what was sent meanwhile never arrives."""
        self._flows.clear()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._end_connections()
            self._flows.set()

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
        await self._flows.wait()
        target_reader, target_writer = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, target_writer), name="proxy-there")
                tasks.create_task(self._pass(target_reader, writer), name="proxy-back")
        except BaseExceptionGroup as group:
            _reset(target_writer)
            raise ConnectionResetError from group
        except asyncio.CancelledError:
            _reset(target_writer)
            raise
        finally:
            target_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, and its end."""
        while data := await reader.read(CHUNK):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        await self._flows.wait()
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a TCP reset; what waits to be sent is thrown away."""
    same: socket.socket | None = writer.get_extra_info("socket")
    if same is not None and same.fileno() >= 0:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
