"""Sees what people do with the versions of the rules while the bridge runs, and lets the core take it up.

The log of the versions is asked for every two seconds, which costs one `stat`. What the core takes up stands in the
bridge's own audit log first.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import structlog

from bridge.clock import Clock
from bridge.core.input import FromVersions, Promoted, Shadowed
from bridge.core.site import Core
from bridge.errors import ConfigError
from bridge.floor.content import why_restart
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.history import History
from bridge.lifecycle.live import load_version
from bridge.loop import Entering
from bridge.plant import Content
from bridge.session import Enter
from state.audit import OURSELVES, AuditLog

EVERY_S: Final = 2.0

log = structlog.get_logger()


class VersionWatch:
    """Follows the versions of one plant folder."""

    def __init__(self, folder: Path, core: Core, enter: Enter, clock: Clock, audit: AuditLog) -> None:
        self._folder = folder
        self._book = VersionBook(folder)
        self._assets = core.floor.assets
        self._live = core.release.version if core.release is not None else None
        self._shadow = core.shadows[0].version if core.shadows else None
        self._enter = enter
        self._clock = clock
        self._audit = audit
        self._stamp: tuple[int, int] | None = None

    async def run(self) -> None:
        """Look until cancelled. What cannot be taken up is said once, and the bridge goes on with what it has."""
        while True:
            stamp = await asyncio.to_thread(lambda: self._book.stamp)
            if stamp != self._stamp:
                self._stamp = stamp
                await self._look()
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        try:
            history = await asyncio.to_thread(self._book.history)
            if history.live is not None and history.live != self._live:
                await self._promote(history, history.live)
            if history.shadow != self._shadow:
                await self._beside(history, history.shadow)
        except (LogBroken, ConfigError, OSError) as error:
            log.error("rules.not_taken_up", reason=str(error), effect=f"{self._live or 'the folder'} stays live")

    async def _promote(self, history: History, version: str) -> None:
        content = await self._read(history, version)
        if (reason := why_restart(self._assets, content.assets)) is not None:
            log.error("rules.need_restart", version=version, reason=reason, effect="it is live from the next start on")
            return
        fields = {"version": version, "approved_by": history.versions[version].decided_by, "before": self._live}
        await asyncio.to_thread(self._audit.append, "rules.in_force", OURSELVES, fields, self._clock.now_ms())
        await self._take(Promoted(content))
        self._live, self._assets, self._shadow = version, content.assets, None

    async def _beside(self, history: History, version: str | None) -> None:
        await self._take(Shadowed(await self._read(history, version) if version is not None else None))
        self._shadow = version

    async def _read(self, history: History, version: str) -> Content:
        plant = await asyncio.to_thread(load_version, self._folder, history, version)
        return plant.content

    async def _take(self, entered: FromVersions) -> None:
        await self._enter(Entering(input=entered, at_ms=self._clock.now_ms()))
