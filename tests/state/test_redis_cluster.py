"""RedisStore on a Redis Cluster: each site on the node that has its slot, a failover, and what that may lose."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from state.errors import StoreUnavailable
from state.record import Commit, RecordId, Stored, Table
from state.redis_store import RedisStore
from state.server.settings import RedisSettings
from state.store import Act
from tests.redis_cluster import Cluster, cluster, told

pytestmark = pytest.mark.redis

NODE = RecordId(Table.NODE, "plant/press-1")
SITES = ("acme/berlin", "acme/lyon", "acme/oslo", "acme/porto")
LONG_MS = 60_000


@pytest.fixture(scope="module")
def whole() -> Iterator[Cluster]:
    """Three primaries that nobody kills."""
    with ExitStack() as stack:
        yield cluster(stack)


@pytest.fixture
def failing() -> Iterator[Cluster]:
    """Three primaries with a replica each."""
    with ExitStack() as stack:
        yield cluster(stack, replicas=True)


def store_on(cluster: Cluster, site: str, *, replicas: int = 0, timeout_s: float = 2.0) -> RedisStore:
    settings = RedisSettings(url=cluster.url, nodes=cluster.nodes, replicas=replicas, timeout_s=timeout_s)
    return RedisStore(settings, site)


async def test_each_site_is_whole_on_the_node_of_its_slot(whole: Cluster) -> None:
    assert len({whole.primary_of(site).port for site in SITES}) > 1
    for site in SITES:
        store = store_on(whole, site)
        lease = await store.acquire("run-1", LONG_MS)
        assert lease is not None
        assert await store.acquire("run-2", LONG_MS) is None
        await store.submit(Act(id="a", body=b"{}"))
        await store.commit(lease, Commit(number=1, puts={NODE: site.encode()}, acts_done=("a",)))
        assert await store.renew(lease)
        assert (await store.load(), await store.acts()) == (Stored(number=1, records={NODE: site.encode()}), ())
        assert await store.read_one(Table.NODE, NODE.id) == site.encode()
        assert await store.traced("", 9) == []
        assert await store.weaknesses() == ()
        await store.try_commit()
        await store.close()
        keys = told(whole.primary_of(site), "KEYS", "uns:*")
        assert len([key for key in keys if site.encode() in key]) >= 4


async def test_a_node_that_is_not_there_at_the_start_is_passed_over(whole: Cluster) -> None:
    settings = RedisSettings(url="redis://:redis-password@127.0.0.1:9/0", nodes=whole.nodes[1:])
    store = RedisStore(settings, SITES[0])
    assert await store.leader() is None or await store.load() is not None
    await store.close()


async def test_a_cluster_of_which_no_node_answers_is_named_with_the_last_reason() -> None:
    store = RedisStore(RedisSettings(url="redis://127.0.0.1:9/0", nodes=("127.0.0.1:9",)), SITES[0])
    with pytest.raises(StoreUnavailable, match=r"the Redis Cluster of 127\.0\.0\.1:9 .*none of its nodes tells"):
        await store.load()
    await store.close()


async def test_one_node_of_a_cluster_as_if_it_were_a_server_is_told_what_to_write(whole: Cluster) -> None:
    site = next(each for each in SITES if whole.primary_of(each) is not whole.servers[0])
    store = RedisStore(RedisSettings(url=whole.url), site)
    with pytest.raises(
        StoreUnavailable, match=r"another one has the keys of this site; name further nodes in redis\.n"
    ):
        await store.load()
    await store.close()


def test_a_database_other_than_0_is_refused() -> None:
    with pytest.raises(ValueError, match="url cannot be read"):
        RedisStore(RedisSettings(url="redis://127.0.0.1:9/3", nodes=("127.0.0.1:9",)), SITES[0])


async def test_a_primary_that_dies_is_followed_by_its_replica_and_nothing_confirmed_is_lost(failing: Cluster) -> None:
    """With WAIT, so that the replica has what was confirmed."""
    site = SITES[0]
    store = store_on(failing, site, replicas=1)
    lease = await store.acquire("run-1", LONG_MS)
    assert lease is not None
    for number in range(1, 21):
        await store.commit(lease, Commit(number=number, puts={RecordId(Table.ENTRY, str(number)): b"x"}))
    failing.primary_of(site).kill()
    last = Commit(number=21, puts={NODE: b"after"})
    async with asyncio.timeout(20):
        while True:
            try:
                await store.commit(lease, last)
                break
            except StoreUnavailable as error:
                if "replicas have the commit" in str(error):  # it has none any more: it is there all the same
                    break
    stored = await store.load()
    assert (stored.number, len(stored.records)) == (21, 21)
    assert told(failing.replica_of(site), "ROLE")[0] == b"master"
    await store.close()


async def test_a_primary_that_is_frozen_is_left_for_its_replica(failing: Cluster) -> None:
    site = SITES[1]
    store = store_on(failing, site, timeout_s=1)
    lease = await store.acquire("run-1", LONG_MS)
    assert lease is not None
    frozen = int(told(failing.primary_of(site), "INFO", "server")["process_id"])
    os.kill(frozen, signal.SIGSTOP)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    await store.acquire("run-1", LONG_MS)
                    break
                except StoreUnavailable:
                    continue
        assert told(failing.replica_of(site), "ROLE")[0] == b"master"
    finally:
        os.kill(frozen, signal.SIGCONT)
    await store.close()
