"""The page of a bridge that stands by: who leads the site, since when, and that there is nothing to do.

It tells nothing of the plant's state and takes no log-in. It answers 503, so that a proxy before both bridges sends
people to the one that leads; but its health is well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from bridge.console.app import new_templates, with_static
from bridge.console.trouble.health import health
from bridge.plant import Plant
from bridge.wiring import Outside
from state.errors import StoreUnavailable

AGAIN_S: Final = 5
"""How often the page looks again; it finds the log-in when this bridge has taken over."""
CLOSE_S: Final = 1.0

log = structlog.get_logger()


@asynccontextmanager
async def standing_by(plant: Plant, outside: Outside) -> AsyncIterator[None]:
    """Serve the page, where the plant folder asks for a console and its address is free. Never fails."""
    settings = plant.settings.console
    if settings is None:
        yield
        return
    runner = web.AppRunner(make_app(plant, outside), access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            log.info("standby.not_listening", host=settings.host, port=settings.port, reason=str(error))
        yield
    finally:
        await runner.cleanup()


def make_app(plant: Plant, outside: Outside) -> web.Application:
    """An application that has this page under every address, but for its health."""
    page, began_ms = new_templates(lambda: plant.assets).get_template("standby.html"), outside.clock.now_ms()

    async def show(_: web.Request) -> web.Response:
        leader, unreadable = None, ""
        try:
            leader = await outside.store.leader()
        except StoreUnavailable as error:
            unreadable = str(error)
        text = page.render(
            session=None,
            leader=leader,
            unreadable=unreadable,
            began_ms=began_ms,
            now_ms=outside.clock.now_ms(),
            again_s=AGAIN_S,
        )
        return web.Response(text=text, status=503, content_type="text/html", headers={"Retry-After": str(AGAIN_S)})

    app = with_static(web.Application())
    app.add_routes(health("standby"))
    app.router.add_get("/{path:.*}", show)
    return app
