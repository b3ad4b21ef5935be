"""What the store in memory has beyond the suite: faults at will, and a clock of its own."""

from __future__ import annotations

import pytest

from state.errors import StoreUnavailable
from state.memory_store import FaultPoint, MemoryStore
from state.record import Commit, RecordId, Stored, Table

NODE = RecordId(Table.NODE, "plant/press-1")


@pytest.mark.parametrize(
    ("point", "stored"),
    [(FaultPoint.BEFORE_COMMIT, Stored(number=0)), (FaultPoint.AFTER_COMMIT, Stored(number=1, records={NODE: b"1"}))],
)
async def test_a_fault_strikes_before_or_after_the_commit_and_the_repeat_succeeds(
    point: FaultPoint, stored: Stored
) -> None:
    struck: list[int] = []

    def once(at: FaultPoint, commit: Commit) -> None:
        if at is point and not struck:
            struck.append(commit.number)
            raise StoreUnavailable("the answer was lost")

    store = MemoryStore(fault=once)
    lease = await store.acquire("run-1", 1000)
    assert lease is not None
    with pytest.raises(StoreUnavailable):
        await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    assert await store.load() == stored
    await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    assert await store.load() == Stored(number=1, records={NODE: b"1"})


async def test_leases_run_by_the_clock_that_is_given() -> None:
    now = [0]
    store = MemoryStore(clock=lambda: now[0])
    await store.acquire("run-1", 1000)
    now[0] = 999
    assert await store.acquire("run-2", 1000) is None
    now[0] = 1000
    assert await store.acquire("run-2", 1000) is not None


async def test_it_says_that_it_keeps_nothing() -> None:
    assert len(await MemoryStore().weaknesses()) == 1
    assert await MemoryStore(weaknesses=()).weaknesses() == ()
