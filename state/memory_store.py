"""MemoryStore: the store of tests and of dry runs. It keeps nothing when the process ends.

One instance plays the server: several holders, one after another or at once, use the same instance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeAlias

from state.errors import Fenced, OutOfStep
from state.record import NOT_LOADED, TRACES_KEPT, Commit, RecordId, Stored, Table, content_hash
from state.store import Act, Leader, Lease


class FaultPoint(StrEnum):
    """Where a `Fault` is asked whether to strike."""

    BEFORE_COMMIT = "before commit"
    """Nothing is stored yet."""
    AFTER_COMMIT = "after commit"
    """Everything is stored, the caller has not heard of it."""


Fault: TypeAlias = Callable[[FaultPoint, Commit], None]
"""Called at each fault point; what it raises is what the caller of `commit` gets."""

ONLY_MEMORY = "the store is in memory: everything is lost when the process ends; give a Redis url"


def no_fault(point: FaultPoint, commit: Commit) -> None:
    """Let everything pass."""


def wall_clock_ms() -> int:
    """The time that leases run by where no other clock is given."""
    return time.time_ns() // 1_000_000


class MemoryStore:
    """A `Store` in this process. `fault` may raise `StoreUnavailable`, or anything that plays a crash."""

    def __init__(
        self,
        *,
        clock: Callable[[], int] = wall_clock_ms,
        fault: Fault = no_fault,
        weaknesses: Sequence[str] = (ONLY_MEMORY,),
        traces_kept: int = TRACES_KEPT,
    ) -> None:
        self.fault = fault
        self._clock = clock
        self._weaknesses = tuple(weaknesses)
        self._traces_kept = traces_kept
        self._traced: dict[str, int] = {}
        self._records: dict[RecordId, bytes] = {}
        self._number = 0
        self._hash = ""
        self._token = 0
        self._lease: tuple[str, int, int] | None = None
        self._led_since_ms = 0
        self._acts: dict[str, Act] = {}
        self._acts_done: set[str] = set()

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        now_ms = self._clock()
        if self._lease is not None:
            held_by, _, until_ms = self._lease
            if held_by != holder and until_ms > now_ms:
                return None
        self._token += 1
        self._lease = (holder, self._token, now_ms + ttl_ms)
        self._led_since_ms = now_ms
        return Lease(holder=holder, token=self._token, ttl_ms=ttl_ms)

    async def renew(self, lease: Lease) -> bool:
        if not self._holds(lease):
            return False
        self._lease = (lease.holder, lease.token, self._clock() + lease.ttl_ms)
        return True

    async def release(self, lease: Lease) -> None:
        if self._holds(lease):
            self._lease = None

    async def leader(self) -> Leader | None:
        if self._lease is None or self._lease[2] <= self._clock():
            return None
        return Leader(holder=self._lease[0], since_ms=self._led_since_ms)

    async def load(self) -> Stored:
        kept = {id: value for id, value in self._records.items() if id.table not in NOT_LOADED}
        return Stored(number=self._number, records=kept)

    async def read(self, table: Table) -> dict[str, bytes]:
        return {id.id: value for id, value in self._records.items() if id.table is table}

    async def read_one(self, table: Table, id: str) -> bytes | None:
        return self._records.get(RecordId(table, id))

    async def traced(self, prefix: str, limit: int) -> Sequence[str]:
        return sorted(id for id in self._traced if id.startswith(prefix))[:limit]

    async def commit(self, lease: Lease, commit: Commit) -> None:
        self.fault(FaultPoint.BEFORE_COMMIT, commit)
        if not self._holds(lease):
            raise Fenced(fenced_text(lease, self._lease[0] if self._lease else ""))
        content = content_hash(commit)
        if (commit.number, content) != (self._number, self._hash):
            if commit.number != self._number + 1:
                raise OutOfStep(out_of_step_text(commit, self._number), self._number)
            self._apply(commit)
            self._hash = content
        self.fault(FaultPoint.AFTER_COMMIT, commit)

    async def submit(self, act: Act) -> None:
        if act.id not in self._acts_done:
            self._acts.setdefault(act.id, act)

    async def acts(self) -> Sequence[Act]:
        return tuple(self._acts.values())

    async def weaknesses(self) -> Sequence[str]:
        return self._weaknesses

    async def close(self) -> None:
        """Nothing to close."""

    def _holds(self, lease: Lease) -> bool:
        return self._lease is not None and self._lease[:2] == (lease.holder, lease.token)

    def _apply(self, commit: Commit) -> None:
        self._number = commit.number
        for id, value in commit.puts.items():
            if value is None:
                self._records.pop(id, None)
            else:
                self._records[id] = bytes(value)
        self._drop_old_traces(commit)
        for act_id in commit.acts_done:
            self._acts.pop(act_id, None)
            self._acts_done.add(act_id)

    def _drop_old_traces(self, commit: Commit) -> None:
        for (table, id), value in commit.puts.items():
            if table is Table.TRACE and value is not None:
                self._traced[id] = commit.number
            elif table is Table.TRACE:
                self._traced.pop(id, None)
        if (over := len(self._traced) - self._traces_kept) > 0:
            for id in sorted(self._traced, key=lambda each: (self._traced[each], each.encode()))[:over]:
                del self._traced[id], self._records[RecordId(Table.TRACE, id)]


def fenced_text(lease: Lease, held_by: str) -> str:
    """Why a commit under this lease is refused."""
    now = f"{held_by} has it" if held_by and held_by != lease.holder else "it was given up or taken anew"
    return f"the lease of {lease.holder} (token {lease.token}) is no longer valid: {now}"


def out_of_step_text(commit: Commit, stored: int) -> str:
    """Why a commit of this number is refused."""
    if commit.number == stored:
        return f"commit {commit.number} is stored with other content"
    return f"commit {commit.number} does not follow the stored number {stored}"
