"""What is remembered of a posted fact: enough to say in what another telling of it differs, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bridge.clock import iso
from ruleset.transaction import Provenance, Transaction, action, encode
from state.entry import hash_of

LONGEST: Final = 60
"""Characters of a value that is remembered as it is; of a longer one only that it is another."""
QUANTITY: Final = "quantity"
_NOWHERE: Final = Provenance(rule="", version="", topic="")
_HEAD: Final = frozenset({"do", "key", "equipment", "order", "provenance", "consent"})


class Gist(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact's content by its names; a long value is its digest. `order_ran` and `telling` as in
    `ruleset.output.Post`."""

    do: str
    order: str | None = None
    order_ran: bool = False
    telling: str = ""
    values: dict[str, Any] = {}


def content_of(transaction: Transaction, *, order_ran: bool) -> bytes:
    """What makes a repeat the same fact: all but how it was learnt, and which order ran then."""
    order = None if order_ran else transaction.order
    return encode(msgspec.structs.replace(transaction, provenance=_NOWHERE, order=order))


def gist_of(transaction: Transaction, *, order_ran: bool, telling: str = "") -> bytes:
    """The stored form of a fact's gist: some 150 bytes."""
    told: dict[str, Any] = msgspec.json.decode(encode(transaction))
    values = {name: _short(value) for name, value in told.items() if name not in _HEAD}
    gist = Gist(do=action(transaction), order=transaction.order, order_ran=order_ran, telling=telling, values=values)
    return msgspec.json.encode(gist)


def read_gist(stored: bytes) -> Gist | None:
    """What `gist_of` stored; None where nothing is known."""
    return msgspec.json.decode(stored, type=Gist) if stored else None


def differing(stands: Gist, wanted: Gist) -> Mapping[str, str]:
    """In what the second differs from the first, each with a sentence's part. Which order ran makes no difference."""
    before, after = dict(stands.values), dict(wanted.values)
    if not wanted.order_ran:
        before["order"], after["order"] = stands.order, wanted.order
    return {
        name: _told(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    }


def is_short(value: object) -> bool:
    """Whether a gist has the value itself."""
    return not (isinstance(value, str) and value.startswith("#"))


def _short(value: object) -> object:
    text = msgspec.json.encode(value)
    return value if len(text) <= LONGEST else f"#{hash_of(text)[:8]}"


def _told(name: str, before: object, after: object) -> str:
    return f"{name.removesuffix('_ms')} was {_worded(name, before)} and is {_worded(name, after)}"


def _worded(name: str, value: object) -> str:
    if value is None:
        return "not given"
    if not is_short(value):
        return f"a long text {value}"
    return iso(value) if name.endswith("_ms") and isinstance(value, int) else str(value)
