"""Edge nodes that others wrote, each as a process in an environment of its own below `.foreign/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.patience import until
from tests.server_process import find_binary
from tests.servers import Mosquitto

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".foreign"
DRIVERS = Path(__file__).parent / "drivers"
SAID_LIMIT_S = 20.0

Metrics = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """How a node of this library is run, and where it differs from the standard."""

    package: str
    driver: str
    python: bool
    device: str | None
    prefix: str = ""
    """What its births put before a metric's name."""
    deaths_match: bool = True
    """Whether the NDEATH that the broker publishes for it has the bdSeq of its NBIRTH."""

    @property
    def command(self) -> list[str]:
        """Raises `AssertionError` where the environment is missing."""
        driver = str(DRIVERS / self.driver)
        environment = ENVIRONMENTS / ("node" if not self.python else self.package)
        interpreter = environment / "bin" / "python" if self.python else environment / "node_modules" / self.package
        assert interpreter.exists(), f"{interpreter} is missing: run `tools/setup foreign`, or `make test`"
        return [str(interpreter), driver] if self.python else [find_binary("node", "nodejs"), driver]


class ForeignNode:
    """A node that runs. What it prints is kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: list[str] = []

    async def listen(self) -> None:
        """Read what it prints until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._said.append(line.decode().strip())

    async def until_said(self, word: str) -> None:
        """Wait until it has printed this."""
        await until(lambda: word in self._said, lambda: f"{word!r} among {self._said}", SAID_LIMIT_S)

    async def report(self, metrics: Metrics) -> None:
        """It publishes these values as data."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(metrics).encode() + b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """It ends without a word; the broker publishes its will."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def foreign_node(library: Library, broker: Mosquitto, metrics: Metrics, log: Path) -> AsyncIterator[ForeignNode]:
    """A node `acme-berlin/packaging` of this library that has been born."""
    settings = {
        "home": str(ENVIRONMENTS / "node"),
        "url": f"mqtt://{broker.host}:{broker.port}",
        "host": broker.host,
        "port": broker.port,
        "user": broker.user,
        "password": broker.password,
        "group": "acme-berlin",
        "node": "packaging",
        "device": library.device,
        "metrics": metrics,
    }
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *library.command,
            json.dumps(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    node = ForeignNode(process)
    listening = asyncio.create_task(node.listen(), name=f"listen-{library.package}")
    try:
        await node.until_said("born")
        yield node
    finally:
        await node.kill()
        await listening
