"""Records: the durable form of everything that the core remembers, and the commit that changes them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Table(StrEnum):
    """What a record is about. Each table is one Redis hash of the site."""

    NODE = "node"
    """Sparkplug sessions: aliases, sequence, birth and death, one per edge node."""
    SIGNAL = "signal"
    """The last values and event numbers of an equipment."""
    MEMORY = "memory"
    """Working memory of the rules, their timers included."""
    KEY = "key"
    """Keys of accepted facts with the hash of their content."""
    ENTRY = "entry"
    """Outbox entries that are not done: pending, held, claimed, dead."""
    DONE = "done"
    """Outbox entries that are delivered or skipped, kept for a while."""
    ORDER = "order"
    """Order releases: their document, version, acknowledgement; and the cursor of the poller."""
    META = "meta"
    """Numbers and dates of the site itself."""


class RecordId(NamedTuple):
    """Which record: its table and its id there."""

    table: Table
    id: str


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
