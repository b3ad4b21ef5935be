"""What the bridge's own postings left on each order: where Odoo has no inbox, the only memory of them.

Pure. `Standings` is part of the core: applied transactions go in, and each posting of an order takes its standing
along. Kept also where there is an inbox, so that a site may change from one way of posting to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec

from odoo_adapter.odoo import Receipt, Standing
from ruleset.transaction import Correct, MaterialConsume, Progress, Transaction, WorkOrderFinish, WorkOrderStart

FORGET_ORDERS_EVERY_MS: Final = 3_600_000
MOST_FORGOTTEN: Final = 1_000
"""At once; where there is more, it is gone on with when asked next."""
LEAVES_QUANTITY: Final = frozenset(
    {"production.progress", "production.correct", "workorder.start", "workorder.finish", "material.consume"}
)
"""Actions whose receipt says what the quantity of their order, or of a component, is now."""
NOTHING: Final = Standing()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The stored form of one order's standing, and when it last changed."""

    v: int = 1
    quantity: Decimal | None = None
    streams: dict[str, Decimal] = {}
    units: dict[str, str] = {}
    corrected: Decimal = Decimal(0)
    consumed: dict[str, dict[str, Decimal]] = {}
    started: bool = False
    at_ms: int


class Standings:
    """The standings of all orders that were posted to and are not forgotten."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._changed: set[str] = set()
        self._forget_from_ms = 0

    def of(self, order: str) -> Standing:
        """What is known of this order: nothing, if nothing was posted to it or a bridge did that which kept none."""
        kept = self._kept.get(order)
        if kept is None:
            return NOTHING
        return Standing(
            quantity=kept.quantity,
            streams=kept.streams,
            units=kept.units,
            corrected=kept.corrected,
            consumed=kept.consumed,
        )

    def is_started(self, order: str) -> bool:
        """Whether a start of the order was posted, or pieces of it without one."""
        kept = self._kept.get(order)
        return kept is not None and (kept.started or bool(kept.streams))

    def applied(self, transaction: Transaction, receipt: Receipt, now_ms: int) -> None:
        """The transaction stands in Odoo. Its receipt says what a quantity of the order was then."""
        if transaction.order is None:
            return
        before, was_started = self.of(transaction.order), self.is_started(transaction.order)
        after = _after(before, transaction, receipt)
        started = was_started or isinstance(transaction, WorkOrderStart)
        if after != before or started != was_started:
            self._kept[transaction.order] = _Kept(
                quantity=after.quantity,
                streams=dict(after.streams),
                units=dict(after.units),
                corrected=after.corrected,
                consumed={product: dict(lots) for product, lots in after.consumed.items()},
                started=started,
                at_ms=now_ms,
            )
            self._changed.add(transaction.order)

    def forget_before(self, at_ms: int, is_open: Callable[[str], bool]) -> None:
        """Forget orders that are not open any more and were last posted to before this moment. Call it often: it works
        once an hour of `at_ms`, and again at once where there is more."""
        if at_ms < self._forget_from_ms:
            return
        old = (order for order, kept in self._kept.items() if kept.at_ms < at_ms and not is_open(order))
        forgotten = list(islice(old, MOST_FORGOTTEN))
        for order in forgotten:
            del self._kept[order]
            self._changed.add(order)
        self._forget_from_ms = next_forgetting_ms(at_ms, len(forgotten))

    def take_changed(self) -> frozenset[str]:
        """The orders whose standing changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, order: str) -> bytes | None:
        """The stored form of one order's standing; None: it is forgotten."""
        kept = self._kept.get(order)
        return None if kept is None else msgspec.json.encode(kept)

    def restore(self, order: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `msgspec.MsgspecError` for anything else."""
        self._kept[order] = msgspec.json.decode(snapshot, type=_Kept)


def next_forgetting_ms(at_ms: int, forgotten: int) -> int:
    """When to look again what to forget: at once where there may be more than was forgotten now."""
    return at_ms if forgotten == MOST_FORGOTTEN else at_ms + FORGET_ORDERS_EVERY_MS


def _after(before: Standing, transaction: Transaction, receipt: Receipt) -> Standing:
    if isinstance(transaction, Progress | Correct | WorkOrderStart | WorkOrderFinish):
        before = replace(before, quantity=_number(receipt, "qty_producing", before.quantity))
    if isinstance(transaction, Progress):
        upto = max(transaction.upto, before.streams.get(transaction.stream, Decimal(0)))
        units = {**before.units, transaction.stream: transaction.unit}
        return replace(before, streams={**before.streams, transaction.stream: upto}, units=units)
    if isinstance(transaction, Correct):
        return replace(before, corrected=_number(receipt, "corrected", before.corrected) or Decimal(0))
    if isinstance(transaction, MaterialConsume):
        lots = dict(before.consumed.get(transaction.product, {}))
        if (stands := _number(receipt, "consumed", None)) is not None:
            lots[str(receipt.details.get("lot") or "")] = stands
        return replace(before, consumed={**before.consumed, transaction.product: lots})
    return before


def _number(receipt: Receipt, name: str, otherwise: Decimal | None) -> Decimal | None:
    stands = receipt.details.get(name)
    return Decimal(str(stands)) if isinstance(stands, int | float | str) else otherwise
