"""The order book: which orders Odoo has released, as which version they were published, and what the MES answered.

Pure. `OrderBook` is part of the core: the poller's reads and the MES's acknowledgements go in, publications, notices
and notes for the planner come out. One record per order, and one for the poller's cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

import msgspec

from bridge.clock import iso
from bridge.core import note
from bridge.core.difference import differences
from bridge.core.note import OrderNote
from bridge.core.standing import MOST_FORGOTTEN, next_forgetting_ms
from bridge.orders.record import Answer, OrderRecord, PastVersion, Status
from odoo_adapter.odoo import DELETED, OrderRead, OrdersRead

CURSOR_ID: Final = "@cursor"
MOST_PAST: Final = 20
"""Earlier versions of an order that are remembered."""
_DELETED: Final = "deleted"
"""The reason of an order that is gone from Odoo: nobody can be told there."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The MES's answer, as docs/contract/order-acknowledgement.schema.json has it."""

    id: str
    order: str
    version: int
    status: Answer
    reason: str = ""
    by: str = ""


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


BookOutput: TypeAlias = PublishOrder | OrderNotice | OrderNote


def _nobody(order: str) -> bool:
    return False


class OrderBook:
    """All orders that were ever released and not yet forgotten."""

    def __init__(self, *, answer_within_ms: int | None) -> None:
        self._answer_within_ms = answer_within_ms
        self._records: dict[str, OrderRecord] = {}
        self._unanswered: dict[str, OrderRecord] = {}
        self._cursor = ""
        self._changed: set[str] = set()
        self._forget_from_ms = 0

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
        if not self._unanswered or self._answer_within_ms is None:
            return None
        return min(record.published_ms for record in self._unanswered.values()) + self._answer_within_ms

    def open_orders(self) -> tuple[str, ...]:
        """The orders that are released and neither closed nor cancelled."""
        return tuple(record.order for record in self._records.values() if record.is_open)

    def read(
        self, read: OrdersRead, now_ms: int, is_completing: Callable[[str], bool] = _nobody
    ) -> tuple[BookOutput, ...]:
        """Take what the poller found. An order whose content is as published gives nothing.

        `is_completing` tells that a completion of ours is on its way, so that Odoo may show it before we know.
        """
        outputs = [output for order in read.orders for output in self._read_one(order, now_ms, is_completing)]
        if read.cursor != self._cursor:
            self._cursor = read.cursor
            self._changed.add(CURSOR_ID)
        return tuple(outputs)

    def sent(self, order: str, version: int, now_ms: int) -> tuple[OrderNote, ...]:
        """The broker has this version now."""
        record = self._records.get(order)
        if record is None:
            return ()
        if record.version == version and record.sent_ms is None:
            self._put(msgspec.structs.replace(record, sent_ms=now_ms))
            return () if record.reason == _DELETED else note.sent(order, version, record.status, record.changes)
        for one in record.past:
            if one.version == version and one.sent_ms is None:
                self._put_past(record, msgspec.structs.replace(one, sent_ms=now_ms))
        return ()

    def completed(self, order: str) -> None:
        """A completion of ours stands in Odoo: what closes the order then is not done outside."""
        record = self._records.get(order)
        if record is not None and not record.completed:
            self._put(msgspec.structs.replace(record, completed=True))

    def acknowledged(self, answer: Acknowledgement, now_ms: int) -> tuple[BookOutput, ...]:
        """Take the MES's answer. One to an unknown order is a notice only, one to an older version is kept with it."""
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
            self._answered_late(record, answer, now_ms)
            return (
                OrderNotice(
                    name="order-answer-old",
                    order=answer.order,
                    text=f"the MES answered for version {answer.version}; published is {record.version}",
                ),
            )
        if record.answer == answer.status and record.answered_version == answer.version:
            return ()
        sent = self.sent(record.order, record.version, now_ms)  # whoever answers has it
        answered = msgspec.structs.replace(
            self._records[answer.order],
            answer=answer.status,
            answered_version=answer.version,
            answered_ms=now_ms,
            answered_by=answer.by,
            answer_reason=answer.reason,
        )
        self._put(answered)
        noted = (*sent, *_answer_note(answered, now_ms))
        if answer.status is Answer.REFUSED:
            text = answer.reason or "no reason given"
            return (OrderNotice(name="order-refused", order=answer.order, text=text), *noted)
        return noted

    def _answered_late(self, record: OrderRecord, answer: Acknowledgement, now_ms: int) -> None:
        """Keep the answer with the version that it is about, which another one has replaced."""
        for one in record.past:
            if one.version == answer.version and one.answer != answer.status:
                answered = msgspec.structs.replace(
                    one, answer=answer.status, answered_ms=now_ms, answered_by=answer.by, answer_reason=answer.reason
                )
                self._put_past(record, answered)

    def _put_past(self, record: OrderRecord, amended: PastVersion) -> None:
        past = tuple(amended if one.version == amended.version else one for one in record.past)
        self._put(msgspec.structs.replace(record, past=past))

    def due(self, now_ms: int) -> tuple[BookOutput, ...]:
        """Mark the orders that the MES did not answer in time, where it has to."""
        if self._answer_within_ms is None:
            return ()
        before_ms = now_ms - self._answer_within_ms
        late = [record for record in self._unanswered.values() if record.published_ms <= before_ms]
        for record in late:
            self._put(msgspec.structs.replace(record, answer=Answer.UNANSWERED))
        return tuple(output for record in late for output in _unanswered(record))

    def forget_before(self, at_ms: int) -> None:
        """Forget orders that ended before this moment. Call it often: it works once an hour of `at_ms`, and
        again at once where there is more."""
        if at_ms >= self._forget_from_ms:
            ended = (each.order for each in self._records.values() if not each.is_open and each.published_ms < at_ms)
            forgotten = list(islice(ended, MOST_FORGOTTEN))
            for order in forgotten:
                del self._records[order]
                self._unanswered.pop(order, None)
                self._changed.add(order)
            self._forget_from_ms = next_forgetting_ms(at_ms, len(forgotten))

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record; None: it is forgotten."""
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

    def _read_one(self, order: OrderRead, now_ms: int, is_completing: Callable[[str], bool]) -> tuple[BookOutput, ...]:
        known = self._records.get(order.order)
        if order.state in _ENDS:
            if known is None or not known.is_open:
                return ()
            ours = order.state == "done" and (known.completed or is_completing(order.order))
            status, reason = (Status.CLOSED, "completed") if ours else _ENDS[order.state]
            record = _next_version(order, known, status, now_ms, reason=reason)
        elif known is None:
            record = _next_version(order, known, Status.RELEASED, now_ms)
        else:
            changes = _changes(known, order)
            if not changes:
                if known.work != order.work:
                    self._put(msgspec.structs.replace(known, work=dict(order.work)))
                return ()
            record = _next_version(order, known, Status.CHANGED, now_ms, changes=changes)
        self._put(record)
        return (PublishOrder(record),)

    def _put(self, record: OrderRecord) -> None:
        self._keep(record)
        self._changed.add(record.order)

    def _keep(self, record: OrderRecord) -> None:
        """Those that wait for an answer are kept apart: every step of the core asks for them."""
        self._records[record.order] = record
        self._unanswered.pop(record.order, None)
        if _awaits_answer(record):
            self._unanswered[record.order] = record


_ENDS: Final[Mapping[str, tuple[Status, str]]] = {
    "done": (Status.CLOSED, "done_outside"),
    "cancel": (Status.CANCELLED, "cancelled"),
    DELETED: (Status.CANCELLED, _DELETED),
}
"""What an order is on the floor, and why, when it is in this state in Odoo."""


def _awaits_answer(record: OrderRecord) -> bool:
    return record.status is not Status.CLOSED and record.answer is Answer.WAITING


def _changes(known: OrderRecord, order: OrderRead) -> tuple[str, ...]:
    """In what an open order differs from what was published: in nothing, where only making it moved it."""
    differing = differences(known.content, {"name": order.name, **order.document})
    changes = tuple(path for path in differing if path not in order.moved)
    return changes if known.is_open else ("status", *changes)


def _next_version(
    order: OrderRead,
    known: OrderRecord | None,
    status: Status,
    now_ms: int,
    *,
    changes: tuple[str, ...] = (),
    reason: str = "",
) -> OrderRecord:
    """The record of the version after the known one. One that is deleted ends as it was published."""
    content = known.content if known and order.state == DELETED else {"name": order.name, **order.document}
    name, version = str(content["name"]), known.version + 1 if known else 1
    head: dict[str, Any] = {"order": order.order, "name": name, "version": version, "status": status, "at": iso(now_ms)}
    head |= {"replaces": known.version} if known else {}
    head |= {"changes": [*changes]} if changes else {}
    head |= {"reason": reason} if reason else {}
    record = OrderRecord(
        order=order.order,
        name=name,
        version=version,
        status=status,
        document={**head, **content},
        published_ms=now_ms,
        changes=changes,
        completed=known.completed if known else False,
        past=known.history[-MOST_PAST:] if known else (),
        work=dict(order.work),
    )
    return _answered_as(record, known) if known and status is Status.CLOSED else record


def _answered_as(closed: OrderRecord, known: OrderRecord) -> OrderRecord:
    """A closing asks for no answer: the one to the version that was made stays."""
    return msgspec.structs.replace(
        closed,
        answer=known.answer,
        answered_version=known.answered_version,
        answered_ms=known.answered_ms,
        answered_by=known.answered_by,
        answer_reason=known.answer_reason,
    )


def _answer_note(record: OrderRecord, now_ms: int) -> tuple[OrderNote, ...]:
    if record.reason == _DELETED:
        return ()
    by, reason = record.answered_by, record.answer_reason
    return note.answered(record.order, record.version, record.answer, by, reason, now_ms)


def _unanswered(record: OrderRecord) -> tuple[BookOutput, ...]:
    text = f"version {record.version} is not acknowledged"
    notice = OrderNotice(name="order-unanswered", order=record.order, text=text)
    return (notice,) if record.reason == _DELETED else (notice, *note.unanswered(record.order, record.version))
