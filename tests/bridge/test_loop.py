"""The loop alone: nothing is acted on, and nothing acknowledged, before its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import STILL_S, CoreTime, Pulse
from bridge.core.input import (
    Acted,
    ActKind,
    Destination,
    HostConnected,
    Input,
    Notice,
    OrdersArrived,
    Request,
    Send,
    Setback,
    Tick,
    UnsDocument,
)
from bridge.delivery import Delivery
from bridge.loop import CALM_MS, Entering, Loop, Pressure, Stall
from bridge.wiring import new_core
from odoo_adapter.odoo import OrderRead, OrdersRead
from state.errors import Fenced, StoreUnavailable
from state.memory_store import FaultPoint, MemoryStore
from state.record import Commit
from tests.bridge.simulator.listener import until
from tests.bridge.site import ManualClock, plant_in


class Watch:
    """A shell that writes down what it is asked for, beside the commits."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.seen: list[str] = []
        self._deliveries = deliveries

    def act(self, request: Request) -> None:
        if isinstance(request, Send):
            self._deliveries[0].send(request)
        self.seen.append(request.name if isinstance(request, Notice) else type(request).__name__)

    def stalled(self, stall: Stall, reason: str) -> None:
        self.seen.append(f"stalled {stall.name}")

    def recovered(self, stall: Stall) -> None:
        self.seen.append(f"recovered {stall.name}")

    def note(self, point: FaultPoint, commit: Commit) -> None:
        self.seen.append(point)

    async def acknowledge(self) -> None:
        self.seen.append("acknowledged")


class Away:
    """A broker to which nothing can be sent."""

    destination = Destination.BROKER
    batch = 1

    def __init__(self) -> None:
        self.attempts = 0

    async def carry(self, send: Send) -> Sequence[Input]:
        self.attempts += 1
        return [Setback(keys=tuple(entry.key for entry in send.entries), reason="away", uncertain=False)]

    async def mended(self) -> bool:
        return False


class Bench:
    """A loop on a store in memory."""

    def __init__(
        self, folder: Path, outbox_limit: int = 1000, carrier: Away | None = None, pulse: Pulse | None = None
    ) -> None:
        self.deliveries = [Delivery(carrier, self._enter)] if carrier else []
        self.clock, self.watch = ManualClock(), Watch(self.deliveries)
        self.store = MemoryStore(clock=self.clock.now_ms, fault=self.watch.note)
        self._core = new_core(plant_in(folder))
        self._outbox_limit = outbox_limit
        self._pulse = pulse

    async def begin(self) -> tuple[Loop, asyncio.Task[None]]:
        lease = await self.store.acquire("loop", 10_000)
        assert lease is not None
        loop = Loop(
            self._core,
            self.store,
            lease,
            number=0,
            clock=self.clock,
            shell=self.watch,
            deliveries=self.deliveries,
            queue_size=10,
            patience_ms=1_000,
            outbox_limit=self._outbox_limit,
            pulse=self._pulse,
            time=CoreTime(lambda: self.clock.passed_s),
        )
        self._loop = loop
        task = asyncio.create_task(loop.run())
        await loop.enter(self.orders("mo-0"))
        await until(lambda: "ShowOrder" in self.watch.seen)
        self.watch.seen.clear()
        return loop, task

    async def _enter(self, entered: Input) -> None:
        await self._loop.enter(Entering(input=entered, at_ms=self.clock.now_ms()))

    def orders(self, *orders: str) -> Entering:
        read = tuple(OrderRead(order=one, name=one, state="confirmed", document={"quantity": "1"}) for one in orders)
        return Entering(input=OrdersArrived(OrdersRead(orders=read, cursor="1")), at_ms=self.clock.now_ms())

    def all_skipped(self) -> Entering:
        keys = tuple(entry.key for entry in self._core.outbox.entries())
        act = Acted(id="a1", kind=ActKind.SKIP, keys=keys, by="ann", reason="not wanted")
        return Entering(input=act, at_ms=self.clock.now_ms(), act="a1")


async def end(loop: Loop, task: asyncio.Task[None]) -> None:
    loop.finish()
    await asyncio.wait_for(task, 5)


async def test_nothing_is_acted_on_or_acknowledged_before_the_commit(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    payload = b'{"id": "1", "order": "mo-9", "version": 1, "status": "accepted"}'
    document = UnsDocument("uns/v1/acme/berlin/order/mo-9/ack", payload)
    await loop.enter(bench.orders("mo-1"))
    await loop.enter(Entering(input=document, at_ms=0, committed=bench.watch.acknowledge))
    await end(loop, task)
    seen = bench.watch.seen
    assert seen[:5] == ["before commit", "after commit", "acknowledged", "ShowOrder", "order-unknown"]


async def test_a_claim_is_stored_before_it_is_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, carrier=Away())
    worker, idle = bench.deliveries[0], list[bool]()

    def note_worker(point: FaultPoint, commit: Commit) -> None:
        if point is FaultPoint.BEFORE_COMMIT:
            idle.append(worker.idle)

    bench.store.fault = note_worker
    loop, task = await bench.begin()
    await end(loop, task)
    assert (set(idle), worker.idle) == ({True}, False)


