"""A server of one's own that is killed, started, paused and continued by a command: a real Odoo."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from bridge.demo.odoo import DemoOdooError
from odoo_adapter.errors import OdooError

COMMAND_TIMEOUT_S: Final = 180.0
READY_TIMEOUT_S: Final = 180.0
"""A real Odoo takes ten seconds and more to start, on a busy machine a minute."""
ASK_TIMEOUT_S: Final = 5.0
LOOK_S: Final = 0.2
LOG_TAIL: Final = 1_000


class Server(Protocol):
    """A server that can be abused."""

    async def kill_for(self, away_s: float) -> None:
        """End it as a power cut would, and start it again after so long."""

    async def pause(self, lasts_s: float) -> None:
        """Let it do nothing for so long; it does not notice."""


class CommandedServer:
    """A server that runs without us. `command` is called with one more word: kill, start, pause or continue.

    However an abuse ends, also when the run is broken off, the server is told to start or to continue after it.
    `ready` raises `OdooError` while it does not answer.
    """

    def __init__(self, command: Sequence[str], log: Path, ready: Callable[[], Awaitable[object]]) -> None:
        self._command = command
        self._log = log
        self._ready = ready

    async def kill_for(self, away_s: float) -> None:
        """End it as a power cut would, start it again after so long, and return when it answers.

        Raises `DemoOdooError`.
        """
        try:
            await self._tell("kill")
            await asyncio.sleep(away_s)
        finally:
            await self._tell("start")
        await self._until_it_answers()

    async def pause(self, lasts_s: float) -> None:
        """Let it do nothing for so long. Raises `DemoOdooError`."""
        try:
            await self._tell("pause")
            await asyncio.sleep(lasts_s)
        finally:
            await self._tell("continue")

    async def _tell(self, word: str) -> None:
        words = (*self._command, word)
        with self._log.open("ab") as log:  # a pipe would be held open by the server that the command starts
            process = await asyncio.create_subprocess_exec(
                *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                code = await process.wait()
        except TimeoutError as error:
            process.kill()
            raise DemoOdooError(f"`{shlex.join(words)}` did not end; it must not wait for the server's end") from error
        if code:
            tail = self._log.read_text("utf-8", errors="replace")[-LOG_TAIL:].strip()
            raise DemoOdooError(f"`{shlex.join(words)}` ended with {code}: {tail or 'it printed nothing'}")

    async def _until_it_answers(self) -> None:
        reason = "it did not answer in time"
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while reason:
                    reason = await self._why_not()
                    await asyncio.sleep(LOOK_S if reason else 0)
        except TimeoutError as error:
            text = f"Odoo does not answer {READY_TIMEOUT_S:.0f} s after `{shlex.join((*self._command, 'start'))}`"
            raise DemoOdooError(f"{text}: {reason}") from error

    async def _why_not(self) -> str:
        """Why it does not answer; empty when it does."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await self._ready()
        except OdooError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {ASK_TIMEOUT_S:.0f} s"
        return ""
