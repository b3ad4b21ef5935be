"""The order book: which orders Odoo has released, as which version they were published, and what the MES answered.

Pure. `OrderBook` is part of the core: the poller's reads and the MES's acknowledgements go in, publications and
notices come out. One record per order, and one for the poller's cursor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec

from odoo_adapter.odoo import OrderRead, OrdersRead
from ruleset.sample import Plain

CURSOR_ID: Final = "@cursor"
CLOSED_STATES: Final = frozenset({"done", "cancel"})


class Answer(StrEnum):
    """What the MES says, or has not said, about the version that was published last."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it was published. `document` is the whole release, `version` and `status` included."""

    v: int = 1
    order: str
    name: str
    version: int
    status: str
    content_hash: str
    document: dict[str, Any]
    published_ms: int
    answer: Answer = Answer.WAITING
    answered_version: int | None = None
    answered_ms: int | None = None
    answer_reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.status not in ("cancelled", "closed")

    @property
    def planned(self) -> Decimal | None:
        quantity = self.document.get("quantity")
        return Decimal(quantity) if isinstance(quantity, str) else None


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The MES's answer, as docs/contract/order-acknowledgement.schema.json has it."""

    id: str
    order: str
    version: int
    status: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PublishOrder:
    """Publish this version, retained, and put it on our edge node."""

    record: OrderRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNotice:
    """Something that people should know about an order. `name` is from the closed list in `docs/operation.md`."""

    name: str
    order: str
    text: str


BookOutput: TypeAlias = PublishOrder | OrderNotice


class OrderBook:
    """All orders that were ever released and not yet forgotten."""

    def __init__(self, *, answer_within_ms: int) -> None:
        self._answer_within_ms = answer_within_ms
        self._records: dict[str, OrderRecord] = {}
        self._unanswered: dict[str, OrderRecord] = {}
        self._cursor = ""
        self._changed: set[str] = set()

    @property
    def cursor(self) -> str:
        """What the poller asks Odoo with next."""
        return self._cursor

    @property
    def records(self) -> Mapping[str, OrderRecord]:
        return self._records

    def is_open(self, order: str) -> bool:
        """Whether this order was released and is neither closed nor cancelled."""
        record = self._records.get(order)
        return record is not None and record.is_open

    @property
    def next_due_ms(self) -> int | None:
        waiting = min((record.published_ms for record in self._unanswered.values()), default=None)
        return None if waiting is None else waiting + self._answer_within_ms

    def read(self, read: OrdersRead, now_ms: int) -> tuple[BookOutput, ...]:
        """Take what the poller found. An order whose content is as published gives nothing."""
        outputs = [output for order in read.orders for output in self._read_one(order, now_ms)]
        if read.cursor != self._cursor:
            self._cursor = read.cursor
            self._changed.add(CURSOR_ID)
        return tuple(outputs)

    def acknowledged(self, answer: Acknowledgement, now_ms: int) -> tuple[BookOutput, ...]:
        """Take the MES's answer. An answer to an unknown order, or to an older version, is a notice only."""
        record = self._records.get(answer.order)
        if record is None:
            return (
                OrderNotice(
                    name="order-unknown",
                    order=answer.order,
                    text="the MES answered for an order that was never released",
                ),
            )
        if answer.version != record.version:
            return (
                OrderNotice(
                    name="order-answer-old",
                    order=answer.order,
                    text=f"the MES answered for version {answer.version}; published is {record.version}",
                ),
            )
        if record.answer == answer.status and record.answered_version == answer.version:
            return ()
        self._put(
            msgspec.structs.replace(
                record,
                answer=answer.status,
                answered_version=answer.version,
                answered_ms=now_ms,
                answer_reason=answer.reason,
            )
        )
        if answer.status is Answer.REFUSED:
            return (OrderNotice(name="order-refused", order=answer.order, text=answer.reason or "no reason given"),)
        return ()

    def due(self, now_ms: int) -> tuple[BookOutput, ...]:
        """Mark the orders that the MES did not answer in time."""
        late = [
            record for record in self._unanswered.values() if record.published_ms + self._answer_within_ms <= now_ms
        ]
        for record in late:
            self._put(msgspec.structs.replace(record, answer=Answer.UNANSWERED))
        return tuple(
            OrderNotice(
                name="order-unanswered", order=record.order, text=f"version {record.version} is not acknowledged"
            )
            for record in late
        )

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record."""
        if id == CURSOR_ID:
            return self._cursor.encode()
        record = self._records.get(id)
        return msgspec.json.encode(record) if record else None

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `msgspec.ValidationError` for anything else."""
        if id == CURSOR_ID:
            self._cursor = snapshot.decode()
        else:
            self._keep(msgspec.json.decode(snapshot, type=OrderRecord))

    def _awaits_answer(self, record: OrderRecord) -> bool:
        return record.status != "closed" and record.answer is Answer.WAITING

    def _read_one(self, order: OrderRead, now_ms: int) -> tuple[BookOutput, ...]:
        known = self._records.get(order.order)
        closed = order.state in CLOSED_STATES
        if known is None and closed:
            return ()
        content_hash = _hash(order.document)
        status = _status(order.state, known)
        if known is not None and not _differs(known, content_hash, status):
            return ()
        version = known.version + 1 if known else 1
        record = OrderRecord(
            order=order.order,
            name=order.name,
            version=version,
            status=status,
            content_hash=content_hash,
            document={
                "order": order.order,
                "name": order.name,
                "version": version,
                "status": status,
                "at": iso(now_ms),
                **order.document,
            },
            published_ms=now_ms,
        )
        if known and status == "closed":
            record = _answered_as(record, known)
        self._put(record)
        return (PublishOrder(record),)

    def _put(self, record: OrderRecord) -> None:
        self._keep(record)
        self._changed.add(record.order)

    def _keep(self, record: OrderRecord) -> None:
        """Those that wait for an answer are kept apart: every step of the core asks for them."""
        self._records[record.order] = record
        self._unanswered.pop(record.order, None)
        if self._awaits_answer(record):
            self._unanswered[record.order] = record


def _answered_as(closed: OrderRecord, known: OrderRecord) -> OrderRecord:
    """A closing asks for no answer: the one to the version that was made stays."""
    return msgspec.structs.replace(
        closed,
        answer=known.answer,
        answered_version=known.answered_version,
        answered_ms=known.answered_ms,
        answer_reason=known.answer_reason,
    )


def _status(state: str, known: OrderRecord | None) -> str:
    if state == "cancel":
        return "cancelled"
    if state == "done":
        return "closed"
    return "changed" if known else "released"


def _differs(known: OrderRecord, content_hash: str, status: str) -> bool:
    if status in ("cancelled", "closed"):
        return known.status != status
    return known.content_hash != content_hash or not known.is_open


def _hash(document: Mapping[str, Plain]) -> str:
    """Of what a planner decides. Odoo (19.0) computes the expected minutes anew while pieces are counted."""
    planned = {**document, "operations": [_planned(each) for each in _members(document.get("operations"))]}
    return sha256(msgspec.json.encode(planned, order="deterministic")).hexdigest()


def _members(operations: Plain) -> list[Plain]:
    return operations if isinstance(operations, list) else []


def _planned(operation: Plain) -> Plain:
    if not isinstance(operation, dict):
        return operation
    return {name: value for name, value in operation.items() if name != "expected_minutes"}


def iso(at_ms: int) -> str:
    """A moment as documents on the namespace have it: `2026-11-23T09:24:39.520Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
