"""Sees what people do with the versions of the rules while the bridge runs, and lets the core take it up.

The log of the versions is asked for every two seconds, which costs one `stat`. What the core takes up stands in the
bridge's own audit log first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.clock import Clock
from bridge.core.input import FromVersions, Notice, Promoted, Shadowed
from bridge.core.site import Core
from bridge.errors import ConfigError
from bridge.floor.content import why_restart
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.history import History
from bridge.lifecycle.live import load_version
from bridge.loop import Entering
from bridge.plant import Content, Plant
from bridge.session import Enter
from state.audit import OURSELVES, AuditLog

EVERY_S: Final = 2.0


class VersionWatch:
    """Follows the versions of one plant folder."""

    def __init__(
        self, plant: Plant, core: Core, enter: Enter, clock: Clock, audit: AuditLog, tell: Callable[[Notice], None]
    ) -> None:
        self._folder = plant.folder
        self._book = VersionBook(plant.folder)
        self._core = core
        self._content = plant.content
        self._begun = core.release
        self._live = core.release.version if core.release is not None else None
        self._shadow = core.shadows[0].version if core.shadows else None
        self._enter = enter
        self._clock = clock
        self._audit = audit
        self._tell = tell
        self._stamp: tuple[int, int] | None = None
        self._said: Notice | None = None

    async def run(self) -> None:
        """Look until cancelled. What cannot be taken up is said once, looked at again each time, and the bridge goes on
        with what it has: a log whose version git has not yet written is whole a moment later."""
        while True:
            try:
                await self._look()
            except (LogBroken, ConfigError, OSError) as error:
                self._stamp = None
                fields = {"reason": str(error), "effect": f"{self._live or 'the folder'} stays live"}
                self._say(Notice(level="alert", name="rules.not_taken_up", fields=fields))
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        if self._begun is not None:
            await self._note(self._begun.version, self._begun.approved_by)
            self._begun = None
        stamp = await asyncio.to_thread(lambda: self._book.stamp)
        if stamp != self._stamp:
            self._stamp = stamp
            history = await asyncio.to_thread(self._book.history, self._core.in_force)
            if history.live is not None and history.live != self._live:
                await self._promote(history, history.live)
            if history.shadow != self._shadow:
                await self._beside(history, history.shadow)
            if self._said is not None and history.live == self._live:
                self._said = None
                self._tell(Notice(level="info", name="rules.taken_up", fields={"version": self._live}))

    async def _promote(self, history: History, version: str) -> None:
        content = await self._read(history, version)
        if (reason := why_restart(self._content, content)) is not None:
            effect = f"{self._live or 'the folder'} stays live until the next start"
            fields = {"version": version, "reason": reason, "effect": effect}
            self._say(Notice(level="alert", name="rules.need_restart", fields=fields))
            return
        await self._note(version, history.versions[version].decided_by, before=self._live)
        await self._take(Promoted(content))
        self._live, self._content, self._shadow = version, content, None

    def _say(self, notice: Notice) -> None:
        """Say what a person must look at, once."""
        if notice != self._said:
            self._said = notice
            self._tell(notice)

    async def _note(self, version: str, approver: str, before: str | None = None) -> None:
        fields = {"version": version, "approved_by": approver, "before": before}
        await asyncio.to_thread(self._audit.append, "rules.in_force", OURSELVES, fields, self._clock.now_ms())

    async def _beside(self, history: History, version: str | None) -> None:
        await self._take(Shadowed(await self._read(history, version) if version is not None else None))
        self._shadow = version

    async def _read(self, history: History, version: str) -> Content:
        plant = await asyncio.to_thread(load_version, self._folder, history, version)
        return plant.content

    async def _take(self, entered: FromVersions) -> None:
        await self._enter(Entering(input=entered, at_ms=self._clock.now_ms()))
