"""RedisStore where Redis is weak, full, read-only, slow, killed or not there."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from state.errors import StoreUnavailable
from state.record import Commit, RecordId, Stored, Table
from state.redis_store import RedisStore
from state.server.settings import RedisSettings
from state.store import Act, Lease
from tests.servers import Redis, StartRedis

NODE = RecordId(Table.NODE, "plant/press-1")
QUICK = {"repl-diskless-sync-delay": "0", "shutdown-timeout": "0"}
"""Replication without the pauses that a server makes for others to join."""
QUICK_REPLICA = QUICK | {"appendonly": "no"}
"""A replica that can end at once, because it does not rewrite a file after its first copy."""
Connect = Callable[..., RedisStore]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes stores that are closed with the test."""
    stores: list[RedisStore] = []

    def make(url: str, site: str = "", **settings: object) -> RedisStore:
        store = RedisStore(RedisSettings(url=url, **settings), site or uuid.uuid4().hex)  # type: ignore[arg-type]
        stores.append(store)
        return store

    yield make
    for store in stores:
        await store.close()


async def command(server: Redis, *words: str) -> object:
    client = Client.from_url(server.url)
    try:
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]
    finally:
        await client.aclose()


async def lease_of(store: RedisStore) -> Lease:
    lease = await store.acquire("run-1", 60_000)
    assert lease is not None
    return lease


async def test_a_durable_server_has_no_weaknesses(redis_server: Redis, connect: Connect) -> None:
    assert await connect(redis_server.url).weaknesses() == ()


async def test_every_weak_setting_is_named_with_its_mend(start_redis: StartRedis, connect: Connect) -> None:
    server = start_redis({"appendonly": "no", "appendfsync": "everysec", "maxmemory-policy": "allkeys-lru"})
    await command(server, "CONFIG SET", "no-appendfsync-on-rewrite", "yes")
    assert [weakness.partition("; ")[2] for weakness in await connect(server.url).weaknesses()] == [
        "set `appendonly yes` in redis.conf",
        "set `appendfsync always` in redis.conf",
        "set `no-appendfsync-on-rewrite no` in redis.conf",
        "set `maxmemory-policy noeviction` in redis.conf",
    ]


async def test_a_server_that_hides_its_settings_is_a_weakness(start_redis: StartRedis, connect: Connect) -> None:
    server = start_redis()
    await command(server, "ACL", "SETUSER", "bridge", "on", ">s3cret", "~*", "+@all", "-config")
    store = connect(server.url.replace(":redis-password@", "bridge:s3cret@"))
    (weakness,) = await store.weaknesses()
    assert "does not let CONFIG be read" in weakness


async def test_a_replica_takes_no_commit_and_no_lease_and_is_no_weakness_to_be_accepted(
    start_redis: StartRedis, connect: Connect
) -> None:
    primary, replica = start_redis(QUICK), start_redis(QUICK_REPLICA)
    store = connect(replica.url)
    lease, before = await lease_of(store), await store.weaknesses()
    await command(replica, "CONFIG SET", "masterauth", primary.password)
    await command(replica, "REPLICAOF", primary.address, str(primary.port))
    assert await store.weaknesses() == before
    assert "is a replica" in (await store.durability())[-1].weakness
    with pytest.raises(StoreUnavailable, match="give the url of the primary"):
        await store.acquire("another", 1000)
    with pytest.raises(StoreUnavailable, match="replica: nothing was written"):
        await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))


async def test_a_commit_waits_for_the_replicas_asked_for(start_redis: StartRedis, connect: Connect) -> None:
    primary, replica = start_redis(QUICK), start_redis(QUICK_REPLICA)
    store = connect(primary.url, site="a", replicas=1, timeout_s=1)
    lease = await lease_of(store)
    commit = Commit(number=1, puts={NODE: b"1"})
    with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
        await store.commit(lease, commit)
    await command(replica, "CONFIG SET", "masterauth", primary.password)
    await command(replica, "REPLICAOF", primary.address, str(primary.port))
    async with asyncio.timeout(20):
        while True:
            try:
                await store.commit(lease, commit)
                break
            except StoreUnavailable:
                continue
    assert await connect(replica.url, site="a").load() == Stored(number=1, records={NODE: b"1"})
    assert await store.weaknesses() == ()
    assert "a commit waits for none" in (await connect(primary.url).weaknesses())[0]


async def test_too_few_replicas_refuse_the_commit_whole(start_redis: StartRedis, connect: Connect) -> None:
    server = start_redis()
    store = connect(server.url)
    lease = await lease_of(store)
    await command(server, "CONFIG SET", "min-replicas-to-write", "1")
    with pytest.raises(StoreUnavailable, match="min-replicas-to-write"):
        await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    assert await store.load() == Stored(number=0)


