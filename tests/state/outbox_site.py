"""An outbox and the records that its commits leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from state.entry import Entry, EntryState, Offer, decode
from state.outbox import NOWHERE, Outbox
from state.record import RecordId, Table
from state.retry import RetryPolicy

POLICY = RetryPolicy(base_ms=1000, cap_ms=60_000, spread=0)
ODOO = "odoo"


class Site:
    """An outbox with the records that its commits left behind."""

    def __init__(self, look_after_ms: Mapping[str, int] = NOWHERE) -> None:
        self._look_after_ms = look_after_ms
        self.outbox = Outbox(POLICY, look_after_ms)
        self.records: dict[RecordId, bytes] = {}

    def offer(
        self,
        key: str,
        action: str = "production.scrap",
        lane: str = "mo-1",
        body: bytes = b"1",
        priority: int = 50,
        hold: str | None = None,
        dead: str | None = None,
        now_ms: int = 0,
        content: bytes | None = None,
    ) -> Offer:
        return self.outbox.offer(
            key=key,
            lane=lane,
            action=action,
            destination=ODOO,
            body=body,
            now_ms=now_ms,
            priority=priority,
            hold=hold,
            dead=dead,
            content=content,
        )

    def total(self, upto: int, lane: str = "mo-1", stream: str = "", hold: str | None = None, now_ms: int = 0) -> Offer:
        stream = stream or f"{lane}/good"
        return self.outbox.offer(
            key=f"progress:{stream}:{upto}",
            lane=lane,
            action="production.progress",
            destination=ODOO,
            body=b"%d" % upto,
            now_ms=now_ms,
            stream=stream,
            upto=Decimal(upto),
            hold=hold,
        )

    def claim(self, now_ms: int = 0, limit: int = 50) -> list[str]:
        return [entry.key for entry in self.outbox.claim(ODOO, now_ms=now_ms, limit=limit)]

    def deliver(self, *keys: str) -> None:
        for key in keys:
            self.outbox.applied(key, b"{}", 0)

    def commit(self) -> frozenset[RecordId]:
        changed = self.outbox.take_changed()
        for record in changed:
            value = self.outbox.snapshot(record)
            if value is None:
                self.records.pop(record, None)
            else:
                self.records[record] = value
        return changed

    def crash(self) -> None:
        """Begin again with what was committed."""
        self.outbox = Outbox(POLICY, self._look_after_ms)
        self.outbox.restore({record: value for record, value in self.records.items() if record.table is not Table.DONE})

    def done(self) -> Mapping[str, Entry]:
        self.commit()
        return {record.id: decode(value) for record, value in self.records.items() if record.table is Table.DONE}

    def states(self) -> dict[str, EntryState]:
        live = {entry.key: entry.state for entry in self.outbox.entries()}
        return live | {key: entry.state for key, entry in self.done().items()}
