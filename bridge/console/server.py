"""`Console`: the operator's console as a part of the running bridge.

A console that cannot listen says so and tries again; it never ends the bridge.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiohttp import web

from bridge.console import acting, login, pages
from bridge.console.app import Desk, new_app, new_desk
from bridge.console.events import Streams
from bridge.console.facts import Enter, Inside, prime
from bridge.console.trouble.health import health
from bridge.console.trouble.offline import offline
from bridge.console.watch import Watch
from bridge.console.watched import watched
from bridge.core.input import Notice
from bridge.core.site import Core
from bridge.loop import Stall
from bridge.plant import Plant
from bridge.settings import ConsoleSettings
from bridge.wiring import Outside
from state.audit import AuditLog
from state.errors import StoreUnavailable

LISTEN_AGAIN_S: Final = 10.0
CLOSE_S: Final = 1.0
"""How long open pages may take to end when the bridge stops."""

log = structlog.get_logger()


class Console:
    """Created before the sessions are, which are then made from `outside`, so that it sees them."""

    def __init__(
        self, plant: Plant, core: Core, outside: Outside, enter: Enter, audit: AuditLog, *, number: int
    ) -> None:
        settings = plant.settings.console
        self._settings = settings if settings is not None else ConsoleSettings()
        self._watch = Watch(outside.clock, number=number)
        self.outside = watched(outside, self._watch)
        self._inside = Inside(plant=plant, core=core, outside=outside, watch=self._watch, enter=enter)
        self._audit = audit

    def notice(self, notice: Notice) -> None:
        """Take what the core says to people."""
        self._watch.notice(notice)

    def stalled(self, stall: Stall, reason: str) -> None:
        """The host goes offline for this reason."""
        self._watch.stalled(stall, reason)

    def recovered(self, stall: Stall) -> None:
        """This reason is gone."""
        self._watch.recovered(stall)

    async def run(self) -> None:
        """Serve until cancelled. A defect of the console is logged and must not stop the plant's postings."""
        while True:
            try:
                await self._serve()
            except Exception as error:
                log.exception("console.failed", reason=str(error))
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _serve(self) -> None:
        try:
            self._watch.store.weaknesses = tuple(await self._inside.outside.store.weaknesses())
            await prime(self._inside)
        except StoreUnavailable as error:
            log.warning("console.not_primed", reason=str(error))
        app = make_app(new_desk(self._inside, self._settings, self._audit), Streams())
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S)
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.host, self._settings.port
        while True:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                log.error("console.not_listening", host=host, port=port, reason=str(error))
                await asyncio.sleep(LISTEN_AGAIN_S)
            else:
                log.info("console.listening", url=self._settings.public_url or f"http://{host}:{port}")
                return


def make_app(desk: Desk, streams: Streams) -> web.Application:
    """The application with all pages."""
    return new_app(
        desk,
        [
            web.get("/", pages.overview),
            web.get("/equipment", pages.equipment),
            web.post("/equipment/rebirth", acting.rebirth),
            web.get("/entries", pages.entries),
            web.get("/entry", pages.entry),
            web.get("/attention", acting.show),
            web.post("/attention/check", acting.check),
            web.post("/attention/act", acting.act),
            web.get("/orders", pages.orders),
            web.get("/order", pages.order),
            web.get("/rules", pages.rules),
            web.get("/events", streams.events),
            web.get("/login", login.show),
            web.post("/login", login.log_in),
            web.get("/link/{token}", login.show_link),
            web.post("/logout", login.log_out),
            *health("leader", lambda: _in_the_way(desk.inside.watch)),
        ],
    )


def _in_the_way(watch: Watch) -> str:
    """Why nothing can be taken from the plant, as the first page says it; nothing where it can."""
    return next((f"{trouble.title}." for trouble in offline(watch.stalls, watch.store.failure)), "")
