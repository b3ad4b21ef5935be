"""A page is told when something was committed."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import ClientResponse

from tests.bridge.console.desk import Console


async def next_commit(stream: ClientResponse) -> int:
    """The commit number of the next event."""
    async with asyncio.timeout(5):
        while not (line := await stream.content.readline()).startswith(b"data: "):
            pass
    return int(msgspec.json.decode(line.removeprefix(b"data: "))["commit"])


async def test_a_commit_is_told_at_once(console: Console) -> None:
    await console.log_in()
    async with console.browser.get("/events") as stream:
        assert stream.content_type == "text/event-stream"
        before = await next_commit(stream)
        console.pending("k1")
        await console.settle()
        while (number := await next_commit(stream)) == before:
            pass

    assert number == before + 1


async def test_the_stream_ends_with_the_session(console: Console) -> None:
    await console.log_in()
    async with console.browser.get("/events") as stream:
        await next_commit(stream)
        await console.post("/logout", {})
        console.pending("k1")
        await console.settle()
        async with asyncio.timeout(5):
            rest = await stream.content.read()

    assert rest.count(b"event:") <= 1
