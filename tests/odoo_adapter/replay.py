"""A server that answers as a real Odoo did: recorded exchanges, in order, each once."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from odoo_adapter.inbox.install import action_hash
from odoo_adapter.json2 import Connection

RECORDED = Path(__file__).parent / "recorded" / "19"

Exchange = Mapping[str, Any]


def recording(name: str) -> list[Exchange]:
    """The exchanges of one file: path, body, status, answer (null: a page that was no JSON).

    The inbox's hash in them is put to today's: whether today's text was run is told by docs/verified.md.
    """
    text = (RECORDED / f"{name}.json").read_text()
    today = re.sub(r"\b[0-9a-f]{64}(?=\",?\s+\"(x_res_id|su))", action_hash(), text)
    exchanges: list[Exchange] = json.loads(today)
    return exchanges


@asynccontextmanager
async def replayed(exchanges: Sequence[Exchange]) -> AsyncIterator[Connection]:
    """A connection to a server with these answers. A request that was not recorded next fails the test."""
    waiting = list(exchanges)

    async def answer(request: web.Request) -> web.Response:
        body = await request.json() if request.method == "POST" else {}
        expected = waiting.pop(0)
        if (expected["path"], expected["body"]) != (request.path, body):
            text = f"asked {request.path} {body}\nrecorded {expected['path']} {expected['body']}"
            return web.json_response({"name": "Replay", "message": text}, status=500)
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
        yield Connection(url=f"http://{host}:{port}", database="recorded", key=lambda: "none", timeout_s=10.0)
    finally:
        await runner.cleanup()
    assert not waiting, f"{len(waiting)} recorded exchanges were not asked for"
