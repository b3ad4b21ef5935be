"""Reads released orders from Odoo without gaps.

Odoo's `write_date` is the start of the writing transaction, so a row can appear later with an earlier date: every
poll asks again for what changed up to `overlap_s` before the last poll. An order's own date is not moved by its
components, work orders or bill of materials (seen on 17 to 19), so those are asked for too. What comes back
unchanged is dropped by the caller, who compares the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from odoo_adapter.json2 import Json2
from odoo_adapter.odoo import OrderRead
from odoo_adapter.plan import quantity
from ruleset.sample import Plain

OPEN: Final = ("confirmed", "progress", "to_close")
RELEASED: Final = (*OPEN, "done", "cancel")
PAGE: Final = 500
CHUNK: Final = 100
"""Orders whose documents are read together."""

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
    "lot_producing_ids",
    "workorder_ids",
    "move_raw_ids",
]

Row = Mapping[str, Any]


async def changed_orders(odoo: Json2, since: str, overlap_s: int) -> tuple[OrderRead, ...]:
    """The released orders that may have changed since then (empty: all that are open), by their ids."""
    if not since:
        ids = await _ids(odoo, "mrp.production", [_ours(odoo), ["state", "in", list(OPEN)]])
    else:
        start = datetime.strptime(since, _FORMAT) - timedelta(seconds=overlap_s)
        ids = await _touched(odoo, start.strftime(_FORMAT))
    orders: list[OrderRead] = []
    ordered = sorted(ids)
    for at in range(0, len(ordered), CHUNK):
        orders += await _documents(odoo, ordered[at : at + CHUNK])
    return tuple(orders)


def _ours(odoo: Json2) -> list[object]:
    return ["company_id", "=", odoo.connection.company]


async def _touched(odoo: Json2, start: str) -> set[int]:
    """The orders of which anything was written since then."""
    moved = ["write_date", ">=", start]
    ids = await _ids(odoo, "mrp.production", [_ours(odoo), moved])
    ids |= await _ids(odoo, "mrp.workorder", [_ours(odoo), moved], "production_id")
    parts = [_ours(odoo), moved, ["raw_material_production_id", "!=", False]]
    ids |= await _ids(odoo, "stock.move", parts, "raw_material_production_id")
    boms = await _ids(odoo, "mrp.bom", [moved])
    boms |= await _ids(odoo, "mrp.bom.line", [moved], "bom_id")
    if boms:
        users = [_ours(odoo), ["bom_id", "in", sorted(boms)], ["state", "in", list(OPEN)]]
        ids |= await _ids(odoo, "mrp.production", users)
    return ids


async def _ids(odoo: Json2, model: str, domain: Sequence[object], link: str | None = None) -> set[int]:
    """The ids of all rows, or those that the field `link` names. Paged by id: offsets would skip rows that move."""
    found: set[int] = set()
    last = 0
    while True:
        rows = await odoo.call(
            model,
            "search_read",
            writes=False,
            domain=[*domain, ["id", ">", last]],
            fields=[link] if link else ["id"],
            order="id",
            limit=PAGE,
        )
        found |= {row[link][0] if link else row["id"] for row in rows if not link or row[link]}
        if len(rows) < PAGE:
            return found
        last = rows[-1]["id"]


async def _read(odoo: Json2, model: str, ids: Iterable[int], fields: Sequence[str]) -> dict[int, Row]:
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


async def _documents(odoo: Json2, ids: Sequence[int]) -> list[OrderRead]:
    orders = await _read(odoo, "mrp.production", ids, _ORDER_FIELDS)
    released = [row for row in orders.values() if row["state"] in RELEASED]
    parts = await _parts(odoo, released)
    return [
        OrderRead(order=f"mo-{row['id']}", name=row["name"], state=row["state"], document=_document(row, parts))
        for row in released
    ]


async def _parts(odoo: Json2, orders: Sequence[Row]) -> _Parts:
    steps = [id for row in orders for id in row["workorder_ids"]]
    work = await _read(odoo, "mrp.workorder", steps, ["name", "workcenter_id", "duration_expected"])
    components = [id for row in orders for id in row["move_raw_ids"]]
    fields = ["product_id", "product_uom_qty", "product_uom", "state", "lot_ids"]
    moves = await _read(odoo, "stock.move", components, fields)
    reserved = [id for row in moves.values() for id in row["lot_ids"]]
    finished = [id for row in orders for id in row["lot_producing_ids"]]
    used = _linked([*orders, *moves.values()], "product_id")
    return _Parts(
        work=work,
        centers=await _read(odoo, "mrp.workcenter", _linked(work.values(), "workcenter_id"), ["code", "name"]),
        moves=moves,
        lots=await _read(odoo, "stock.lot", [*reserved, *finished], ["name"]),
        products=await _read(odoo, "product.product", used, ["default_code", "name", "tracking"]),
        boms=await _bom_versions(odoo, _linked(orders, "bom_id")),
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
        "lots": [parts.lots[id]["name"] for id in row["lot_producing_ids"] if id in parts.lots],
    }


async def _bom_versions(odoo: Json2, ids: Iterable[int]) -> dict[int, Plain]:
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
