"""Reads released orders from Odoo without gaps, and without reading again what is known.

Odoo's `write_date` is the start of the writing transaction, so a row can appear later with an earlier date: every
poll asks again for what changed up to `overlap_s` before the last poll. An order's own date is not moved by its
components, reservations, work orders or bill of materials (seen on 17 to 19), so those are asked for too, each model
by its own dates. First only ids and dates are asked for; documents are read for the orders of which a row is new (see
`OrderReader`). What comes back unchanged all the same is dropped by the caller, who compares the documents. What this
cannot see (a deletion that nobody remembers, a longer transaction) is found by reading all that are open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeAlias

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import OrderRead
from odoo_adapter.orders.document import OPEN, read_documents
from odoo_adapter.orders.rows import linked, read_rows, search_ids, search_rows
from odoo_adapter.orders.value import FORMAT

CHUNK: Final = 100
"""Orders whose documents are read together."""

OVERLAP_S: Final = 300
"""Longer than any transaction of Odoo lasts (its limit is 120 s by default)."""

YOUNG_S: Final = 10
"""How long a row is read again at every poll: most transactions of Odoo last less, so their changes come at once."""

MOST_REMEMBERED: Final = 20_000
"""Rows remembered, some megabytes. An order with its work orders, components and reservations is ten to a hundred."""

_MADE: Final = "production_id"
_USED: Final = "raw_material_production_id"
_ASKED: Final[tuple[tuple[str, tuple[object, ...], tuple[str, ...]], ...]] = (
    ("mrp.production", (), ()),
    ("mrp.workorder", (), ("production_id",)),
    ("stock.move", ("|", [_USED, "!=", False], [_MADE, "!=", False]), (_USED, _MADE)),
    ("stock.move.line", ([f"move_id.{_USED}", "!=", False], ["state", "not in", ["done", "cancel"]]), ("move_id",)),
    ("mrp.bom", (), ()),
    ("mrp.bom.line", (), ("bom_id",)),
)
"""The models whose rows have a part in an order's document: which of them, and the fields that may name the owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A row's last writing: the second in which its transaction began, and the order, bill or component of it."""

    date: str
    owner: int


_RowId: TypeAlias = "tuple[str, int]"


class OrderReader:
    """Reads the orders that may have changed since a cursor.

    It remembers which rows, with which `write_date`, were read in earlier polls of this process, and reads documents
    only where a row is not among them. No change is missed by that, as long as a transaction of Odoo lasts less than
    the overlap. Take a change that a transaction with the date W wrote to a row:

    * While W is in the window, the row is listed. With a date that is not remembered, its order is read at the first
      poll after the transaction's end.
    * Two transactions of one second leave the same date, and the second of them may end after the first was read. So
      no row is remembered while it is younger than `YOUNG_S`, and a row that will have left the window at the next
      poll (W before `now - overlap`) is always read once more: by then every transaction of that second has ended.
    * What is remembered but not listed any more was deleted, or went to another order: the order it was of is read.

    The memory is of what the caller took: it is used only when asked with the cursor that was answered last, so an
    answer that was lost, a restart or another cursor reads everything in the window. It changes only after all was
    read. What does not fit into it is read at every poll.
    """

    def __init__(self, odoo: OdooApi, overlap_s: int) -> None:
        self._odoo = odoo
        self._overlap = timedelta(seconds=overlap_s)
        self._remembered: dict[_RowId, _Change] = {}
        self._answered = ""

    async def read(self, since: str, now: str, known: Collection[str] = ()) -> tuple[OrderRead, ...]:
        """The released orders that may have changed since then, by their ids; empty: all that are open, and `known`.

        `now` is the database's time before this call, and the cursor to ask with next.
        """
        if not since:
            ids = await search_ids(self._odoo, "mrp.production", [_ours(self._odoo), ["state", "in", list(OPEN)]])
            orders, kept = await self._documents(ids | {int(order.removeprefix("mo-")) for order in known}), {}
        else:
            known_rows = self._remembered if since == self._answered else {}
            listed = await _listed(self._odoo, _shifted(since, -self._overlap))
            leaving = _shifted(now, -self._overlap)
            unread = {row for row, change in listed.items() if known_rows.get(row) != change or change.date < leaving}
            other = {row for row, change in known_rows.items() if listed.get(row) != change}
            changes = [*((row, listed[row]) for row in unread), *((row, known_rows[row]) for row in other)]
            orders = await self._documents(await _owners(self._odoo, changes))
            settled = _shifted(now, -timedelta(seconds=YOUNG_S))
            lasting = ((row, one) for row, one in listed.items() if leaving <= one.date < settled)
            kept = dict(islice(lasting, MOST_REMEMBERED))
        self._remembered, self._answered = kept, now
        return tuple(orders)

    async def _documents(self, ids: set[int]) -> list[OrderRead]:
        ordered = sorted(ids)
        orders: list[OrderRead] = []
        for at in range(0, len(ordered), CHUNK):
            orders += await read_documents(self._odoo, ordered[at : at + CHUNK])
        return orders


def _shifted(moment: str, by: timedelta) -> str:
    return (datetime.strptime(moment, FORMAT) + by).strftime(FORMAT)


def _ours(odoo: OdooApi) -> list[object]:
    return ["company_id", "=", odoo.connection.company]


async def _listed(odoo: OdooApi, start: str) -> dict[_RowId, _Change]:
    """Every row written since then that has a part in an order's document."""
    found: dict[_RowId, _Change] = {}
    for model, which, links in _ASKED:
        of_company = () if model.startswith("mrp.bom") else (_ours(odoo),)
        domain = [*of_company, ["write_date", ">=", start], *which]
        for row in await search_rows(odoo, model, domain, ["write_date", *links]):
            owner = next((row[link][0] for link in links if row[link]), None) if links else row["id"]
            if owner is not None:
                found[model, row["id"]] = _Change(date=row["write_date"][:19], owner=owner)
    return found


async def _owners(odoo: OdooApi, rows: Iterable[tuple[_RowId, _Change]]) -> set[int]:
    """The orders to which these rows belong: for bills of materials, the open ones that use them."""
    ids: set[int] = set()
    boms: set[int] = set()
    components: set[int] = set()
    for (model, _), change in rows:
        owners = boms if model.startswith("mrp.bom") else components if model == "stock.move.line" else ids
        owners.add(change.owner)
    moves = await read_rows(odoo, "stock.move", components, [_USED])
    ids |= set(linked(moves.values(), _USED))
    if boms:
        users = [_ours(odoo), ["bom_id", "in", sorted(boms)], ["state", "in", list(OPEN)]]
        ids |= await search_ids(odoo, "mrp.production", users)
    return ids
