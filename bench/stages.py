"""The hot path in one process, stage by stage, on messages made beforehand: where the microseconds go.

Messages go through in batches as large as the loop's. Each stage takes the whole batch before the next one begins,
so that a clock is read twice per batch and not per message; timers are asked as often as `bridge.pipeline` asks.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.plant import Servers, write_plant
from bench.traffic import Packet, Plant
from bridge.core.input import HostConnected, Input, SparkplugMessage, Started, Tick
from bridge.core.site import Core, take_changes
from bridge.floor.settle import Settled
from bridge.loop import LARGEST_BATCH
from bridge.pipeline import step
from bridge.plant import load_plant
from bridge.recording.about import about
from bridge.recording.folder import Bounds, RecordingFolder
from bridge.recording.span import Mirror, Span
from bridge.translate import Complaint
from bridge.wiring import new_core, open_store
from ruleset.cel import Expression, Kind, Scope
from ruleset.output import Post
from ruleset.sample import Observation
from sparkplug.fact import DataRead
from sparkplug.fact import Output as HostOutput
from sparkplug.wire.payload import decode
from state.record import Commit, RecordId
from state.store import Lease, Store

BOUNDS: Final = Bounds(max_file=64_000_000, max_total=10**9, max_age_ms=3_600_000)
"""Of recordings, as by default."""
SETTLED_MS: Final = 120_000
"""How far the clock is put forward after the births, so that nothing settles any more."""

WAITING: Final = "commit, waiting"
"""By the wall clock: the service waits for the store and does something else meanwhile."""
CEL: Final = "one condition in CEL"
"""Per evaluation, not per message: the engine's stage holds two to three of them."""
RECORDING: Final = "recording"
"""All that a recording costs, in whatever thread: only plants that record have it."""
ASIDE: Final = (WAITING, CEL, RECORDING)
"""What is no part of the sum."""

STAGES: Final = (
    "decode",
    "session",
    "translate",
    "live view",
    "settle",
    "timers",
    "engine",
    "outbox",
    "next timer",
    "encode changes",
    "commit",
    WAITING,
    CEL,
    RECORDING,
)


@dataclass(slots=True)
class Clock:
    """Microseconds per message and stage, one number per batch."""

    found: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, messages: int, *, read: Callable[[], int] = time.process_time_ns) -> Iterator[None]:
        began = read()
        yield
        self.found.setdefault(name, []).append((read() - began) / messages / 1000)


@dataclass(frozen=True, slots=True)
class Line:
    """A stage's cost per message over the batches."""

    stage: str
    least_us: float
    median_us: float


async def measure(home: Path, servers: Servers, devices: int, batches: int) -> list[Line]:
    """The stages on a plant of this size."""
    plant = load_plant(write_plant(home / f"stages-{devices}", devices, servers))
    core, traffic, now_ms = new_core(plant), Plant(devices, time.time_ns() // 1_000_000), time.time_ns() // 1_000_000
    store = open_store(plant)
    try:
        lease = await store.acquire("bench", 600_000)
        assert lease is not None
        now_ms = _bear(core, traffic, now_ms)
        before = _inputs(traffic.data(devices), now_ms)
        for _, entered in before:  # every device has counted, and so has a timer, as in a plant that runs
            step(core, entered, now_ms)
        number = (await store.load()).number + 1
        await store.commit(lease, Commit(number=number, puts=take_changes(core)))
        clock = Clock()
        files = RecordingFolder(home / f"recorded-{devices}", BOUNDS, about(plant), Mirror(number, {}))
        files.write([Span(number=number, inputs=before, changes={})])  # every device has its channel
        for _ in range(batches):
            packets = traffic.data(LARGEST_BATCH)
            gc.collect()
            number += 1
            now_ms += 500
            changes = await _batch(core, packets, now_ms, clock, store, lease, number)
            with clock.stage(RECORDING, len(packets)):
                files.write([Span(number=number, inputs=_inputs(packets, now_ms), changes=changes)])
        files.finish()
    finally:
        await store.close()
    return [Line(name, min(clock.found[name]), median(clock.found[name])) for name in STAGES]


def _bear(core: Core, traffic: Plant, now_ms: int) -> int:
    """Births, and the end of settling. The time that it is then."""
    step(core, Started(), now_ms)
    step(core, HostConnected(), now_ms)
    for packet in traffic.births():
        step(core, SparkplugMessage(topic=packet.topic, payload=packet.payload, retain=False), now_ms)
    step(core, Tick(), now_ms + SETTLED_MS)
    return now_ms + SETTLED_MS


async def _batch(
    core: Core, packets: list[Packet], now_ms: int, clock: Clock, store: Store, lease: Lease, number: int
) -> Mapping[RecordId, bytes | None]:
    count = len(packets)
    with clock.stage("decode", count):
        for packet in packets:
            decode(packet.payload)
    facts: list[tuple[HostOutput, ...]] = []
    with clock.stage("session", count):
        for packet in packets:
            facts.append(core.host.receive(packet.topic, packet.payload, retain=False, now_ms=now_ms))
    clock.found["session"][-1] -= clock.found["decode"][-1]
    settled = _settle(core, [one for each in facts for one in each if isinstance(one, DataRead)], now_ms, clock)
    posts: list[Post] = []
    with clock.stage("timers", count):
        for _ in packets:
            core.host.due(now_ms)
            core.floor.settler.due(now_ms)
            core.floor.engine.due(now_ms)
            core.book.due(now_ms)
            core.floor.engine.due(now_ms)
    with clock.stage("engine", count):
        for at_ms, observations in settled:
            outputs = core.floor.engine.observe_all(observations, at_ms)
            posts += [one for one in outputs if isinstance(one, Post)]
    with clock.stage("outbox", count):
        for post in posts:
            core.postings.post(post.transaction, now_ms)
    with clock.stage("next timer", count):
        core.next_due_ms(now_ms)
    with clock.stage("encode changes", count):
        changes = take_changes(core)
    with (
        clock.stage("commit", count),
        clock.stage(WAITING, count, read=time.perf_counter_ns),
    ):
        await store.commit(lease, Commit(number=number, puts=changes))
    condition = _condition()
    with clock.stage(CEL, count):
        for _ in packets:
            condition.evaluate({"vibration_rms": 5.0})
    await asyncio.sleep(0)
    return changes


def _inputs(packets: list[Packet], now_ms: int) -> list[tuple[int, Input]]:
    return [(now_ms, SparkplugMessage(topic=packet.topic, payload=packet.payload, retain=False)) for packet in packets]


def _condition() -> Expression:
    condition = Scope({"vibration_rms": Kind.NUMBER}).compile("vibration_rms > 7.1")
    assert isinstance(condition, Expression)
    return condition


def _settle(core: Core, facts: list[DataRead], now_ms: int, clock: Clock) -> list[Settled]:
    """Translate, show and settle."""
    count = len(facts)
    translated: list[list[Observation]] = []
    with clock.stage("translate", count):
        for fact in facts:
            translated.append([one for one in core.floor.translator.fact(fact) if not isinstance(one, Complaint)])
    with clock.stage("live view", count):
        for observations in translated:
            core.live.take(observations, now_ms)
    settled: list[Settled] = []
    with clock.stage("settle", count):
        for observations in translated:
            settled += core.floor.settler.take(observations, now_ms)
    return settled
