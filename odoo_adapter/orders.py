"""Reads released orders from Odoo without gaps, and without reading again what is known.

Odoo's `write_date` is the start of the writing transaction, so a row can appear later with an earlier date: every
poll asks again for what changed up to `overlap_s` before the last poll. An order's own date is not moved by its
components, work orders or bill of materials (seen on 17 to 19), so those are asked for too. First only ids and dates
are asked for; documents are read for the orders of which a row is new (see `OrderReader`). What comes back unchanged
all the same is dropped by the caller, who compares the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final, TypeAlias

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import OrderRead
from odoo_adapter.plan import quantity
from ruleset.sample import Plain

OPEN: Final = ("confirmed", "progress", "to_close")
RELEASED: Final = (*OPEN, "done", "cancel")
PAGE: Final = 500
CHUNK: Final = 100
"""Orders whose documents are read together."""

OVERLAP_S: Final = 300
"""Longer than any transaction of Odoo lasts (its limit is 120 s by default)."""

YOUNG_S: Final = 10
"""How long a row is read again at every poll: most transactions of Odoo last less, so their changes come at once."""

MOST_REMEMBERED: Final = 20_000
"""Rows remembered, some megabytes. An order with its work orders and components is five to fifty."""

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_ORDER_FIELDS: Final = [
    "name",
    "state",
    "product_id",
    "product_qty",
    "product_uom_id",
    "company_id",
    "date_deadline",
    "bom_id",
    "workorder_ids",
    "move_raw_ids",
]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A row's last writing: the second in which its transaction began, and the order or bill that it belongs to."""

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

    async def read(self, since: str, now: str) -> tuple[OrderRead, ...]:
        """The released orders that may have changed since then (empty: all that are open), by their ids.

        `now` is the database's time before this call, and the cursor to ask with next.
        """
        if not since:
            ids = await _ids(self._odoo, "mrp.production", [_ours(self._odoo), ["state", "in", list(OPEN)]])
            orders, kept = await self._documents(ids), {}
        else:
            known = self._remembered if since == self._answered else {}
            listed = await _listed(self._odoo, _shifted(since, -self._overlap))
            leaving = _shifted(now, -self._overlap)
            unread = {row for row, change in listed.items() if known.get(row) != change or change.date < leaving}
            other = {row for row, change in known.items() if listed.get(row) != change}
            changes = [*((row, listed[row]) for row in unread), *((row, known[row]) for row in other)]
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
            orders += await _documents(self._odoo, ordered[at : at + CHUNK])
        return orders


def _shifted(moment: str, by: timedelta) -> str:
    return (datetime.strptime(moment, _FORMAT) + by).strftime(_FORMAT)


def _ours(odoo: OdooApi) -> list[object]:
    return ["company_id", "=", odoo.connection.company]


async def _listed(odoo: OdooApi, start: str) -> dict[_RowId, _Change]:
    """Every row written since then that has a part in an order's document."""
    moved = ["write_date", ">=", start]
    of_orders = ["raw_material_production_id", "!=", False]
    asked: tuple[tuple[str, list[object], str | None], ...] = (
        ("mrp.production", [_ours(odoo), moved], None),
        ("mrp.workorder", [_ours(odoo), moved], "production_id"),
        ("stock.move", [_ours(odoo), moved, of_orders], "raw_material_production_id"),
        ("mrp.bom", [moved], None),
        ("mrp.bom.line", [moved], "bom_id"),
    )
    listed: dict[_RowId, _Change] = {}
    for model, domain, link in asked:
        for row in await _rows(odoo, model, domain, ["write_date", link] if link else ["write_date"]):
            if link is None or row[link]:
                owner = row[link][0] if link else row["id"]
                listed[model, row["id"]] = _Change(date=row["write_date"][:19], owner=owner)
    return listed


async def _owners(odoo: OdooApi, rows: Iterable[tuple[_RowId, _Change]]) -> set[int]:
    """The orders to which these rows belong: for bills of materials, the open ones that use them."""
    ids: set[int] = set()
    boms: set[int] = set()
    for (model, _), change in rows:
        (boms if model.startswith("mrp.bom") else ids).add(change.owner)
    if boms:
        users = [_ours(odoo), ["bom_id", "in", sorted(boms)], ["state", "in", list(OPEN)]]
        ids |= await _ids(odoo, "mrp.production", users)
    return ids


async def _ids(odoo: OdooApi, model: str, domain: Sequence[object]) -> set[int]:
    return {row["id"] for row in await _rows(odoo, model, domain, ["id"])}


