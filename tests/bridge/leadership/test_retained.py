"""A store that falls back behind what it confirmed: what the leader does, and what a start on this machine says."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.errors import ConfigError, StartRefused
from bridge.leadership.retained import MARK_FILE, CommitMark, Retained, open_mark
from state.errors import OutOfStep, StoreUnavailable
from state.memory_store import FaultPoint, MemoryStore
from state.record import Commit, RecordId, Stored, Table
from state.store import Lease

SITE = "acme/berlin"
NODE = RecordId(Table.NODE, "a/b")


def commit(number: int) -> Commit:
    return Commit(number=number, puts={RecordId(Table.ENTRY, str(number)): b"x" * 10, NODE: b"%d" % number})


@pytest.fixture
async def mark(tmp_path: Path) -> AsyncIterator[CommitMark]:
    with open_mark(tmp_path) as mark:
        yield mark


async def replica_with(commits: int) -> tuple[MemoryStore, Lease]:
    """What is promoted: it has the first so many commits, and the lease."""
    store = MemoryStore()
    lease = await store.acquire("run-1", 60_000)
    assert lease is not None
    for number in range(1, commits + 1):
        await store.commit(lease, commit(number))
    return store, lease


class FailingOver:
    """A store behind one address."""

    def __init__(self, store: MemoryStore) -> None:
        self.now = store

    async def commit(self, lease: Lease, commit: Commit) -> None:
        await self.now.commit(lease, commit)


@pytest.mark.parametrize("reached", [0, 1, 4])
async def test_a_store_that_lacks_commits_gets_them_again_and_it_is_said(reached: int, mark: CommitMark) -> None:
    whole, lease = await replica_with(0)
    address = FailingOver(whole)
    leader = Retained(address, mark)
    for number in range(1, 6):
        await leader.commit(lease, commit(number))
    address.now, lease = await replica_with(reached)
    with capture_logs() as logs:
        await leader.commit(lease, commit(6))
    await whole.commit(lease, commit(6))
    assert await address.now.load() == await whole.load()
    assert [(line["event"], line["confirmed"], line["stored"]) for line in logs] == [("store.fell_back", 5, reached)]


async def test_a_store_that_fails_in_the_midst_of_it_gets_the_rest_with_the_next_try(mark: CommitMark) -> None:
    whole, lease = await replica_with(0)
    address = FailingOver(whole)
    leader = Retained(address, mark)
    for number in range(1, 6):
        await leader.commit(lease, commit(number))
    address.now, lease = await replica_with(1)

    def fail_once(point: FaultPoint, failing: Commit) -> None:
        if point is FaultPoint.BEFORE_COMMIT and failing.number == 4:
            address.now.fault = lambda _, __: None
            raise StoreUnavailable("again")

    address.now.fault = fail_once
    with pytest.raises(StoreUnavailable):
        await leader.commit(lease, commit(6))
    await leader.commit(lease, commit(6))
    assert (await address.now.load()).number == 6


async def test_a_store_that_lacks_more_than_was_retained_is_out_of_step(mark: CommitMark) -> None:
    whole, lease = await replica_with(0)
    address = FailingOver(whole)
    leader = Retained(address, mark, largest=40)
    for number in range(1, 6):
        await leader.commit(lease, commit(number))
    address.now, lease = await replica_with(1)
    with pytest.raises(OutOfStep, match="commit 6 does not follow the stored number 1"):
        await leader.commit(lease, commit(6))
    assert await address.now.load() == Stored(number=1, records=(await address.now.load()).records)


async def test_a_store_that_another_one_went_on_with_is_out_of_step(mark: CommitMark) -> None:
    store, lease = await replica_with(2)
    with pytest.raises(OutOfStep, match="commit 2 is stored with other content"):
        await Retained(store, mark).commit(lease, Commit(number=2, puts={NODE: b"other"}))


async def test_a_start_on_a_store_with_less_than_it_confirmed_here_is_refused_with_both_numbers(tmp_path: Path) -> None:
    store, lease = await replica_with(0)
    with open_mark(tmp_path) as mark:
        leader = Retained(store, mark)
        for number in range(1, 4):
            await leader.commit(lease, commit(number))
    with open_mark(tmp_path) as mark:
        mark.refuse_less(3, SITE)
        with pytest.raises(StartRefused, match=r"has commit 1 of acme/berlin, and confirmed 3 .*: 2 are lost.*remove"):
            mark.refuse_less(1, SITE)
    (tmp_path / MARK_FILE).unlink()
    with open_mark(tmp_path) as mark:
        mark.refuse_less(1, SITE)


def test_a_mark_that_cannot_be_written_is_a_problem_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / MARK_FILE).mkdir()
    with pytest.raises(ConfigError, match=r"commit: .*cannot be kept"), open_mark(tmp_path):
        pass


async def test_a_disk_that_is_full_ends_no_bridge_and_is_told_once() -> None:
    store, lease = await replica_with(0)
    full = os.open("/dev/full", os.O_RDWR)
    with capture_logs() as logs:
        retained = Retained(store, CommitMark(Path("/dev/full"), full))
        for number in (1, 2):
            await retained.commit(lease, commit(number))
    os.close(full)
    assert (await store.load()).number == 2
    assert [(line["event"], line["reason"]) for line in logs] == [("commit.not_marked", "No space left on device")]
