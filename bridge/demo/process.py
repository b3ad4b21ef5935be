"""The bridge of a demonstration: `uns-bridge run` as a child process, which may be killed and started again."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from bridge.commands.exit import TAKEN_OVER, UNREACHABLE
from bridge.demo.servers import end_with_parent

STOP_TIMEOUT_S: Final = 30.0
STARTED_AGAIN: Final = {
    UNREACHABLE: "its store did not answer",
    TAKEN_OVER: "the other one had taken over",
}
"""After which ends it is started again where it is supervised, by exit code, and why it ended. Any other fails the run,
although systemd and Docker start it again after any."""
LOG_TAIL: Final = 2_000


class BridgeEnded(Exception):
    """The bridge ended by itself; the text holds the end of its log."""


class BridgeProcess:
    """One bridge on one plant folder. Its log is kept over restarts. It ends with the demo, also when that is killed.

    `supervised`: it is started again when it ends for a reason that is none of its own, as systemd and Docker do.
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

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def check(self) -> str:
        """Why it had ended, where it had to be started again. Raises `BridgeEnded` when it ended for another reason."""
        if self._turn.locked():
            return ""
        async with self._turn:
            if self._process is None or (code := self._process.returncode) is None:
                return ""
            if code not in STARTED_AGAIN or not self._supervised:
                tail = self._log.read_text("utf-8", errors="replace")[-LOG_TAIL:]
                raise BridgeEnded(f"the bridge ended with {code}:\n{tail}")
            await self.start()
            return STARTED_AGAIN[code]

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

    async def pause(self, lasts_s: float) -> None:
        """Let it do nothing for so long. It does not notice before it goes on."""
        await self.check()
        async with self._turn:
            self._send(signal.SIGSTOP)
            try:
                await asyncio.sleep(lasts_s)
            finally:
                self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

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


class Bridges:
    """The bridges of one site: one leads, the others stand by. `leader` gives the process id of the one that leads."""

    def __init__(self, bridges: Sequence[BridgeProcess], leader: Callable[[], Awaitable[int | None]]) -> None:
        self._bridges = bridges
        self._leader = leader

    @property
    def kills(self) -> int:
        return sum(bridge.kills for bridge in self._bridges)

    async def start(self) -> None:
        """Start them; the first leads."""
        for bridge in self._bridges:
            await bridge.start()

    async def stop(self) -> None:
        """End them in good order, those that stand by first."""
        leading = await self.leading()
        for bridge in (*(each for each in self._bridges if each is not leading), leading):
            await bridge.stop()

    async def check(self) -> str:
        """Why one had ended that had to be started again. Raises `BridgeEnded` as `BridgeProcess.check` does."""
        return "; ".join([reason for bridge in self._bridges if (reason := await bridge.check())])

    async def leading(self) -> BridgeProcess:
        """The one that leads; the first where none does."""
        pid = await self._leader()
        return next((bridge for bridge in self._bridges if bridge.pid == pid and pid), self._bridges[0])

    async def standing_by(self) -> BridgeProcess:
        """One that does not lead; the only one where there is one."""
        leading = await self.leading()
        return next((bridge for bridge in self._bridges if bridge is not leading), leading)
