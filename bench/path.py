"""CPU per message of the whole path, beside others: rounds of all consumers in turn, each a fresh process.

A round of a consumer: births and one DDATA of every device (not measured), DDATA at QoS 0, then documents at QoS 1.
The broker holds what the consumer has not taken yet, so it works without a pause; CPU is read before the first and
after the last message.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.process import cpu_s, rss_mb
from bench.rig import Rig
from bench.traffic import Plant

BRIDGE: Final = "bridge"
LINKS: Final = "links"
OTHERS: Final = (LINKS, "paho", "pysparkplug", "mqtt.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One consumer in one round: microseconds of CPU per DDATA and per document, DDATA a second, megabytes."""

    data_us: float
    document_us: float
    data_per_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is sent to each consumer."""

    devices: int
    data: int
    documents: int


def measure(rig: Rig, size: Size, rounds: int, consumers: Sequence[str]) -> dict[str, list[Cost]]:
    """The rounds of every consumer. The bridge is always among them, and first in every round."""
    costs: dict[str, list[Cost]] = {name: [] for name in (BRIDGE, *consumers)}
    for number in range(rounds):
        for name, found in costs.items():
            found.append(_bridge(rig, size) if name == BRIDGE else _other(rig, size, name))
            sys.stderr.write(f"  {size.devices} devices, round {number + 1}, {name}: {found[-1].data_us:.0f} us\n")
    return costs


def _bridge(rig: Rig, size: Size) -> Cost:
    plant = Plant(size.devices, time.time_ns() // 1_000_000)
    bridge = rig.start_bridge(size.devices)
    try:
        rig.bear(bridge, plant)
        data, documents = plant.data(size.data), plant.documents(size.documents, 1)
        before = cpu_s(bridge.pid)
        began = rig.publish(data, 0)
        bridge.wait_until(lambda: rig.has_counted(plant), "the last DDATA")
        between, middle = cpu_s(bridge.pid), time.monotonic()
        rig.publish(documents, 1)
        bridge.wait_until(lambda: rig.has_posted(f"check-{size.documents}"), "the last document")
        return _cost(size, between - before, cpu_s(bridge.pid) - between, middle - began, rss_mb(bridge.pid))
    finally:
        bridge.stop()


def _other(rig: Rig, size: Size, name: str) -> Cost:
    plant = Plant(size.devices, time.time_ns() // 1_000_000)
    births = [*plant.births(), *plant.data(size.devices)]
    data, documents = plant.data(size.data), plant.documents(size.documents, 1)
    consumer = rig.start_consumer(name, plant, len(births), size.data, size.documents)
    try:
        rig.publish(births, 0)
        consumer.expect("born")
        before = cpu_s(consumer.pid)
        began = rig.publish(data, 0)
        consumer.expect("data")
        between, middle = cpu_s(consumer.pid), time.monotonic()
        rig.publish(documents, 1)
        consumer.expect("documents")
        return _cost(size, between - before, cpu_s(consumer.pid) - between, middle - began, rss_mb(consumer.pid))
    finally:
        consumer.stop()


def _cost(size: Size, data_cpu_s: float, document_cpu_s: float, data_s: float, rss: float) -> Cost:
    return Cost(
        data_us=data_cpu_s / size.data * 1e6,
        document_us=document_cpu_s / size.documents * 1e6,
        data_per_s=size.data / data_s,
        rss_mb=rss,
    )
