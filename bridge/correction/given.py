"""What happened while no order ran, given to an order by a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from bridge.orders.record import OrderRecord
from ruleset.form.collect import given_to
from ruleset.form.vocabulary import lacks_order
from ruleset.transaction import OrderRef, Progress, Transaction, decode
from state.entry import Entry, EntryState

ORDER = "order"
"""The value that a release of such an entry must say."""


def why_without_order(transaction: Transaction, at: str) -> str | None:
    """Why a transaction is held that belongs to an order which nobody knows; None for all others."""
    if not lacks_order(transaction):
        return None
    return f"no order ran at {transaction.equipment} at {at}: release it to the order that it belongs to, or skip it"


def given(entry: Entry, values: Mapping[str, str], orders: Mapping[str, OrderRecord]) -> Transaction | str | None:
    """A held entry's transaction with the order that its release names; a sentence where it cannot be had; None where
    the entry has an order and none is named."""
    transaction = _transaction(entry)
    if transaction is None or not lacks_order(transaction):
        return "it has an order; release it without --order" if values else None
    name = values.get(ORDER, "")
    if not name:
        return "no order ran for it; say which it belongs to, with --order, or skip it"
    found = next((each for each in orders.values() if name in (each.order, each.name)), None)
    if found is None:
        return f"there is no order {name!r} that the bridge knows; `uns-bridge orders list` shows what there is"
    order = OrderRef(found.order)
    return given_to(transaction, order) if isinstance(transaction, Progress) else replace(transaction, order=order)


def _transaction(entry: Entry) -> Transaction | None:
    if entry.state is not EntryState.HELD:
        return None
    try:
        return decode(entry.body)
    except msgspec.MsgspecError:
        return None
