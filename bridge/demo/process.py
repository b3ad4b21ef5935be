"""The bridge of a demonstration: `uns-bridge run` as a child process, which may be killed and started again."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

from bridge.commands.exit import UNREACHABLE
from bridge.demo.servers import end_with_parent

STOP_TIMEOUT_S: Final = 30.0
LOG_TAIL: Final = 2_000


class BridgeEnded(Exception):
    """The bridge ended by itself; the text holds the end of its log."""


class BridgeProcess:
    """One bridge on one plant folder. Its log is kept over restarts. It ends with the demo, also when that is killed.

    `supervised`: it is started again when it ends because something that it needs did not answer, as systemd and
    Docker do.
    """

    def __init__(self, plant: Path, log: Path, *, supervised: bool = False) -> None:
        self._plant = plant
        self._log = log
        self._supervised = supervised
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self.kills = 0

    async def start(self) -> None:
        """Start it. It takes the site over as soon as an earlier lease has run out."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bridge",
                "run",
                str(self._plant),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
                stdout=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    async def check(self) -> bool:
        """Whether it had to be started again. Raises `BridgeEnded` when it ended for another reason."""
        async with self._turn:
            if self._process is None or (code := self._process.returncode) is None:
                return False
            if code != UNREACHABLE or not self._supervised:
                tail = self._log.read_text("utf-8", errors="replace")[-LOG_TAIL:]
                raise BridgeEnded(f"the bridge ended with {code}:\n{tail}")
            await self.start()
            return True

    async def kill(self, away_s: float = 0.0) -> None:
        """End it as a power cut would, and start it again after so long."""
        await self.check()
        async with self._turn:
            process, self._process = self._process, None
            assert process is not None
            if process.returncode is None:
                process.kill()
            await process.wait()
            self.kills += 1
            await asyncio.sleep(away_s)
            await self.start()

    async def stop(self) -> None:
        """End it in good order; kill it when that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
