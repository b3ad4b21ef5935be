"""Redis: whether it answers and keeps what it confirms, how long a commit takes, and who has the site's lease."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bridge.clock import Clock
from bridge.doctor.clock import Reading
from bridge.doctor.finding import Finding, Place
from bridge.plant import Plant
from state.errors import StoreUnavailable
from state.redis_store import RedisStore
from state.store import Leader
from state.survey.redis import Assurance, Survey

OLDEST: Final = 7
"""The major version of Redis whose scripts and commands the bridge uses."""
TRIES: Final = 5
SLOW_MS: Final = 50.0
"""The bridge gathers inputs for at most as long."""
NEARLY_FULL: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSeen:
    """What was read of Redis. `commits_ms` is how long tried commits took; `refusal` why there are none."""

    survey: Survey
    reading: Reading
    durability: Sequence[Assurance]
    leader: Leader | None
    commits_ms: tuple[float, ...]
    refusal: str = ""


async def see_store(store: RedisStore, clock: Clock) -> StoreSeen:
    """Ask Redis everything. Raises `StoreUnavailable`."""
    durability = await store.durability()
    asked_ms = clock.now_ms()
    survey = await store.survey()
    reading = Reading(asked_ms=asked_ms, answered_ms=clock.now_ms(), told_ms=survey.now_ms)
    leader = await store.leader()
    commits_ms: list[float] = []
    refusal = ""
    try:
        for _ in range(TRIES):
            began_s = time.perf_counter()
            await store.try_commit()
            commits_ms.append((time.perf_counter() - began_s) * 1000)
    except StoreUnavailable as error:
        refusal = str(error)
    return StoreSeen(
        survey=survey,
        reading=reading,
        durability=durability,
        leader=leader,
        commits_ms=tuple(commits_ms),
        refusal=refusal,
    )


def place_of(plant: Plant) -> Place:
    """The store as findings name it: without what a url may hide."""
    url = urlsplit(plant.settings.redis.url)
    return Place("redis", f"{url.hostname or 'localhost'}:{url.port or 6379}")


def examine_store(place: Place, seen: StoreSeen, *, accepts_weak: bool, now_ms: int) -> Iterator[Finding]:
    """Everything about a Redis that answered."""
    yield _version(place, seen.survey)
    yield from (_durability(place, one, accepts_weak=accepts_weak) for one in seen.durability)
    yield _memory(place, seen.survey)
    yield _commit(place, seen)
    yield _leader(place, seen.leader, now_ms)


def _version(place: Place, survey: Survey) -> Finding:
    if not survey.product:
        return place.warning("it does not tell its version", "allow `INFO` to this user")
    if survey.version[0] < OLDEST:
        return place.wrong(f"it is {survey.product}", f"use Redis {OLDEST} or later, or Valkey")
    return place.ok(f"it is {survey.product}")


def _durability(place: Place, one: Assurance, *, accepts_weak: bool) -> Finding:
    if not one.weakness:
        return place.ok(one.name)
    if accepts_weak:
        return place.warning(one.weakness, "bridge.yaml accepts that (accept_weak_durability)")
    return place.wrong(one.weakness)


def _memory(place: Place, survey: Survey) -> Finding:
    used = f"{survey.memory_used / 1e6:.0f} MB of memory used"
    if not survey.product:
        return place.warning("it does not tell how full it is", "allow `INFO` to this user")
    if not survey.memory_limit:
        return place.ok(f"{used}, no limit")
    share = survey.memory_used / survey.memory_limit
    text = f"{used}, {share:.0%} of its limit"
    if share > NEARLY_FULL:
        return place.warning(text, "raise maxmemory, or move away what else it keeps: a full Redis takes no commits")
    return place.ok(text)


def _commit(place: Place, seen: StoreSeen) -> Finding:
    if seen.refusal:
        return place.wrong(f"a commit fails: {seen.refusal}")
    text = f"a commit takes {median(seen.commits_ms):.1f} ms, the longest {max(seen.commits_ms):.1f} ms"
    if median(seen.commits_ms) > SLOW_MS:
        return place.warning(text, "give it a faster disk, or bring it nearer: every step waits for it")
    return place.ok(text)


def _leader(place: Place, leader: Leader | None, now_ms: int) -> Finding:
    if leader is None:
        return place.ok("no bridge has the site's lease")
    minutes = max(0, now_ms - leader.since_ms) // 60_000
    return place.ok(f"the bridge {leader.holder} has the site's lease for {minutes} min")
