"""Edge nodes that others wrote, each as a process in an environment of its own below `.foreign/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.foreign.value import Given, Json
from tests.integration.patience import until
from tests.server_process import find_binary
from tests.servers import Mosquitto

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".foreign"
DRIVERS = Path(__file__).parent / "drivers"
SAID_LIMIT_S = 20.0
GROUP = "acme-berlin"
NODE = "packaging"
DEVICE = "line-1"


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


SPARKPLUG_CLIENT = Library(package="sparkplug-client", driver="sparkplug_client.mjs", python=False, device=DEVICE)
PYSPARKPLUG = Library(package="pysparkplug", driver="pysparkplug_node.py", python=True, device=DEVICE)
MQTT_SPB_WRAPPER = Library(
    package="mqtt-spb-wrapper",
    driver="mqtt_spb_wrapper_node.py",
    python=True,
    device=None,
    prefix="DATA/",
    deaths_match=False,
)
LIBRARIES = (SPARKPLUG_CLIENT, PYSPARKPLUG, MQTT_SPB_WRAPPER)


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

    async def until_said(self, word: str, *, times: int = 1) -> None:
        """Wait until it has printed this, so many times."""
        await until(lambda: self._said.count(word) >= times, lambda: f"{word!r} among {self._said}", SAID_LIMIT_S)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What has arrived there, as the library gave it to its program."""
        return [json.loads(said) for said in self._said if said.startswith("{")]

    async def until_arrived(self, times: int) -> list[dict[str, Any]]:
        """Wait until so many messages have arrived there; returns them."""
        await until(lambda: len(self.messages) >= times, lambda: f"{times} messages in {self._said}", SAID_LIMIT_S)
        return self.messages

    def forget(self) -> None:
        """What it has printed until now is not looked at any more."""
        self._said.clear()

    async def report(self, *metrics: Given, compress: str | None = None) -> None:
        """It publishes these values as data."""
        await self.tell({"metrics": [metric.told() for metric in metrics], "compress": compress})

    async def tell(self, line: Mapping[str, Json]) -> None:
        """Give its program something to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """It ends without a word; the broker publishes its will."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def foreign_process(library: Library, settings: Mapping[str, Any], log: Path) -> AsyncIterator[ForeignNode]:
    """A driver of this library that has said that it is there."""
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


@asynccontextmanager
async def foreign_node(
    library: Library,
    broker: Mosquitto,
    metrics: Sequence[Given],
    log: Path,
    *,
    node_metrics: Sequence[Given] = (),
    port: int | None = None,
    plain: bool = False,
) -> AsyncIterator[ForeignNode]:
    """A node `acme-berlin/packaging` of this library that has been born, by way of `port` where that is given.

    `node_metrics` are its own where `metrics` are its device's. `plain`: data goes out as the library would have it.
    """
    settings = {
        "home": str(ENVIRONMENTS / "node"),
        "url": f"mqtt://{broker.host}:{port or broker.port}",
        "host": broker.host,
        "port": port or broker.port,
        "user": broker.user,
        "password": broker.password,
        "group": GROUP,
        "node": NODE,
        "device": library.device,
        "metrics": [metric.told() for metric in metrics],
        "node_metrics": [metric.told() for metric in node_metrics],
        "plain": plain,
    }
    async with foreign_process(library, settings, log) as node:
        yield node