async def _rows(odoo: OdooApi, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
    """All rows, with these fields. Paged by id: offsets would skip rows that move."""
    found: list[Row] = []
    last = 0
    while True:
        rows = await odoo.call(
            model,
            "search_read",
            writes=False,
            domain=[*domain, ["id", ">", last]],
            fields=list(fields),
            order="id",
            limit=PAGE,
        )
        found += rows
        if len(rows) < PAGE:
            return found
        last = rows[-1]["id"]


async def _read(odoo: OdooApi, model: str, ids: Iterable[int], fields: Sequence[str]) -> dict[int, Row]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await odoo.call(model, "read", writes=False, ids=wanted, fields=list(fields))
    return {row["id"]: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the orders of one chunk refer to, each model's rows by id."""

    work: Mapping[int, Row]
    centers: Mapping[int, Row]
    moves: Mapping[int, Row]
    lots: Mapping[int, Row]
    products: Mapping[int, Row]
    boms: Mapping[int, Plain]
    finished: Mapping[int, list[int]]
    """The finished lots by order."""


async def _documents(odoo: OdooApi, ids: Sequence[int]) -> list[OrderRead]:
    can = await odoo.capabilities()
    orders = await _read(odoo, "mrp.production", ids, [*_ORDER_FIELDS, can.finished_lots_field])
    released = [row for row in orders.values() if row["state"] in RELEASED]
    parts = await _parts(odoo, released, {row["id"]: can.finished_lots(row) for row in released})
    return [
        OrderRead(order=f"mo-{row['id']}", name=row["name"], state=row["state"], document=_document(row, parts))
        for row in released
    ]


async def _parts(odoo: OdooApi, orders: Sequence[Row], finished: Mapping[int, list[int]]) -> _Parts:
    steps = [id for row in orders for id in row["workorder_ids"]]
    work = await _read(odoo, "mrp.workorder", steps, ["name", "workcenter_id", "duration_expected"])
    components = [id for row in orders for id in row["move_raw_ids"]]
    fields = ["product_id", "product_uom_qty", "product_uom", "state", "lot_ids"]
    moves = await _read(odoo, "stock.move", components, fields)
    reserved = [id for row in moves.values() for id in row["lot_ids"]]
    made = [id for lots in finished.values() for id in lots]
    used = _linked([*orders, *moves.values()], "product_id")
    return _Parts(
        work=work,
        centers=await _read(odoo, "mrp.workcenter", _linked(work.values(), "workcenter_id"), ["code", "name"]),
        moves=moves,
        lots=await _read(odoo, "stock.lot", [*reserved, *made], ["name"]),
        products=await _read(odoo, "product.product", used, ["default_code", "name", "tracking"]),
        boms=await _bom_versions(odoo, _linked(orders, "bom_id")),
        finished=finished,
    )


def _document(row: Row, parts: _Parts) -> dict[str, Plain]:
    """One order's document. What was deleted while we read is left out; the next poll sees the order changed."""
    components = [parts.moves[id] for id in row["move_raw_ids"] if id in parts.moves]
    return {
        "product": _product(parts.products[row["product_id"][0]]),
        "quantity": _text(row["product_qty"]),
        "unit": row["product_uom_id"][1],
        "company": row["company_id"][0],
        "due": _iso(row["date_deadline"]),
        "bom": parts.boms.get(row["bom_id"][0]) if row["bom_id"] else None,
        "operations": [_operation(parts.work[id], parts.centers) for id in row["workorder_ids"] if id in parts.work],
        "components": [_component(one, parts) for one in components if one["state"] != "cancel"],
        "lots": [parts.lots[id]["name"] for id in parts.finished[row["id"]] if id in parts.lots],
    }


async def _bom_versions(odoo: OdooApi, ids: Iterable[int]) -> dict[int, Plain]:
    """Code and version of bills of materials. Community Odoo has no version: the last writing on it or its lines is."""
    boms = await _read(odoo, "mrp.bom", ids, ["code", "write_date", "bom_line_ids"])
    lines = await _read(
        odoo, "mrp.bom.line", (id for row in boms.values() for id in row["bom_line_ids"]), ["write_date"]
    )
    versions: dict[int, Plain] = {}
    for id, row in boms.items():
        dates = [row["write_date"], *(lines[line]["write_date"] for line in row["bom_line_ids"] if line in lines)]
        versions[id] = {"code": row["code"] or "", "version": _iso(max(dates))}
    return versions


def _linked(rows: Iterable[Row], name: str) -> list[int]:
    return [row[name][0] for row in rows if row[name]]


def _product(row: Row) -> dict[str, Plain]:
    return {"code": row["default_code"] or "", "name": row["name"], "tracking": row["tracking"]}


def _operation(row: Row, centers: Mapping[int, Row]) -> dict[str, Plain]:
    center = centers[row["workcenter_id"][0]]
    return {
        "work_order": f"wo-{row['id']}",
        "name": row["name"],
        "work_center": center["code"] or center["name"],
        "expected_minutes": round(row["duration_expected"], 2),
    }


def _component(row: Row, parts: _Parts) -> dict[str, Plain]:
    product = parts.products[row["product_id"][0]]
    return {
        "product": product["default_code"] or "",
        "name": product["name"],
        "quantity": _text(row["product_uom_qty"]),
        "unit": row["product_uom"][1],
        "tracking": product["tracking"],
        "lots": sorted(parts.lots[id]["name"] for id in row["lot_ids"] if id in parts.lots),
    }


def _text(number: float) -> str:
    return quantity(Decimal(repr(float(number))))


def _iso(moment: str | bool) -> str | None:
    """Odoo's naive UTC string as ISO 8601 with its zone; Odoo's False is None."""
    if not isinstance(moment, str):
        return None
    return datetime.strptime(moment[:19], _FORMAT).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
