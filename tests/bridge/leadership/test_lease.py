"""The lease in the hands of a run: waiting for it, asking for it, and what a store that is away means for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.leadership.lease import Leadership, lead
from state.errors import Fenced, StoreUnavailable
from state.memory_store import MemoryStore
from state.store import Leader, Lease
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import ManualClock, Site, plant_in


class Interrupted(MemoryStore):
    """A store that is away at times. Its clock is moved by hand."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock.now_ms)
        self.is_away = False
        self.asked = 0

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        self._answer()
        return await super().acquire(holder, ttl_ms)

    async def renew(self, lease: Lease) -> bool:
        self._answer()
        return await super().renew(lease)

    async def leader(self) -> Leader | None:
        self._answer()
        return await super().leader()

    def _answer(self) -> None:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Interrupted:
    return Interrupted(clock)


async def leading(store: MemoryStore, ttl_ms: int = 2_000) -> Leadership:
    lease = await store.acquire("leader", ttl_ms)
    assert lease is not None
    return Leadership(store, lease, "acme/berlin")


async def test_a_lease_is_ours_until_the_store_says_otherwise(store: Interrupted, clock: ManualClock) -> None:
    leadership = await leading(store)
    clock.advance(60_000)  # it ran out, and nobody took it
    assert await leadership.is_ours()
    clock.advance(60_000)
    assert await store.acquire("another", 2_000) is not None
    assert not await leadership.is_ours()


async def test_a_lease_at_a_store_that_is_away_is_nobodys(store: Interrupted) -> None:
    leadership = await leading(store)
    store.is_away = True
    assert not await leadership.is_ours()


async def test_nothing_is_confirmed_while_the_store_is_away_and_it_is_when_it_is_back(store: Interrupted) -> None:
    leadership = await leading(store)
    store.is_away = True
    confirming = asyncio.create_task(leadership.confirm())
    await until(lambda: store.asked > 2)
    assert not confirming.done()
    store.is_away = False
    await asyncio.wait_for(confirming, 5)


async def test_a_lease_that_was_lost_is_not_confirmed(store: Interrupted, clock: ManualClock) -> None:
    leadership = await leading(store)
    clock.advance(60_000)
    assert await store.acquire("another", 2_000) is not None
    with pytest.raises(Fenced, match="another bridge took over the site acme/berlin"):
        await leadership.confirm()


async def test_each_silence_of_the_store_is_told_once_and_not_at_each_try(store: Interrupted) -> None:
    leadership = await leading(store, ttl_ms=30)
    with capture_logs() as logs:
        async with running(leadership.keep()):
            for _ in range(2):
                store.is_away = True
                await until(asked_again(store))
                store.is_away = False
                await until(asked_again(store))
    assert [(each["event"], each["reason"]) for each in logs] == [("lease.not_renewed", "away")] * 2


def asked_again(store: Interrupted) -> Callable[[], bool]:
    """Whether the store was asked three times more."""
    before = store.asked
    return lambda: store.asked >= before + 3


async def test_a_standby_outlasts_a_store_that_is_away_and_lets_the_leader_come_first(tmp_path: Path) -> None:
    site = Site(plant_in(tmp_path))
    site.store = store = Interrupted(site.clock)
    leader = await leading(store)
    stop = asyncio.Event()
    with capture_logs() as logs:
        waiting = asyncio.create_task(lead(site.plant, site.outside, stop))
        await until(lambda: store.asked > 2)
        store.is_away = True
        await until(lambda: any(line["event"] == "lease.not_seen" for line in logs))
        site.clock.advance(60_000)  # the lease ran out meanwhile
        asked = store.asked
        store.is_away = False
        await until(lambda: store.asked > asked)
        assert await leader.is_ours()
        stop.set()
        assert await asyncio.wait_for(waiting, 5) is None
    assert [line["event"] for line in logs] == ["lease.held_by_another", "lease.not_seen"]


async def test_a_lease_is_renewed_while_a_large_site_is_read(store: Interrupted) -> None:
    leadership = await leading(store, ttl_ms=30)
    asked = store.asked

    async def read() -> str:
        await until(lambda: store.asked >= asked + 3)
        return "all"

    assert await leadership.while_kept(read()) == "all"


async def test_reading_ends_when_the_lease_is_lost_meanwhile(store: Interrupted, clock: ManualClock) -> None:
    leadership = await leading(store, ttl_ms=30)
    clock.advance(60_000)
    assert await store.acquire("another", 2_000) is not None
    with pytest.raises(ExceptionGroup) as ended:
        await leadership.while_kept(asyncio.sleep(60))
    assert ended.value.subgroup(Fenced) is not None
