"""What happened while no order ran, given to an order by a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from bridge.orders.record import OrderRecord
from ruleset.equipment import Equipment
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
        return "it has an order; release it without naming one" if values else None
    name = values.get(ORDER, "")
    if not name:
        return "no order ran for it; name the order that it belongs to, or skip it"
    found = next((each for each in orders.values() if name in (each.order, each.name)), None)
    if found is None:
        return f"there is no order {name!r} that the bridge knows; `uns-bridge orders list` shows what there is"
    order = OrderRef(found.order)
    return given_to(transaction, order) if isinstance(transaction, Progress) else replace(transaction, order=order)


@dataclass(frozen=True, slots=True)
class Choice:
    """The open orders that a person may give entries to: those at the entries' equipment, and the others."""

    there: tuple[OrderRecord, ...]
    elsewhere: tuple[OrderRecord, ...]


def choice(
    entries: Iterable[Entry], orders: Mapping[str, OrderRecord], equipment: Mapping[str, Equipment]
) -> Choice | None:
    """Which orders these entries may be given to; None where each of them has one."""
    lacking = [one for each in entries if (one := _transaction(each)) is not None and lacks_order(one)]
    if not lacking:
        return None
    paths = {each.equipment for each in lacking}
    centers = {equipment[path].work_center for path in paths & equipment.keys()} - {None, ""}
    there: list[OrderRecord] = []
    elsewhere: list[OrderRecord] = []
    for record in sorted(orders.values(), key=lambda each: each.name):
        if record.is_open:
            is_there = any(each.get("work_center") in centers for each in record.document.get("operations", ()))
            (there if is_there else elsewhere).append(record)
    return Choice(tuple(there), tuple(elsewhere))


def _transaction(entry: Entry) -> Transaction | None:
    if entry.state is not EntryState.HELD:
        return None
    try:
        return decode(entry.body)
    except msgspec.MsgspecError:
        return None
