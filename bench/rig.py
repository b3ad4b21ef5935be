"""The servers and the folder of a measurement, and how a bridge and the other consumers are started on them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from redis import Redis

from bench.plant import SITE, Servers, equipment_path, write_plant
from bench.process import BenchError, Measured
from bench.publisher import forget_session, write_packets
from bench.traffic import Packet, Plant
from state.keys import Keys
from state.record import Table
from tests.servers import mosquitto_server, redis

ROOT: Final = Path(__file__).parent.parent
BUILD: Final = ROOT / "build" / "bench"
DOCUMENT_CLIENT: Final = "bench-documents"
"""What the bridge of `bench.plant` calls its persistent session."""
BRIDGE_LOG: Final = "bridge.log"
CONSUMERS: Final = ROOT / "bench" / "consumer"


@dataclass(frozen=True, slots=True)
class Rig:
    """One broker and one store, and a folder for what is written."""

    home: Path
    servers: Servers
    store: Redis

    def clear(self) -> None:
        """Forget what an earlier bridge stored, that it stored it, and what the broker kept for it meanwhile."""
        self.store.flushall()
        for mark in self.home.glob("plant-*/data/commit"):
            mark.unlink()
        forget_session(self.servers.port, DOCUMENT_CLIENT)

    def table(self, table: Table, id: str | None = None) -> Any:
        """A record's bytes, or all ids of a table."""
        key = Keys(SITE).table(table)
        return self.store.hkeys(key) if id is None else self.store.hget(key, id)

    def publish(self, packets: Sequence[Packet], qos: int, *options: str) -> float:
        """Publish by a process of its own and wait for its end; when it began (CLOCK_MONOTONIC, seconds)."""
        file = self.home / "packets"
        write_packets(file, packets, qos)
        command = [sys.executable, "-m", "bench.publisher", str(self.servers.port), str(qos), str(file), *options]
        publisher = Measured(command, self.home / "publisher.log", ROOT)
        began = float(publisher.expect("began"))
        publisher.expect("ended")
        publisher.stop()
        return began

    def start_bridge(self, devices: int, *, module: Sequence[str] = ("bridge", "run")) -> Measured:
        """A bridge on a fresh store, connected and subscribed."""
        self.clear()
        plant = write_plant(self.home / f"plant-{devices}", devices, self.servers)
        log = self.home / BRIDGE_LOG
        log.write_text("")
        bridge = Measured([sys.executable, "-m", *module, str(plant)], log, ROOT)
        bridge.wait_until(lambda: _has(log, "host.connected") and _has(log, "documents.connected"), "the connections")
        return bridge

    def bear(self, bridge: Measured, plant: Plant) -> None:
        """Publish the births, and wait until nothing settles any more; then every device sends once, so that all
        count and have their timers, as in a plant that runs."""
        births = plant.births()
        self.publish(births, 0)
        last = _equipment_id(plant, plant.devices - 1)
        bridge.wait_until(lambda: self.table(Table.MEMORY, last) is not None, "the births")
        bridge.wait_until(self._is_settled, "the settling")
        self.publish(plant.data(plant.devices), 0)
        bridge.wait_until(lambda: self.has_counted(plant), "the first DDATA of every device")
        time.sleep(0.2)

    def was_cut(self) -> bool:
        """Whether the bridge lost its broker or its store since it was started, as it does where the machine stalls.

        What came meanwhile has then settled for half a minute: that is no latency of a bridge at work.
        """
        log = self.home / BRIDGE_LOG
        return _has(log, "host.disconnected") or _has(log, "host.offline")

    def _is_settled(self) -> bool:
        return not any(id.startswith(b"settling/") for id in self.table(Table.MEMORY))

    def has_counted(self, plant: Plant) -> bool:
        """Whether the last DDATA is committed."""
        path, good = plant.good_count()
        record = self.table(Table.MEMORY, f"equipment/{path}")
        return record is not None and json.loads(record)["record"]["values"].get("good_count") == good

    def has_posted(self, event: str) -> bool:
        """Whether the posting of this document is committed."""
        return any(event.encode() in key for key in self.table(Table.ENTRY))

    def start_consumer(self, name: str, plant: Plant, births: int, data: int, documents: int) -> Measured:
        """Another consumer, subscribed."""
        numbers = [str(number) for number in (self.servers.port, births, data, documents)]
        log = self.home / f"{name}.log"
        log.write_text("")
        consumer = Measured([*COMMANDS[name], *numbers], log, ROOT)
        consumer.expect("ready")
        return consumer


COMMANDS: Final = {
    "links": [sys.executable, "-m", "bench.consumer.link"],
    "paho": [sys.executable, "-m", "bench.consumer.minimal"],
    "pysparkplug": [str(BUILD / "pysparkplug/bin/python"), str(CONSUMERS / "pysparkplug_subscriber.py")],
    "mqtt.js": ["node", str(BUILD / "node/subscriber.mjs")],
}


def require(names: Sequence[str]) -> None:
    """Raise `BenchError` where a consumer's environment was not made."""
    needed = {"pysparkplug": BUILD / "pysparkplug/bin/python", "mqtt.js": BUILD / "node/node_modules/mqtt"}
    missing = [name for name in names if name in needed and not needed[name].exists()]
    if missing:
        raise BenchError(f"{', '.join(missing)}: not installed; run tools/setup bench")


@contextmanager
def open_rig() -> Iterator[Rig]:
    """A mosquitto and a Redis as the bridge asks for them. The broker drops nothing for a slow consumer."""
    config = {"max_queued_messages": "0", "max_inflight_messages": "1000"}
    with (
        TemporaryDirectory(prefix="uns-bench-") as name,
        mosquitto_server(anonymous=True, config=config) as broker,
        redis() as server,
    ):
        store = Redis.from_url(server.url)
        url = f"redis://{server.host}:{server.port}/0"
        try:
            yield Rig(Path(name), Servers(port=broker.port, redis=url, password=server.password), store)
        finally:
            store.close()


def _equipment_id(plant: Plant, device: int) -> str:
    return f"equipment/{equipment_path(device, plant.devices)}"


def _has(log: Path, event: str) -> bool:
    return event in log.read_text(errors="replace")
