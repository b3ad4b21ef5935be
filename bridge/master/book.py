"""What is remembered of Odoo's master data: the hash of each document that was read, and what was told of it.

Pure. `MasterBook` is part of the core: the poller's readings go in, notices come out. One record per kind, and one for
the differences that were told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

TOLD_ID: Final = "@told"


class KindRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The hashes of one kind's documents by their ids, and when one of them last changed."""

    v: int = 1
    hashes: dict[str, str] = {}
    changed_ms: int = 0


class ToldRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The differences from the plant folder that stand, and were told."""

    v: int = 1
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRead:
    """One reading: the hash of each document by kind and id, and what does not fit the plant folder."""

    hashes: Mapping[str, Mapping[str, str]]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChanged:
    """How many documents of a kind came, changed or went. `is_first`: nothing was known of the kind before."""

    kind: str
    added: int
    changed: int
    removed: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class Differs:
    """Something in Odoo does not fit the plant folder; told once while it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Agrees:
    """A difference that was told is no more."""

    text: str


MasterOutput = KindChanged | Differs | Agrees


class MasterBook:
    """All kinds of master data that were ever read."""

    def __init__(self) -> None:
        self._kinds: dict[str, KindRecord] = {}
        self._told = ToldRecord()
        self._changed: set[str] = set()

    @property
    def kinds(self) -> Mapping[str, KindRecord]:
        return self._kinds

    @property
    def differences(self) -> tuple[str, ...]:
        """What does not fit now."""
        return self._told.differences

    def read(self, read: MasterRead, now_ms: int) -> tuple[MasterOutput, ...]:
        """Take what the poller read. What is as before gives nothing."""
        outputs: list[MasterOutput] = []
        for kind, hashes in read.hashes.items():
            known = self._kinds.get(kind)
            before = known.hashes if known else {}
            if known is not None and before == hashes:
                continue
            changed = sum(1 for id in hashes.keys() & before.keys() if hashes[id] != before[id])
            added, removed = len(hashes.keys() - before.keys()), len(before.keys() - hashes.keys())
            outputs.append(
                KindChanged(kind=kind, added=added, changed=changed, removed=removed, is_first=known is None)
            )
            self._kinds[kind] = KindRecord(hashes=dict(hashes), changed_ms=now_ms)
            self._changed.add(kind)
        before_told, now_told = set(self.differences), set(read.differences)
        outputs += [Differs(text) for text in read.differences if text not in before_told]
        outputs += [Agrees(text) for text in self.differences if text not in now_told]
        if before_told != now_told:
            self._told = ToldRecord(differences=read.differences)
            self._changed.add(TOLD_ID)
        return tuple(outputs)

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record."""
        return msgspec.json.encode(self._told if id == TOLD_ID else self._kinds.get(id))

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `msgspec.ValidationError` for anything else."""
        if id == TOLD_ID:
            self._told = msgspec.json.decode(snapshot, type=ToldRecord)
        else:
            self._kinds[id] = msgspec.json.decode(snapshot, type=KindRecord)
