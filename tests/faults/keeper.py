"""The store of the simulation: a server that outlives the bridge, and what each process sees of it over a wire.

The server is `MemoryStore`, which passes the suite of the Redis store. It applies what arrives also when who sent it
has died, or has given up waiting.
"""

from __future__ import annotations

from asyncio import Future
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from state.errors import StateError, StoreUnavailable
from state.memory_store import MemoryStore
from state.record import Commit, RecordId, Stored, Table
from state.store import Act, Leader, Lease
from tests.faults.machine import Machine, Universe, at_once

T = TypeVar("T")
TIMEOUT_S: Final = 2.0
KEPT_STATES: Final = 400
"""How many commits back a failover may go."""
WEAK: Final = "writes are confirmed before a replica has them"


@dataclass(slots=True)
class Trouble:
    """What is wrong with the store now. Numbers of commits count down."""

    is_away: bool = False
    is_read_only: bool = False
    slow_s: float = 0.0
    fail_before: int = 0
    """So many next commits do not arrive."""
    fail_after: int = 0
    """So many next commits are applied, and nobody hears of it."""


class Server(MemoryStore):
    """The server, with the states it was in, so that it can fall back to one."""

    def __init__(self, universe: Universe, chance: Random, note: Callable[[str], None], *, is_weak: bool) -> None:
        self.universe = universe
        self.here = universe.machine("store")
        self.chance = chance
        self.note = note
        self.trouble = Trouble()
        self.is_weak = is_weak
        self.lost_commits = 0
        self.fell_back: Callable[[int], None] = lambda number: None
        self._newest_token = 0
        self._states: deque[tuple[float, int, dict[RecordId, bytes], str, dict[str, Act]]] = deque(maxlen=KEPT_STATES)
        super().__init__(clock=lambda: universe.now_ms, weaknesses=(WEAK,) if is_weak else ())

    @property
    def number(self) -> int:
        """The number of the last commit."""
        return self._number

    async def commit(self, lease: Lease, commit: Commit) -> None:
        if self.is_weak:
            self._states.append((self.universe.now_s, self._number, dict(self._records), self._hash, dict(self._acts)))
        await super().commit(lease, commit)
        if lease.token < self._newest_token:
            self.universe.defects.append(f"the store took commit {commit.number} of a bridge that was fenced out")
        self._newest_token = max(self._newest_token, lease.token)

    def fail_over(self, lag_s: float) -> None:
        """A replica takes over that has not heard of the last commits."""
        since_s, now = self.universe.now_s - lag_s, self._number
        while self._states and self._states[-1][0] >= since_s:
            _, self._number, self._records, self._hash, self._acts = self._states.pop()
        self.lost_commits += now - self._number
        self.fell_back(self._number)
        self.note(f"the store falls back from commit {now} to {self._number}")


class Wire:
    """A `Store` of one process: the server, as far as it can be reached."""

    def __init__(self, server: Server, machine: Machine, committed: Callable[[Machine, int], None]) -> None:
        self._server = server
        self._machine = machine
        self._committed = committed

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        """By the machine's name: the bridge's own is another whenever the same schedule is played."""
        return await self._ask(lambda: self._server.acquire(self._machine.name, ttl_ms), writes=True)

    async def renew(self, lease: Lease) -> bool:
        return await self._ask(lambda: self._server.renew(lease), writes=True)

    async def release(self, lease: Lease) -> None:
        await self._ask(lambda: self._server.release(lease), writes=True)

    async def leader(self) -> Leader | None:
        return await self._ask(self._server.leader)

    async def load(self) -> Stored:
        return await self._ask(self._server.load)

    async def read(self, table: Table) -> dict[str, bytes]:
        return await self._ask(lambda: self._server.read(table))

    async def read_one(self, table: Table, id: str) -> bytes | None:
        return await self._ask(lambda: self._server.read_one(table, id))

    async def traced(self, prefix: str, limit: int) -> Sequence[str]:
        return await self._ask(lambda: self._server.traced(prefix, limit))

    async def commit(self, lease: Lease, commit: Commit) -> None:
        trouble = self._server.trouble
        if trouble.fail_before > 0:
            trouble.fail_before -= 1
            raise StoreUnavailable("the connection was lost before the commit")
        await self._ask(lambda: self._commit(lease, commit), writes=True)
        if trouble.fail_after > 0:
            trouble.fail_after -= 1
            raise StoreUnavailable("the answer to the commit was lost")
        self._server.note(f"{self._machine.name} committed {commit.number}: {len(commit.puts)} records")

    async def _commit(self, lease: Lease, commit: Commit) -> None:
        await self._server.commit(lease, commit)
        self._committed(self._machine, commit.number)

    async def submit(self, act: Act) -> None:
        await self._ask(lambda: self._server.submit(act), writes=True)

    async def acts(self) -> Sequence[Act]:
        return await self._ask(self._server.acts)

    async def weaknesses(self) -> Sequence[str]:
        return await self._ask(self._server.weaknesses)

    async def close(self) -> None:
        """Nothing to close."""

    async def _ask(self, ask: Callable[[], Coroutine[object, object, T]], *, writes: bool = False) -> T:
        server, answer = self._server, self._machine.create_future()
        server.here.call_later(self._takes_s(), self._carry_out, ask, writes, answer)
        unanswered = self._machine.call_later(
            TIMEOUT_S, _fail, answer, StoreUnavailable("the store did not answer in time")
        )
        try:
            result: T = await answer
            return result
        finally:
            unanswered.cancel()

    def _carry_out(self, ask: Callable[[], Coroutine[object, object, T]], writes: bool, answer: Future[T]) -> None:
        trouble = self._server.trouble
        if trouble.is_away:
            return
        try:
            if writes and trouble.is_read_only:
                raise StoreUnavailable("READONLY You can't write against a read only replica.")
            result = at_once(ask())
        except StateError as error:
            self._machine.call_later(self._takes_s(), _fail, answer, error)
        else:
            self._machine.call_later(self._takes_s(), _succeed, answer, result)

    def _takes_s(self) -> float:
        return 0.0002 + self._server.chance.random() * 0.002 + self._server.trouble.slow_s


def _succeed(answer: Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: Future[T], error: StateError) -> None:
    if not answer.done():
        answer.set_exception(error)
