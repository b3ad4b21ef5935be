"""A trace: one evaluation of a rule at an equipment, as people and programs read it later."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Outcome(StrEnum):
    """What came of an evaluation."""

    POSTED = "posted"
    REFUSED = "refused"
    """A fact that was meant to be posted and could not be: a dead letter."""
    ALERTED = "alerted"
    FALSE = "false"
    """A condition did not hold."""
    UNDECIDED = "undecided"
    """A condition could not be evaluated: a value is not known, or the expression failed."""
    TOO_SHORT = "too short"
    """It held, but not for as long as the rule asks."""
    WAITS = "waits"
    """It holds; what the rule asks for besides (time, more events, another event) is not there yet."""
    OPEN = "open"
    """It was told already and lasts: nothing more until it ends."""
    LASTS = "lasts"
    """The shift or order is on: it is told when it is over."""

    @property
    def decided(self) -> bool:
        """Whether something came out that has a key."""
        return self in (Outcome.POSTED, Outcome.REFUSED, Outcome.ALERTED)


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which message told a value, and when by the device's clock."""

    at_ms: int
    topic: str
    seq: int | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An expression that was evaluated. `place` is where it stands in the rule: `raise`, `need 1`, `with quantity`.

    `values` are those of the names that it reads; what was not known is not in it, and of a long code table only what
    was asked for. `failure` says why there is no answer.
    """

    place: str
    text: str
    values: dict[str, Any] = {}
    answer: Any = None
    failure: str = ""


class Trace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="v", tag=1):
    """Why a rule answered as it did. `form` is the key that tells the rule's form.

    `at_ms` is the time of the fact by the device, `decided_ms` ours. `topic` and `seq` are of the message behind it,
    empty where time alone led to it. `told` says where the signals' and fields' values came from, as far as known since
    the last start. `facts` are the rule's own times and numbers, and what it remembered then: see `sentence`.
    """

    rule: str
    version: str
    form: str
    equipment: str
    outcome: Outcome
    at_ms: int
    decided_ms: int
    key: str = ""
    topic: str = ""
    seq: int | None = None
    checks: tuple[Check, ...] = ()
    told: dict[str, Told] = {}
    facts: dict[str, Any] = {}
    reason: str = ""


def encode(trace: Trace) -> bytes:
    """The stored form."""
    return msgspec.json.encode(trace)


def decode(stored: bytes) -> Trace:
    """Read back what `encode` gave. Raises `msgspec.MsgspecError` for anything else."""
    return msgspec.json.decode(stored, type=Trace)
