"""One order as the bridge published it: its versions, the MES's answers, and how its work stands in Odoo."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

_HEAD: Final = frozenset({"order", "version", "status", "at", "replaces", "changes", "reason"})
"""Members that say which publication a document is; the others are its content."""


class Answer(StrEnum):
    """What the MES says, or has not said, about the version that was published last."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Status(StrEnum):
    """What a version of an order says of it on the floor."""

    RELEASED = "released"
    CHANGED = "changed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PastVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version that another one has replaced, and what became of it. The members are those of `OrderRecord`."""

    version: int
    status: Status
    published_ms: int
    changes: tuple[str, ...] = ()
    sent_ms: int | None = None
    answer: Answer = Answer.WAITING
    answered_ms: int | None = None
    answered_by: str = ""
    answer_reason: str = ""


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it was published. `document` is the whole release, `version` and `status` included.

    `changes` are the paths in which it differs from the version before. `sent_ms` is when the broker had it (None: it
    waits in the outbox). `completed` tells that a completion of ours stands in Odoo. `past` are earlier versions, the
    latest last. `work` is the state of its work orders in Odoo, by their references.
    """

    v: int = 1
    order: str
    name: str
    version: int
    status: Status
    document: dict[str, Any]
    published_ms: int
    changes: tuple[str, ...] = ()
    sent_ms: int | None = None
    answer: Answer = Answer.WAITING
    answered_version: int | None = None
    answered_ms: int | None = None
    answered_by: str = ""
    answer_reason: str = ""
    completed: bool = False
    past: tuple[PastVersion, ...] = ()
    work: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        return self.status not in (Status.CANCELLED, Status.CLOSED)

    @property
    def planned(self) -> Decimal | None:
        quantity = self.document.get("quantity")
        return Decimal(quantity) if isinstance(quantity, str) else None

    @property
    def reason(self) -> str:
        """Why it is cancelled or closed; empty while it is open."""
        return str(self.document.get("reason", ""))

    @property
    def is_accepted(self) -> bool:
        """Whether the MES accepted it: what it answered last, be it to an earlier version."""
        return self.answered is not None and self.answered.answer is Answer.ACCEPTED

    @property
    def answered(self) -> PastVersion | None:
        """The latest version that the MES answered."""
        answered = (one for one in reversed(self.history) if one.answer in (Answer.ACCEPTED, Answer.REFUSED))
        return next(answered, None)

    @property
    def content(self) -> dict[str, Any]:
        """What the planner decided, without what tells one publication from another."""
        return {name: value for name, value in self.document.items() if name not in _HEAD}

    @property
    def history(self) -> tuple[PastVersion, ...]:
        """All versions that are remembered, this one last."""
        answered = self.answered_version == self.version or self.answer is Answer.UNANSWERED
        present = PastVersion(
            version=self.version,
            status=self.status,
            published_ms=self.published_ms,
            changes=self.changes,
            sent_ms=self.sent_ms,
            answer=self.answer if answered else Answer.WAITING,
            answered_ms=self.answered_ms if answered else None,
            answered_by=self.answered_by if answered else "",
            answer_reason=self.answer_reason if answered else "",
        )
        return (*self.past, present)
