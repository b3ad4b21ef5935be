"""What the doctor says of Redis, and on a real one that a look leaves nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.clock import SystemClock
from bridge.doctor.clock import Reading
from bridge.doctor.finding import Finding, Level, Place
from bridge.doctor.store import StoreSeen, examine_store, see_store
from state.errors import StoreUnavailable
from state.redis_store import RedisStore
from state.server.settings import RedisSettings
from state.store import Leader
from state.survey.redis import Assurance, Survey
from tests.servers import Redis, StartRedis

PLACE = Place("redis", "r:6379")
SURVEY = Survey(product="Redis 7.2.4", version=(7, 2, 4), now_ms=0, memory_used=1_000_000, memory_limit=0)
WELL = StoreSeen(
    survey=SURVEY,
    reading=Reading(asked_ms=0, answered_ms=0, told_ms=0),
    durability=(Assurance("appendonly yes"),),
    leader=None,
    commits_ms=(0.7, 0.9, 7.0),
)


def found(seen: StoreSeen, *, accepts_weak: bool = False) -> list[Finding]:
    return list(examine_store(PLACE, seen, accepts_weak=accepts_weak, now_ms=600_000))


def bad(seen: StoreSeen) -> list[tuple[Level, str]]:
    return [(one.level, one.text) for one in found(seen) if one.level is not Level.OK]


def test_a_redis_that_is_well() -> None:
    assert [one.text for one in found(replace(WELL, leader=Leader(holder="host:1", since_ms=0)))] == [
        "it is Redis 7.2.4",
        "appendonly yes",
        "1 MB of memory used, no limit",
        "a commit takes 0.9 ms, the longest 7.0 ms",
        "the bridge host:1 has the site's lease for 10 min",
    ]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (
            replace(WELL, survey=replace(SURVEY, product="Redis 6.2.1", version=(6, 2, 1))),
            (Level.WRONG, "it is Redis 6.2.1"),
        ),
        (
            replace(WELL, survey=replace(SURVEY, memory_limit=1_100_000)),
            (Level.WARNING, "1 MB of memory used, 91% of its limit"),
        ),
        (replace(WELL, durability=(Assurance("x", "it forgets"),)), (Level.WRONG, "it forgets")),
        (
            replace(WELL, commits_ms=(60.0, 60.0, 61.0)),
            (Level.WARNING, "a commit takes 60.0 ms, the longest 61.0 ms"),
        ),
        (replace(WELL, commits_ms=(), refusal="it is full"), (Level.WRONG, "a commit fails: it is full")),
    ],
    ids=["old", "full", "weak", "slow", "refusing"],
)
def test_what_is_wrong_with_it_is_told(seen: StoreSeen, told: tuple[Level, str]) -> None:
    assert bad(seen) == [told]


def test_a_weakness_that_the_plant_accepts_is_a_warning() -> None:
    weak = replace(WELL, durability=(Assurance("x", "it forgets"),))
    assert [one.level for one in found(weak, accepts_weak=True) if one.text == "it forgets"] == [Level.WARNING]


@pytest.fixture
async def store(redis_server: Redis) -> AsyncIterator[RedisStore]:
    store = RedisStore(RedisSettings(url=redis_server.url), "doctor/look")
    yield store
    await store.close()


@pytest.mark.redis
async def test_a_look_leaves_nothing_and_names_who_leads(store: RedisStore) -> None:
    lease = await store.acquire("run-1", 60_000)
    before = await store.load()
    seen = await see_store(store, SystemClock())
    assert (await store.load(), await store.acts()) == (before, ())
    assert (seen.leader and seen.leader.holder, seen.refusal, len(seen.commits_ms)) == ("run-1", "", 5)
    assert [one.weakness for one in seen.durability if one.weakness] == []
    assert lease is not None
    await store.release(lease)


@pytest.mark.redis
async def test_a_full_redis_is_found_by_trying(start_redis: StartRedis) -> None:
    server = start_redis({"maxmemory": "1mb"})
    store = RedisStore(RedisSettings(url=server.url), "doctor/full")
    seen = await see_store(store, SystemClock())
    await store.close()
    assert "is full (maxmemory)" in seen.refusal


async def test_a_redis_that_is_not_there_is_no_store_seen() -> None:
    store = RedisStore(RedisSettings(url="redis://127.0.0.1:9/0"), "doctor/none")
    with pytest.raises(StoreUnavailable):
        await see_store(store, SystemClock())
    await store.close()
