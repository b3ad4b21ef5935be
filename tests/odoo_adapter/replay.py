"""A server that answers as a real Odoo did: recorded exchanges, each once."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from odoo_adapter.client.connection import Connection
from odoo_adapter.client.jsonrpc import MASK
from odoo_adapter.inbox.action import inbox_hash

RECORDED = Path(__file__).parent / "recorded"

Exchange = Mapping[str, Any]


def recording(name: str, version: str = "19") -> list[Exchange]:
    """The exchanges of one file: path, body, status, answer (null: a page that was no JSON).

    The inbox's hash in them is put to today's: whether today's text was run is told by docs/verified.md.
    """
    text = (RECORDED / version / f"{name}.json").read_text()
    today = re.sub(r"\b[0-9a-f]{64}(?=\",?\s+\"(x_name|x_res_id|su))", inbox_hash(), text)
    exchanges: list[Exchange] = json.loads(today)
    return exchanges


def _without_key(body: Any) -> Any:
    """A body as the recorder is told of it: over JSON-RPC the key is an argument."""
    arguments = body.get("params", {}).get("args", [])
    if len(arguments) > 2:
        arguments[2] = MASK
    return body


@asynccontextmanager
async def replayed(exchanges: Sequence[Exchange], version: str = "19") -> AsyncIterator[Connection]:
    """A connection to a server with these answers. A request that was not recorded fails the test."""
    waiting = list(exchanges)

    async def answer(request: web.Request) -> web.Response:
        body = await request.json() if request.method == "POST" else {}
        body = _without_key(body)
        place = next((at for at, one in enumerate(waiting) if (one["path"], one["body"]) == (request.path, body)), None)
        if place is None:
            if request.path == "/web/version":
                return web.json_response({"version": f"{version}.0"})
            text = f"asked {request.path} {body}\nrecorded {waiting[:1]}"
            return web.json_response({"name": "Replay", "message": text}, status=500)
        expected = waiting.pop(place)
        if expected["answer"] is None:
            return web.Response(text="<h1>Not Found</h1>", content_type="text/html", status=expected["status"])
        return web.json_response(expected["answer"], status=expected["status"])

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield Connection(
            url=f"http://{host}:{port}", database="recorded", user="uns-bridge", key=lambda: "none", timeout_s=10.0
        )
    finally:
        await runner.cleanup()
    assert not waiting, f"{len(waiting)} recorded exchanges were not asked for"
