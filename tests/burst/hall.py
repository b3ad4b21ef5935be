"""A hall of 500 simulated edge nodes on a real broker, and what the host asks of them on the wire."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from bridge.broker.link import LinkSettings, Message, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.simulator.edge_session import EdgeSession, define_node
from sparkplug.fact import NodeId
from sparkplug.snapshot import SessionSnapshot
from state.record import Table
from state.store import Store
from tests.integration.patience import until
from tests.servers import Mosquitto

GROUP: Final = "hall"
SIZE: Final = 500
REPORT_EVERY_S: Final = 2.0
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Hall:
    """The nodes, each with a device that counts, and the commands that were seen on the broker.

    They follow no STATE: what the bridge misses of them it has to ask for.
    """

    broker: Mosquitto
    nodes: list[EdgeSession] = field(default_factory=list)
    asked: list[tuple[int, str]] = field(default_factory=list)
    """When which node was asked for a rebirth."""

    def __post_init__(self) -> None:
        for number in range(SIZE):
            node = NodeId(GROUP, f"press-{number:03}")
            edge = define_node(node, {None: {"Uptime": 0}, "press": {"Good": 0, "State": "RUN"}}, primary_host=None)
            self.nodes.append(EdgeSession(edge, broker=self._settings(GROUP), link=PahoLink, clock=SystemClock()))

    @property
    def online(self) -> int:
        """How many nodes have a session and were born in it."""
        return sum(session.node.is_online for session in self.nodes)

    def most_asked_in_a_second(self) -> int:
        times = [at_ms for at_ms, _ in self.asked]
        return max((sum(at <= other < at + 1_000 for other in times) for at in times), default=0)

    def asked_per_node(self) -> Counter[str]:
        return Counter(node for _, node in self.asked)

    async def run(self) -> None:
        """Produce until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for session in self.nodes:
                tasks.create_task(session.run(), name=f"hall-{session.node.node}")
            tasks.create_task(self._produce(), name="hall-production")
            tasks.create_task(self._listen(), name="hall-commands")

    async def _produce(self) -> None:
        good = 0
        while True:
            good += 1
            for session in self.nodes:
                await session.report("press", {"Good": good}, SystemClock().now_ms())
                await asyncio.sleep(REPORT_EVERY_S / SIZE)

    async def _listen(self) -> None:
        link = PahoLink(self._settings("ear"), [Subscription(filter=f"spBv1.0/{GROUP}/NCMD/+", qos=0)])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(link.run(), name="hall-ear")
            while True:
                event = await link.next_event()
                if isinstance(event, Message):
                    self.asked.append((event.received_ms, event.topic.rpartition("/")[2]))

    def _settings(self, client_id: str) -> LinkSettings:
        password = self.broker.password
        return LinkSettings(
            host=self.broker.host,
            port=self.broker.port,
            client_id=client_id,
            user=self.broker.user,
            password=lambda: password,
            first_pause_s=0.1,
            longest_pause_s=0.5,
        )


@asynccontextmanager
async def hall_on(broker: Mosquitto) -> AsyncIterator[Hall]:
    """A hall that works; its nodes come online when they can."""
    hall = Hall(broker)
    running = asyncio.create_task(hall.run(), name="hall")
    try:
        yield hall
    finally:
        running.cancel()
        await asyncio.wait([running])


async def until_right(store: Store, hall: Hall, since_ms: int, limit_s: float) -> None:
    """Wait until the bridge has stored of each node that it is online in its present session, born since then."""

    async def wrong() -> int:
        stored = await store.read(Table.NODE)
        snapshots = {id: msgspec.json.decode(each, type=SessionSnapshot) for id, each in stored.items()}
        return sum(not _is_right(snapshots.get(str(session.node.node)), session, since_ms) for session in hall.nodes)

    left = SIZE

    async def is_right() -> bool:
        nonlocal left
        left = await wrong()
        return left == 0

    await until(is_right, lambda: f"all nodes right; {left} are not, {hall.online} are online", limit_s)


def _is_right(snapshot: SessionSnapshot | None, session: EdgeSession, since_ms: int) -> bool:
    return (
        snapshot is not None
        and session.node.is_online
        and snapshot.phase == "ONLINE"
        and (snapshot.birth_ms or 0) >= since_ms
        and snapshot.bd_seq == session.node.next_bd_seq - 1
        and [(name, device.born) for name, device in snapshot.devices.items()] == [("press", True)]
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has used until now: seconds of processor, and the most memory it had, in MB."""

    cpu_s: float
    memory_mb: float


def cost_of(pid: int) -> Cost:
    """From Linux' /proc."""
    home = Path(f"/proc/{pid}")
    fields = (home / "stat").read_text().rpartition(")")[2].split()
    [peak_kb] = [line.split()[1] for line in (home / "status").read_text().splitlines() if line.startswith("VmHWM")]
    return Cost((int(fields[11]) + int(fields[12])) / TICKS_PER_S, int(peak_kb) / 1024)
