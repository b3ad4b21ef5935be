"""Entries that wait for a person, grouped by what keeps them: one cause is mended once, whatever it stopped. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from state.entry import Entry, EntryState

WAITS: Final = (EntryState.DEAD, EntryState.HELD)
ANY: Final = "…"
"""Stands for what differs from entry to entry."""
LONGEST: Final = 200
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”")
_COUNTED: Final = re.compile(r"\S*\d\S*")
_REPEATED: Final = re.compile(rf"{ANY}(?:[\s,:/]*{ANY})+")


class _Provenance(msgspec.Struct, frozen=True):
    rule: str = ""


class _Saw(msgspec.Struct, frozen=True):
    values: dict[str, Any] = {}


class _Body(msgspec.Struct, frozen=True):
    """What is asked of a stored body, whether it is a transaction or a fact that a rule refused."""

    do: str = ""
    provenance: _Provenance = _Provenance()
    saw: _Saw | None = None
    equipment: str = ""
    order: str | None = None
    product: str | None = None
    lot: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What keeps these entries. `id` is the same for the same cause, always; `text` is the reason without what differs
    from entry to entry, `example` one whole reason. `orders` are the lanes that it touches."""

    id: str
    state: EntryState
    action: str
    rule: str
    text: str
    example: str
    keys: tuple[str, ...]
    orders: tuple[str, ...]
    oldest_ms: int

    @property
    def count(self) -> int:
        return len(self.keys)


def causes(entries: Iterable[Entry]) -> tuple[Cause, ...]:
    """The causes of those that are dead or held: what keeps most first."""
    kept: dict[tuple[EntryState, str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.state in WAITS:
            body = _read(entry.body)
            kept[entry.state, entry.action, body.provenance.rule, _cause(entry.reason, body)].append(entry)
    found = [_group(*names, group) for names, group in kept.items()]
    return tuple(sorted(found, key=lambda one: (-one.count, one.oldest_ms)))


def _group(state: EntryState, action: str, rule: str, text: str, entries: list[Entry]) -> Cause:
    return Cause(
        id=sha256("\n".join((state, action, rule, text)).encode()).hexdigest()[:8],
        state=state,
        action=action,
        rule=rule,
        text=text,
        example=entries[0].reason,
        keys=tuple(entry.key for entry in entries),
        orders=tuple(sorted({entry.lane for entry in entries})),
        oldest_ms=min(entry.created_ms for entry in entries),
    )


def _read(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:
        return _Body()


def _cause(reason: str, body: _Body) -> str:
    """The reason without quoted texts, numbers, and what the entry itself says."""
    text = reason
    for value in sorted(set(_texts(body)), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", ANY, text)
    text = _COUNTED.sub(ANY, _QUOTED.sub(ANY, text))
    return _REPEATED.sub(ANY, text)[:LONGEST]


def _texts(body: _Body) -> Iterator[str]:
    saw = body.saw.values.values() if body.saw is not None else ()
    own = (body.reason,) if body.do else ()  # that of a transaction is a field; of a refused fact it is the whole
    for value in (body.equipment, body.order, body.product, body.lot, *own, *saw):
        if isinstance(value, str) and value.strip():
            yield value
