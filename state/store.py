"""The store: one atomic, fenced, numbered commit per step, a lease, and the acts of people that wait for the core.

Two implementations, `state.redis_store.RedisStore` and `state.memory_store.MemoryStore`, pass one suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from state.record import Commit, Stored, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to commit for a site. `token` grows with every holder and fences out the earlier ones."""

    holder: str
    token: int
    ttl_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who has a site's lease. `since_ms` is by the store's clock."""

    holder: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person asked for from outside the process (replay, skip, release), waiting for the core.

    `body` is JSON; the act is done when a commit names its id in `acts_done`.
    """

    id: str
    body: bytes


class Store(Protocol):
    """Durable state of one site.

    Every method raises `StoreUnavailable` when the store does not answer or refuses to write (read-only,
    full); `commit` may then have happened or not, and the same commit is safe to repeat: a commit whose
    number is already stored with the same content hash succeeds again.
    """

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        """Take the site's lease, or None while another holder's has not run out."""
        ...

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease; False when it was lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease up at once. No error when it was lost before."""
        ...

    async def leader(self) -> Leader | None:
        """Who has the lease; None when nobody has, or its holder has let it run out."""
        ...

    async def load(self) -> Stored:
        """Read all records but those of the tables `NOT_LOADED`, consistently."""
        ...

    async def read(self, table: Table) -> dict[str, bytes]:
        """Read one table, for lists and commands."""
        ...

    async def read_one(self, table: Table, id: str) -> bytes | None:
        """Read one record."""
        ...

    async def traced(self, prefix: str, limit: int) -> Sequence[str]:
        """Ids of traces that begin so, in their order; at most `limit`."""
        ...

    async def commit(self, lease: Lease, commit: Commit) -> None:
        """Apply all of it, durably, or nothing. Of traces the oldest beyond what the store keeps go. Raises `Fenced`
        when the lease is no longer ours, and `OutOfStep` when the number is not the next one."""
        ...

    async def submit(self, act: Act) -> None:
        """Leave an act for the core. Submitting the same id again changes nothing."""
        ...

    async def acts(self) -> Sequence[Act]:
        """The acts that no commit has done yet, oldest first."""
        ...

    async def weaknesses(self) -> Sequence[str]:
        """Why this store could lose a commit that it confirmed, a sentence each; empty when it could not."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