async def test_the_same_commit_is_repeated_until_the_store_takes_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    tries: list[Commit] = []

    def fail_twice(point: FaultPoint, commit: Commit) -> None:
        if point is FaultPoint.BEFORE_COMMIT and len(tries) < 2:
            tries.append(commit)
            bench.clock.advance(1_000)
            raise StoreUnavailable("away")

    bench.store.fault = fail_twice
    await loop.enter(bench.orders("mo-1"))
    await until(lambda: "ShowOrder" in bench.watch.seen)
    bench.clock.advance(CALM_MS)
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms()))
    await end(loop, task)
    assert tries[0] is tries[1]
    assert [seen for seen in bench.watch.seen if seen != "order-unknown"] == [
        "stalled STORE",
        "ShowOrder",
        "recovered STORE",
    ]


async def test_a_clock_that_is_set_back_does_not_prolong_the_patience_with_the_store(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    waited_ms = [-60_000, 600, 600]

    def fail(point: FaultPoint, commit: Commit) -> None:
        if point is FaultPoint.BEFORE_COMMIT and waited_ms:
            bench.clock.advance(waited_ms.pop(0))
            raise StoreUnavailable("away")

    bench.store.fault = fail
    await loop.enter(bench.orders("mo-1"))
    await until(lambda: "ShowOrder" in bench.watch.seen)
    await end(loop, task)
    assert bench.watch.seen[0] == "stalled STORE"


async def test_a_loop_that_was_fenced_acts_on_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    bench.clock.advance(20_000)
    assert await bench.store.acquire("another", 10_000) is not None
    await loop.enter(bench.orders("mo-1"))
    with pytest.raises(Fenced):
        await asyncio.wait_for(task, 5)
    assert "ShowOrder" not in bench.watch.seen


async def test_a_full_outbox_is_said_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, outbox_limit=2)
    loop, task = await bench.begin()
    await loop.enter(bench.orders("mo-1", "mo-2", "mo-3"))
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms()))
    await end(loop, task)
    assert bench.watch.seen.count("stalled OUTBOX") == 1


async def test_an_outbox_with_room_is_said_to_have_some_after_a_while_although_nothing_comes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, outbox_limit=2)
    loop, task = await bench.begin()
    await loop.enter(bench.orders("mo-1", "mo-2"))
    await until(lambda: "stalled OUTBOX" in bench.watch.seen)
    await loop.enter(bench.all_skipped())
    bench.clock.advance(CALM_MS)
    await until(lambda: "recovered OUTBOX" in bench.watch.seen)
    await end(loop, task)
    assert [seen for seen in bench.watch.seen if "OUTBOX" in seen] == ["stalled OUTBOX", "recovered OUTBOX"]


@given(st.lists(st.tuples(st.integers(0, 2 * CALM_MS), st.booleans()), max_size=60))
def test_whatever_fails_and_succeeds_the_host_is_offline_for_a_while_and_calm_before_it_is_back(
    moments: list[tuple[int, bool]],
) -> None:
    pressure, now_ms, began_ms, failed_ms = Pressure(), 0, 0, 0
    for after_ms, fails in moments:
        now_ms += after_ms
        was_on = pressure.is_on(Stall.STORE)
        if fails:
            assert pressure.rises(Stall.STORE, now_ms) is not was_on
            failed_ms, began_ms = now_ms, began_ms if was_on else now_ms
        is_over = (was_on or fails) and now_ms - failed_ms >= CALM_MS
        assert pressure.over(now_ms) == ((Stall.STORE,) if is_over else ())
        assert not is_over or now_ms - began_ms >= CALM_MS


async def test_a_clock_that_is_set_forward_brings_no_host_back_before_it_was_calm(tmp_path: Path) -> None:
    bench = Bench(tmp_path, outbox_limit=2)
    loop, task = await bench.begin()
    await loop.enter(bench.orders("mo-1", "mo-2"))
    await until(lambda: "stalled OUTBOX" in bench.watch.seen)
    bench.clock.set_forward(3_600_000)
    await loop.enter(bench.all_skipped())
    await end(loop, task)
    assert [seen for seen in bench.watch.seen if "OUTBOX" in seen] == ["stalled OUTBOX"]


async def test_a_cancellation_that_meets_an_input_ends_the_loop(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    await loop.enter(Entering(input=HostConnected(), at_ms=bench.clock.now_ms()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_an_act_is_ticked_off_by_the_commit_of_its_input(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    commits: list[Commit] = []
    loop, task = await bench.begin()
    bench.store.fault = lambda point, commit: commits.append(commit)
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms(), act="a1"))
    await end(loop, task)
    assert commits[0].acts_done == ("a1",)


async def test_a_retry_that_falls_due_while_its_setback_is_stored_is_tried(tmp_path: Path) -> None:
    away = Away()
    bench = Bench(tmp_path, carrier=away)
    loop, task = await bench.begin()

    def take_long(point: FaultPoint, commit: Commit) -> None:
        if away.attempts == 1 and point is FaultPoint.AFTER_COMMIT:
            bench.clock.advance(2_000)

    bench.store.fault = take_long
    bench.clock.advance(1_000)  # nothing but the retry is due then
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms()))
    delivering = asyncio.create_task(bench.deliveries[0].run())
    await until(lambda: away.attempts > 1)
    delivering.cancel()
    await end(loop, task)


async def test_that_the_process_stood_still_is_known_before_what_was_read_since(tmp_path: Path) -> None:
    now_s = 100.0
    pulse = Pulse(lambda: now_s)
    bench = Bench(tmp_path, pulse=pulse)
    pulse.beat()
    loop, task = await bench.begin()
    now_s += STILL_S
    await loop.enter(bench.orders("mo-1"))
    await loop.enter(bench.orders("mo-2"))
    await end(loop, task)
    assert [each for each in bench.watch.seen if "commit" not in each] == [
        "bridge.stood_still",
        "ShowOrder",
        "ShowOrder",
    ]
