"""What the bridge's own postings left on each order: where Odoo has no inbox, the only memory of them.

Pure. `Standings` is part of the core: applied transactions go in, and each posting of an order takes its standing
along. Kept also where there is an inbox, so that a site may change from one way of posting to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec

from odoo_adapter.odoo import Receipt, Standing
from ruleset.transaction import Progress, Transaction, WorkOrderFinish, WorkOrderStart

FORGET_EVERY_MS: Final = 3_600_000
MOST_FORGOTTEN: Final = 1_000
"""In one commit."""
LEAVES_QUANTITY: Final = frozenset({"production.progress", "workorder.start", "workorder.finish"})
"""Actions whose receipt says what the quantity of their order is now."""
NOTHING: Final = Standing()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The stored form of one order's standing, and when it last changed."""

    v: int = 1
    quantity: Decimal | None = None
    streams: dict[str, Decimal] = {}
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
        return NOTHING if kept is None else Standing(quantity=kept.quantity, streams=kept.streams)

    def applied(self, transaction: Transaction, receipt: Receipt, now_ms: int) -> None:
        """The transaction stands in Odoo. Its receipt says what the order's quantity was then."""
        if transaction.order is None or not isinstance(transaction, Progress | WorkOrderStart | WorkOrderFinish):
            return
        before = self.of(transaction.order)
        quantity, streams = _quantity(receipt, before.quantity), dict(before.streams)
        if isinstance(transaction, Progress):
            streams[transaction.stream] = max(transaction.upto, streams.get(transaction.stream, Decimal(0)))
        if (quantity, streams) != (before.quantity, before.streams):
            self._kept[transaction.order] = _Kept(quantity=quantity, streams=streams, at_ms=now_ms)
            self._changed.add(transaction.order)

    def forget_before(self, at_ms: int, is_open: Callable[[str], bool]) -> None:
        """Forget orders that are not open any more and were last posted to before this moment. Call it often: it works
        once an hour of `at_ms`."""
        if at_ms < self._forget_from_ms:
            return
        old = (order for order, kept in self._kept.items() if kept.at_ms < at_ms and not is_open(order))
        for order in list(islice(old, MOST_FORGOTTEN)):
            del self._kept[order]
            self._changed.add(order)
        self._forget_from_ms = at_ms + FORGET_EVERY_MS

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


def _quantity(receipt: Receipt, before: Decimal | None) -> Decimal | None:
    stands = receipt.details.get("qty_producing")
    return Decimal(str(stands)) if isinstance(stands, int | float | str) else before
