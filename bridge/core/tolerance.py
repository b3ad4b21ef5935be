"""How much more than planned may be reported on an order without a person's consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bridge.core.order import OrderBook
from bridge.core.standing import Standings
from ruleset.transaction import Complete, Correct, Progress, QualityHold, Transaction
from ruleset.unit import Factor
from state.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """`share` is what may be reported above an order's quantity; `factors` lead from a unit of the floor to one of
    Odoo."""

    share: Decimal
    outbox: Outbox
    book: OrderBook
    standings: Standings
    factors: Mapping[tuple[str, str], Factor]

    def why_above(self, transaction: Transaction) -> str | None:
        """Why a transaction is held that reports too much; None for all others."""
        if not isinstance(transaction, Progress | Complete | QualityHold | Correct) or transaction.order is None:
            return None
        record = self.book.records.get(transaction.order)
        if record is None or record.planned is None:
            return None
        limit, unit = record.planned * (1 + self.share), str(record.document.get("unit", ""))
        quantity = self._total(transaction, unit)
        if quantity is None or quantity <= limit or (isinstance(transaction, Correct) and transaction.quantity < 0):
            return None
        return (
            f"{quantity.normalize():f} {unit} reported on {record.name}, planned {record.planned}: above the tolerance "
            f"of {(self.share * 100).normalize():f} %; release it to post it all the same"
        )

    def _total(self, transaction: Progress | Complete | QualityHold | Correct, unit: str) -> Decimal | None:
        """What the order comes to with this transaction, in its unit in Odoo: what its counters counted, and what
        corrected that. None where a unit of the floor does not convert to it: then only Odoo can tell."""
        if isinstance(transaction, Complete | QualityHold):
            return self._in_odoo(transaction.quantity, transaction.unit, unit)
        standing, units = self.standings.of(transaction.order or ""), {}
        totals = dict(self.outbox.stream_totals(f"{transaction.order}/"))
        if isinstance(transaction, Progress):
            totals[transaction.stream] = max(transaction.upto, totals.get(transaction.stream, Decimal(0)))
            units = {transaction.stream: transaction.unit}
        units = {**dict.fromkeys(totals, transaction.unit), **standing.units, **units}
        parts = [self._in_odoo(total, units[stream], unit) for stream, total in totals.items()]
        if isinstance(transaction, Correct):
            parts.append(self._in_odoo(transaction.quantity, transaction.unit, unit))
        known = [part for part in parts if part is not None]
        return sum(known, standing.corrected) if len(known) == len(parts) else None

    def _in_odoo(self, quantity: Decimal, unit: str, into: str) -> Decimal | None:
        factor = self.factors.get((unit, into))
        return None if factor is None else factor.of(quantity)
