"""Traces as commands and the console read them: by key, by how it begins, or by rule and equipment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.trace.keeper import look_id
from ruleset.trace.trace import Outcome, Trace, decode
from state.entry import Entry
from state.entry import decode as decode_entry
from state.record import Table
from state.store import Store

MOST_KEYS: Final = 20
"""Keys that are named where several begin so."""


@dataclass(frozen=True, slots=True)
class Why:
    """A trace, and what became of it since: its entry, done or not; None where there is none (any more)."""

    trace: Trace | None
    entry: Entry | None


async def keys_of(store: Store, given: str) -> Sequence[str]:
    """The key itself where a trace or an entry has it; else the keys that begin so, `MOST_KEYS` at most and one more.
    Raises `StoreUnavailable`."""
    if await store.read_one(Table.TRACE, given) is not None or await entry_of(store, given) is not None:
        return (given,)
    return await store.traced(given, MOST_KEYS + 1)


async def why(store: Store, key: str) -> Why:
    """All that is known of a key. Raises `StoreUnavailable`."""
    stored = await store.read_one(Table.TRACE, key)
    return Why(None if stored is None else decode(stored), await entry_of(store, key))


async def looks(store: Store, rule: str, equipment: str) -> tuple[Trace, ...]:
    """The last looks of a rule at an equipment, the newest first. Raises `StoreUnavailable`."""
    found = [await store.read_one(Table.TRACE, look_id(rule, equipment, outcome)) for outcome in Outcome]
    return tuple(sorted((decode(each) for each in found if each is not None), key=lambda each: -each.decided_ms))


async def entry_of(store: Store, key: str) -> Entry | None:
    """The entry of this key, done or not. Raises `StoreUnavailable`."""
    stored = await store.read_one(Table.ENTRY, key) or await store.read_one(Table.DONE, key)
    return None if stored is None else decode_entry(stored)
