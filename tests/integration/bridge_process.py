"""The bridge as its operators run it: `uns-bridge run PLANT`, a child process with a log of JSON lines."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.integration.patience import until

STOP_LIMIT_S = 120.0
TELL_LIMIT_S = 120.0
TAIL = 3_000


class Bridge:
    """One bridge on one plant folder. Its log is kept over restarts."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it takes the site over when an earlier lease has run out."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge", "run", str(self._folder), stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """End it as a power cut would."""
        process = self._running
        process.kill()
        await process.wait()

    def pause(self) -> None:
        """Let nothing of it run, as a machine that is frozen does; the system keeps its connections."""
        self._running.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on where it was paused."""
        self._running.send_signal(signal.SIGCONT)

    async def stop(self) -> int:
        """End it in good order; returns its exit code."""
        process = self._running
        process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it has ended; returns its exit code."""
        assert self._process is not None
        async with asyncio.timeout(STOP_LIMIT_S):
            return await self._process.wait()

    async def remove(self) -> None:
        """End it, in whatever state it is."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        return self._running.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", errors="replace") if self._log.exists() else ""

    def told(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The log lines of this name that have these fields."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["event"] == event and fields.items() <= line.items()]

    async def until_told(self, event: str, *, times: int = 1, **fields: object) -> None:
        """Wait until it has logged this, so many times."""
        await until(
            lambda: self._alive() and len(self.told(event, **fields)) >= times,
            lambda: f"{event} {fields} in the log:\n{self.log[-TAIL:]}",
            TELL_LIMIT_S,
        )

    def _alive(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, f"ended with {self._process.returncode}:\n{self.log[-TAIL:]}"
        return True

    @property
    def _running(self) -> asyncio.subprocess.Process:
        self._alive()
        assert self._process is not None
        return self._process