async def test_a_full_server_refuses_the_commit_whole_and_keeps_the_lease(
    start_redis: StartRedis, connect: Connect
) -> None:
    server = start_redis()
    store = connect(server.url)
    lease = await lease_of(store)
    await store.commit(lease, Commit(number=1, puts={NODE: b"1"}))
    await command(server, "CONFIG SET", "maxmemory", "1mb")
    removal_first = Commit(number=2, puts={NODE: None, RecordId(Table.SIGNAL, "s"): b"2"}, acts_done=("a",))
    with pytest.raises(StoreUnavailable, match="is full"):
        await store.commit(lease, removal_first)
    with pytest.raises(StoreUnavailable, match="is full"):
        await store.submit(Act(id="a", body=b"{}"))
    assert await store.load() == Stored(number=1, records={NODE: b"1"})
    assert await store.renew(lease)
    await command(server, "CONFIG SET", "maxmemory", "0")
    await store.commit(lease, removal_first)


async def test_what_was_confirmed_is_there_after_the_server_was_killed(
    start_redis: StartRedis, connect: Connect
) -> None:
    server = start_redis()
    store = connect(server.url)
    lease = await lease_of(store)
    for number in range(1, 51):
        await store.commit(lease, Commit(number=number, puts={RecordId(Table.ENTRY, str(number)): b"x"}))
    await store.submit(Act(id="a", body=b"{}"))
    server.kill()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await store.commit(lease, Commit(number=51, puts={NODE: b"1"}))
    server.start()
    stored = await store.load()
    assert (stored.number, len(stored.records)) == (50, 50)
    assert await store.acts() == (Act(id="a", body=b"{}"),)
    await store.commit(lease, Commit(number=51, puts={NODE: b"1"}))


async def test_a_commit_whose_answer_is_lost_is_repeated_without_harm(
    start_redis: StartRedis, connect: Connect
) -> None:
    server = start_redis()
    store = connect(server.url, timeout_s=0.3)
    lease = await lease_of(store)
    await command(server, "CLIENT", "PAUSE", "600", "WRITE")
    commit = Commit(number=1, puts={NODE: b"1"})
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.3 s"):
        await store.commit(lease, commit)
    async with asyncio.timeout(5):
        while True:
            try:
                await store.commit(lease, commit)
                break
            except StoreUnavailable:
                continue
    await store.commit(lease, Commit(number=2, puts={}))
    assert await store.load() == Stored(number=2, records={NODE: b"1"})


async def test_a_server_that_lost_its_scripts_is_sent_them_again(start_redis: StartRedis, connect: Connect) -> None:
    server = start_redis()
    store = connect(server.url)
    lease = await lease_of(store)
    await command(server, "SCRIPT", "FLUSH")
    assert await store.renew(lease)


async def test_a_server_that_is_not_there_is_unavailable(connect: Connect) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        store = connect(f"redis://:very-secret@127.0.0.1:{closed.getsockname()[1]}/0")
    with pytest.raises(StoreUnavailable) as caught:
        await store.load()
    assert "very-secret" not in str(caught.value)


async def test_a_wrong_password_is_a_sentence_without_the_password(redis_server: Redis, connect: Connect) -> None:
    store = connect(f"redis://:very-secret@{redis_server.host}:{redis_server.port}/0")
    with pytest.raises(StoreUnavailable, match="does not take the user or the password") as caught:
        await store.load()
    assert "very-secret" not in str(caught.value)


async def test_a_missing_password_says_so(redis_server: Redis, connect: Connect) -> None:
    with pytest.raises(StoreUnavailable, match="password"):
        await connect(f"redis://{redis_server.host}:{redis_server.port}/0").load()


async def test_the_password_is_read_from_its_file_at_every_connection(
    redis_server: Redis, connect: Connect, tmp_path: Path
) -> None:
    secret = tmp_path / "redis-password"
    store = connect(f"redis://{redis_server.host}:{redis_server.port}/0", password=secret.read_text)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await store.load()
    secret.write_text("wrong\n")
    with pytest.raises(StoreUnavailable, match="does not take"):
        await store.load()
    secret.write_text(redis_server.password + "\n")
    assert await store.load() == Stored(number=0)


@pytest.mark.parametrize(
    "url", ["redis://:very/secret@localhost:6379/0", "mqtt://:very@host", "redis://:very@host:x/0"]
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="the Redis url cannot be read") as caught:
        RedisStore(RedisSettings(url=url), "site")
    assert "very" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_url_with_a_password_beside_a_separate_one_is_refused() -> None:
    with pytest.raises(ValueError, match="give user and password apart from the url"):
        RedisStore(RedisSettings(url="redis://:x@localhost", password=lambda: "y"), "site")


async def test_its_clock_is_the_servers(redis_server: Redis, connect: Connect) -> None:
    before_ms = time.time_ns() // 1_000_000
    told_ms = await connect(redis_server.url).clock_ms()
    assert before_ms <= told_ms <= time.time_ns() // 1_000_000
