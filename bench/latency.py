"""Latency from publishing to the durable commit at a rate of DDATA: percentiles, and whether it was sustained."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.plant import equipment_path
from bench.process import cpu_s
from bench.rig import Rig
from bench.traffic import Plant

SUSTAINED_MS: Final = 250.0
"""A rate is sustained where the last tenth of the messages is committed within this time at the median."""
SHARES: Final = (0.8, 0.6, 0.4, 0.2)
"""Of what the bridge took at most without a pause: tried from above until one is sustained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What was seen at one rate. `per_s` is what the publisher reached; `batch` are messages per commit.

    `cut` tells that the bridge lost its broker or its store meanwhile: the times say nothing then.
    """

    asked_per_s: int
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    most_ms: float
    sustained: bool
    cpu_us: float
    batch: float
    cut: bool


def measure(rig: Rig, devices: int, rate: int, seconds: float) -> Latency:
    """A bridge of its own, births, and then messages at this rate."""
    plant = Plant(devices, time.time_ns() // 1_000_000)
    noted, times = rig.home / "commits.json", rig.home / "times"
    bridge = rig.start_bridge(devices, module=("bench.observed", str(noted)))
    try:
        rig.bear(bridge, plant)
        first = plant.sent
        data = plant.data(int(rate * seconds))
        before = cpu_s(bridge.pid)
        rig.publish(data, 0, "--rate", str(rate), "--times", str(times))
        bridge.wait_until(lambda: rig.has_counted(plant), "the last DDATA")
        cpu_us = (cpu_s(bridge.pid) - before) / len(data) * 1e6
        cut = rig.was_cut()
    finally:
        bridge.stop()
    sent = array("q")
    sent.frombytes(times.read_bytes())
    found = _latency(json.loads(noted.read_text()), sent, first, devices, rate, cpu_us)
    return replace(found, cut=cut, sustained=found.sustained and not cut)


def _latency(
    commits: list[tuple[int, str, int]], sent: array[int], first: int, devices: int, rate: int, cpu_us: float
) -> Latency:
    """A commit that holds a device's n-th message holds those before it too, where no commit before had them.

    `first` are the messages before those that are measured, as many of each device.
    """
    numbers = {equipment_path(device, devices): device for device in range(devices)}
    taken = [first // devices] * devices
    late_ms = [0.0] * len(sent)
    moments: set[int] = set()
    for at_ns, path, good in commits:
        device = numbers[path]
        for count in range(taken[device], good):
            place = count * devices + device - first
            late_ms[place] = (at_ns - sent[place]) / 1e6
            moments.add(at_ns)
        taken[device] = max(taken[device], good)
    ordered = sorted(late_ms)
    tail = sorted(late_ms[-max(1, len(late_ms) // 10) :])

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return Latency(
        asked_per_s=rate,
        per_s=(len(sent) - 1) / max((sent[-1] - sent[0]) / 1e9, 1e-9),
        p50_ms=percentile(0.5),
        p90_ms=percentile(0.9),
        p99_ms=percentile(0.99),
        most_ms=ordered[-1],
        sustained=tail[len(tail) // 2] <= SUSTAINED_MS,
        cpu_us=cpu_us,
        batch=len(sent) / max(1, len(moments)),
        cut=False,
    )


def search(rig: Rig, devices: int, rates: Sequence[int], seconds: float, fastest: float) -> list[Latency]:
    """Every rate that is asked for; where one is not sustained, the highest of some shares of `fastest` that is."""
    found = [measure(rig, devices, rate, seconds) for rate in rates]
    if all(one.sustained for one in found):
        return found
    for share in SHARES:
        rate = max(1, round(fastest * share / 10) * 10)
        if any(one.sustained and one.asked_per_s >= rate for one in found):
            break
        found.append(measure(rig, devices, rate, seconds))
        if found[-1].sustained:
            break
    return found
