"""A link that can be cut: it passes everything on, refuses while it is cut, loses what is sent into its silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bridge.demo.chaos.proxy import HOST, Proxy


@dataclass(slots=True)
class Echo:
    """A server that answers with what it got, and keeps it."""

    proxy: Proxy
    got: list[bytes] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.got.append(line)
                writer.write(line)
        except OSError:
            self.got.append(b"reset")
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    server = await asyncio.start_server(lambda reader, writer: made.connected(reader, writer), HOST, 0)
    made = Echo(Proxy(server.sockets[0].getsockname()[1]))
    await made.proxy.start()
    yield made
    await made.proxy.close()
    server.close()


async def say(proxy: Proxy, line: bytes) -> bytes:
    """The answer on a new connection, to its end."""
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(line)
    writer.write_eof()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


async def test_both_ways_and_both_ends_are_passed_on(echo: Echo) -> None:
    assert await say(echo.proxy, b"fact\n") == b"fact\n"
    assert echo.got == [b"fact\n"]


async def test_a_cut_ends_what_is_open_and_refuses_until_it_is_over(echo: Echo) -> None:
    reader, writer = await asyncio.open_connection(HOST, echo.proxy.port)
    writer.write(b"before\n")
    assert await reader.readline() == b"before\n"
    cut = asyncio.create_task(echo.proxy.cut(0.2))
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()
    assert await say(echo.proxy, b"during\n") in (b"", b"reset")
    await cut
    assert await say(echo.proxy, b"after\n") == b"after\n"
    assert b"during\n" not in echo.got


async def test_what_is_sent_into_a_silence_never_arrives(echo: Echo) -> None:
    reader, writer = await asyncio.open_connection(HOST, echo.proxy.port)
    writer.write(b"before\n")
    assert await reader.readline() == b"before\n"
    silence = asyncio.create_task(echo.proxy.silence(0.2))
    writer.write(b"during\n")
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()
    await silence
    assert await say(echo.proxy, b"after\n") == b"after\n"
    assert b"during\n" not in echo.got


async def test_a_link_that_is_silent_one_way_carries_the_other(echo: Echo) -> None:
    reader, writer = await asyncio.open_connection(HOST, echo.proxy.port)
    silence = asyncio.create_task(echo.proxy.silence(0.2, there=False))
    await asyncio.sleep(0)
    writer.write(b"during\n")
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()
    await silence
    assert b"during\n" in echo.got
    assert await say(echo.proxy, b"after\n") == b"after\n"


async def test_a_server_that_is_away_is_away_through_the_proxy_too() -> None:
    probe = await asyncio.start_server(lambda reader, writer: None, HOST, 0)
    proxy = Proxy(probe.sockets[0].getsockname()[1])
    probe.close()
    await probe.wait_closed()
    await proxy.start()
    assert await say(proxy, b"fact\n") in (b"", b"reset")
    await proxy.close()
