"""Records: the durable form of everything that the core remembers, and the commit that changes them together."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol


class Table(StrEnum):
    """What a record is about. Each table is one Redis hash of the site."""

    NODE = "node"
    """Sparkplug sessions: aliases, sequence, birth and death, one per edge node."""
    SIGNAL = "signal"
    """The last values and event numbers of an equipment."""
    MEMORY = "memory"
    """Working memory of the rules, their timers included."""
    KEY = "key"
    """What the outbox knows of facts that are done: keys with the hash of their content, last totals, its numbers."""
    ENTRY = "entry"
    """Outbox entries that are not done: pending, held, claimed, dead."""
    DONE = "done"
    """Outbox entries that are delivered or skipped, kept for a while."""
    ORDER = "order"
    """Order releases: their document, version, acknowledgement; and the cursor of the poller."""
    STANDING = "standing"
    """What the bridge's own postings left on each order."""
    REPLY = "reply"
    """What became of people's commands to the plant, by act; the latest only."""
    MASTER = "master"
    """What was read of Odoo's master data: the hashes of its documents, one record per kind."""
    SHADOW = "shadow"
    """What a version of the rules in shadow remembers, and where it decided otherwise than the live one."""
    TRACE = "trace"
    """Why something was posted, or was not: the newest of them, by key or by rule and equipment. Not loaded."""
    META = "meta"
    """What is of the site itself: the findings of messages that belong to no node."""


NOT_LOADED: Final = frozenset({Table.DONE, Table.TRACE})
"""Tables of what the core never asks for again."""
TRACES_KEPT: Final = 100_000
"""How many traces a store keeps where it is not told: the newest."""


class RecordId(NamedTuple):
    """Which record: its table and its id there."""

    table: Table
    id: str


class Remembers(Protocol):
    """A state machine that keeps its own records, by their ids."""

    def take_changed(self) -> Collection[str]:
        """Ids of the records that changed since the last call."""
        ...

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of a record; None for one that is gone."""
        ...

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `ValueError` for anything else."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One atomic change. `number` must be the store's number plus one; `puts` with None remove the record."""

    number: int
    puts: Mapping[RecordId, bytes | None]
    acts_done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything that a site has stored, with the number of its last commit (0: nothing yet)."""

    number: int
    records: Mapping[RecordId, bytes] = field(default_factory=dict)


def content_hash(commit: Commit) -> str:
    """The same for two commits exactly when they change the same records to the same values and do the same acts."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(b"%d %d" % (commit.number, len(commit.acts_done)))
    for act in sorted(commit.acts_done):
        _add(digest, act.encode())
    for (table, id), value in sorted(commit.puts.items(), key=lambda put: put[0]):
        _add(digest, table.value.encode())
        _add(digest, id.encode())
        if value is None:
            digest.update(b"-")
        else:
            _add(digest, value)
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, part: bytes) -> None:
    digest.update(b"%d:" % len(part))
    digest.update(part)
