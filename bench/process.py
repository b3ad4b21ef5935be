"""A measured process: its CPU time and memory, read from outside, and the lines that it prints."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

STOP_TIMEOUT_S: Final = 30.0
READY_TIMEOUT_S: Final = 180.0


class BenchError(Exception):
    """A measurement cannot be made; the text says why."""


def cpu_s(pid: int) -> float:
    """User and system time of all threads of a process, in nanosecond steps (Linux: clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def rss_mb(pid: int) -> float:
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchError(f"process {pid} has no memory: it ended")


class Measured:
    """A child process. Its standard output is read line by line, its standard error goes to `log`."""

    def __init__(self, command: Sequence[str], log: Path, folder: Path | None = None) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def expect(self, word: str) -> str:
        """Read lines until one begins with this word; the rest of that line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(word):
                return line[len(word) :].strip()
        raise BenchError(f"a process ended before it said {word!r}:\n{self._log.read_text(errors='replace')[-2000:]}")

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Ask again and again. Raises `BenchError` when the process ends before, or after a long time."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not holds():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"waited for {what} in vain:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
