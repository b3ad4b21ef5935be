"""Lets Odoo say that something changed, so that the next poll comes at once. What it says is not even read.

Odoo's webhooks are not signed and are sent once: the token in the address keeps strangers from waking the poller, and
the poller misses nothing where nobody calls.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import web

from bridge.errors import SecretMissing
from bridge.settings.wake import WakeSettings

LISTEN_AGAIN_S: Final = 5.0
SAY_AGAIN_S: Final = 60.0
"""How often a call without the right token is said, with how many there were."""

log = structlog.get_logger()


class Wake:
    """A small HTTP server. A place that is taken is tried again: it never ends the bridge."""

    def __init__(self, settings: WakeSettings, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._wake = wake
        self._said_s = -SAY_AGAIN_S
        self.refused = 0
        """Calls without the right token since the start."""

    async def run(self) -> None:
        """Serve until cancelled."""
        app = web.Application(client_max_size=1024)
        app.router.add_post("/wake/{token}", self._called)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.listen
        while True:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                log.error("wake.not_listening", host=host, port=port, reason=str(error), effect="orders are polled")
                await asyncio.sleep(LISTEN_AGAIN_S)
            else:
                log.info("wake.listening", host=host, port=port)
                return

    async def _called(self, request: web.Request) -> web.Response:
        try:
            token = self._settings.token_file.reveal()
        except SecretMissing as error:
            log.error("wake.no_token", reason=str(error), effect="nobody can wake the poller")
            return web.Response(status=503)
        if not hmac.compare_digest(request.match_info["token"].encode(), token.encode()):
            self._refuse(request.remote)
            return web.Response(status=403)
        self._wake()
        return web.Response(status=204)

    def _refuse(self, remote: str | None) -> None:
        self.refused += 1
        now_s = asyncio.get_running_loop().time()
        if now_s - self._said_s >= SAY_AGAIN_S:
            self._said_s = now_s
            log.warning("wake.refused", by=remote, times=self.refused, reason="the address has not the right token")
