"""An outbox entry: one effect that must happen once at a destination, and how far it is. Values only."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

HISTORY_LENGTH: Final = 20
"""Notes kept per entry: the first one and the latest."""


class EntryState(StrEnum):
    """How far an entry is."""

    PENDING = "pending"
    """Will be sent when its turn comes."""
    HELD = "held"
    """Waits for a person's release: a rule asked for that, or something unexpected stands at the destination."""
    CLAIMED = "claimed"
    """Sent, outcome not known: it is sent again, unchanged, before anything else of its lane."""
    DELIVERED = "delivered"
    """Stands at the destination; the receipt names it."""
    DEAD = "dead"
    """Declined: nothing was written. A person replays or skips it."""
    SKIPPED = "skipped"
    """Will not be sent: a person or a later entry made it superfluous."""


class Offer(StrEnum):
    """What became of an offered fact."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Known with the same content, or a total not above the last one of its stream. Nothing changed."""
    REPLACED = "replaced"
    """Known and not sent yet: its content is the new one now."""
    WAITING = "waiting"
    """Known with other content and being sent: the outcome decides."""
    CONTRADICTED = "contradicted"
    """Known with other content and done: nothing changed; propose a correction."""
    WITHDRAWN = "withdrawn"
    """Known with just this content and done: the correction that was proposed since is wanted no more."""


class Note(msgspec.Struct, frozen=True, array_like=True):
    """One line of an entry's history. `by` is a person, or empty for the bridge itself."""

    at_ms: int
    what: str
    by: str = ""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an offer says. One of a known key with other content waits for the outcome while the entry is claimed.

    `gist` is what is to be remembered of the content once it is done; `action` None: it is the entry's. A total with a
    `not_before_ms` waits until then for the start of its order.
    """

    body: bytes
    content_hash: str
    at_ms: int
    lane: str
    priority: int
    action: str | None = None
    gist: bytes = b""
    stream: str | None = None
    upto: Decimal | None = None
    hold: str | None = None
    dead: str | None = None
    not_before_ms: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="v", tag=1):
    """One entry. `number` is the order of acceptance; `priority` is lower for what goes first among lanes.

    `destination` is `odoo` or `broker`. `stream` and `upto` are set for totals, of which a later one makes the
    earlier ones superfluous. `uncertain` tells that an attempt may have been carried out, so that only the very same
    content may be sent again. `released_by` is who let it go although it was held; `goes_on` tells that it was held
    because of what stands at the destination, and goes on from that now. `by_calls` tells that an attempt may have been
    made call by call, at a destination that remembers no keys. `amends` is the key of the delivered fact of which this
    is a proposed correction; `content_hash` and `gist` are then those of the fact as it is to be.
    """

    key: str
    number: int
    lane: str
    action: str
    destination: str
    priority: int
    body: bytes
    content_hash: str
    state: EntryState
    created_ms: int
    changed_ms: int
    reason: str = ""
    released_by: str = ""
    attempts: int = 0
    uncertain: bool = False
    goes_on: bool = False
    by_calls: bool = False
    not_before_ms: int = 0
    stream: str | None = None
    upto: Decimal | None = None
    receipt: bytes | None = None
    follow_up: FollowUp | None = None
    history: tuple[Note, ...] = ()
    gist: bytes = b""
    amends: str = ""

    @property
    def fact(self) -> str:
        """The key of the fact that it is about."""
        return self.amends or self.key

    def noted(self, at_ms: int, what: str, by: str = "") -> tuple[Note, ...]:
        """The history with one more line. The same line again only takes the place of the last one."""
        kept = self.history[:-1] if self.history and self.history[-1].what == what else self.history
        if len(kept) >= HISTORY_LENGTH:
            kept = (*kept[:1], *kept[2:])
        return (*kept, Note(at_ms, what, by))


_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_decoder = msgspec.msgpack.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """The stored form: MessagePack with its version in the field `v`."""
    return _encoder.encode(entry)


def decode(stored: bytes) -> Entry:
    """Read back what `encode` wrote. Raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(stored)


def hash_of(content: bytes) -> str:
    """What tells one content from another."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def first_note(entry: Entry) -> str:
    """What the history of an entry begins with, for the planner who reads it."""
    match entry.state:
        case EntryState.DEAD:
            return f"not sent: {entry.reason}"
        case EntryState.HELD:
            return f"held: {entry.reason}"
    return "accepted"
