"""What an order release says, from the rows that an order consists of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import DELETED, OrderRead
from odoo_adapter.orders.bom import bom_versions
from odoo_adapter.orders.rows import Row, linked, listed, read_rows, search_rows
from odoo_adapter.orders.value import iso, text
from ruleset.sample import Plain

OPEN: Final = ("confirmed", "progress", "to_close")
RELEASED: Final = (*OPEN, "done", "cancel")

_ORDER_FIELDS: Final = (
    *("name", "state", "product_id", "product_qty", "product_uom_id", "company_id", "priority"),
    *("date_start", "date_deadline", "bom_id", "workorder_ids", "move_raw_ids", "move_byproduct_ids"),
    *("origin", "backorder_sequence", "qty_producing"),
)
_WORK_FIELDS: Final = (
    *("name", "workcenter_id", "duration_expected", "qty_production", "blocked_by_workorder_ids", "state"),
)
_MOVE_FIELDS: Final = ("product_id", "product_uom_qty", "product_uom", "state", "picked", "move_line_ids")
_LINE_FIELDS: Final = ("move_id", "lot_id", "quantity", "product_uom_id", "location_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the orders of one chunk refer to, each model's rows by id."""

    work: Mapping[int, Row]
    centers: Mapping[int, Row]
    moves: Mapping[int, Row]
    lines: Mapping[int, Row]
    lots: Mapping[int, Row]
    products: Mapping[int, Row]
    boms: Mapping[int, Plain]
    finished: Mapping[int, list[int]]
    """The finished lots by order."""
    backorder_of: Mapping[int, int]
    """The order that each backorder goes on with."""


async def read_documents(odoo: OdooApi, ids: Sequence[int]) -> list[OrderRead]:
    """Those of these orders that are released, as they are now, and those that are deleted.

    One of which a part is deleted while we read is left out: the deletion is a change that the next poll sees.
    """
    can = await odoo.capabilities()
    orders = await read_rows(
        odoo, "mrp.production", ids, [*_ORDER_FIELDS, can.finished_lots_field, can.backorder_group_field]
    )
    released = [row for row in orders.values() if row["state"] in RELEASED]
    parts = await _parts(odoo, released)
    read = [
        OrderRead(
            order=_reference("mo", row["id"]),
            name=row["name"],
            state=row["state"],
            document=_document(row, parts),
            moved=_moved(row, parts),
            work={_reference("wo", id): parts.work[id]["state"] for id in row["workorder_ids"] if id in parts.work},
        )
        for row in released
        if _is_whole(row, parts)
    ]
    deleted = [OrderRead(order=_reference("mo", id), name="", state=DELETED, document={}) for id in ids]
    return [*read, *(one for one in deleted if int(one.order[3:]) not in orders)]


async def _parts(odoo: OdooApi, orders: Sequence[Row]) -> _Parts:
    can = await odoo.capabilities()
    finished = {row["id"]: can.finished_lots(row) for row in orders}
    work = await read_rows(odoo, "mrp.workorder", listed(orders, "workorder_ids"), _WORK_FIELDS)
    moved = [*listed(orders, "move_raw_ids"), *listed(orders, "move_byproduct_ids")]
    moves = await read_rows(odoo, "stock.move", moved, _MOVE_FIELDS)
    lines = await read_rows(odoo, "stock.move.line", listed(moves.values(), "move_line_ids"), _LINE_FIELDS)
    lots = [*linked(lines.values(), "lot_id"), *(id for made in finished.values() for id in made)]
    used = linked([*orders, *moves.values()], "product_id")
    centers = linked(work.values(), "workcenter_id")
    return _Parts(
        work=work,
        centers=await read_rows(odoo, "mrp.workcenter", centers, ["code", "name"]),
        moves=moves,
        lines=lines,
        lots=await read_rows(odoo, "stock.lot", lots, ["name"]),
        products=await read_rows(odoo, "product.product", used, ["default_code", "name", "tracking"]),
        boms=await bom_versions(odoo, linked(orders, "bom_id")),
        finished=finished,
        backorder_of=await _backorders(odoo, orders, can.backorder_group_field),
    )


async def _backorders(odoo: OdooApi, orders: Sequence[Row], group: str) -> dict[int, int]:
    """Each backorder's predecessor. An order and its backorders are of one group, and numbered in it."""
    later = [row for row in orders if row["backorder_sequence"] > 1 and row[group]]
    if not later:
        return {}
    domain = [[group, "in", sorted(set(linked(later, group)))]]
    family: dict[int, list[Row]] = defaultdict(list)
    for row in await search_rows(odoo, "mrp.production", domain, [group, "product_id", "backorder_sequence"]):
        family[row[group][0]].append(row)
    found: dict[int, int] = {}
    for row in later:
        earlier = [
            one
            for one in family[row[group][0]]
            if one["product_id"] == row["product_id"] and one["backorder_sequence"] < row["backorder_sequence"]
        ]
        if earlier:
            found[row["id"]] = max(earlier, key=lambda one: (one["backorder_sequence"], one["id"]))["id"]
    return found


def _is_whole(row: Row, parts: _Parts) -> bool:
    """Whether nothing that the order cannot do without was deleted after the order was read."""
    work = [parts.work[id] for id in row["workorder_ids"] if id in parts.work]
    moves = [*_moves(row, "move_raw_ids", parts), *_moves(row, "move_byproduct_ids", parts)]
    return parts.products.keys() >= set(linked([row, *moves], "product_id")) and parts.centers.keys() >= set(
        linked(work, "workcenter_id")
    )


def _document(row: Row, parts: _Parts) -> dict[str, Plain]:
    operations = [parts.work[id] for id in row["workorder_ids"] if id in parts.work]
    backorder_of = parts.backorder_of.get(row["id"])
    return {
        "product": _product(parts.products[row["product_id"][0]]),
        "quantity": text(row["product_qty"]),
        "unit": row["product_uom_id"][1],
        "company": row["company_id"][0],
        "start": iso(row["date_start"]),
        "due": iso(row["date_deadline"]),
        "priority": int(row["priority"] or 0),
        "origin": {
            "procurement": row["origin"] or "",
            "backorder_of": None if backorder_of is None else _reference("mo", backorder_of),
        },
        "bom": parts.boms.get(row["bom_id"][0]) if row["bom_id"] else None,
        "operations": [_operation(one, place, parts) for place, one in enumerate(operations, 1)],
        "components": [_component(one, parts) for one in _moves(row, "move_raw_ids", parts)],
        "by_products": [_line(one, parts) for one in _moves(row, "move_byproduct_ids", parts)],
        "lots": [parts.lots[id]["name"] for id in parts.finished[row["id"]] if id in parts.lots],
    }


def _moved(row: Row, parts: _Parts) -> frozenset[str]:
    """What saving a bill without a change, and making the order, move by themselves.

    A start and (19.0) the counting of pieces write dates and expected minutes. With the counting (17.0: also where
    nothing is picked yet) reservations become what is used.
    """
    moved = {"bom.version"}
    if row["state"] != "confirmed":
        moved.add("start")
        moved |= {f"operations[{_reference('wo', id)}].expected_minutes" for id in row["workorder_ids"]}
    for move in _moves(row, "move_raw_ids", parts):
        if move["picked"] or row["qty_producing"] > 0:
            moved |= {f"components[{_reference('move', move['id'])}].{name}" for name in ("lots", "reserved")}
    return frozenset(moved)


def _moves(row: Row, name: str, parts: _Parts) -> list[Row]:
    moves = [parts.moves[id] for id in row[name] if id in parts.moves]
    return [move for move in moves if move["state"] != "cancel"]


def _reference(kind: str, id: int) -> str:
    return f"{kind}-{id}"


def _product(row: Row) -> dict[str, Plain]:
    return {"code": row["default_code"] or "", "name": row["name"], "tracking": row["tracking"]}


def _operation(row: Row, place: int, parts: _Parts) -> dict[str, Plain]:
    center = parts.centers[row["workcenter_id"][0]]
    return {
        "work_order": _reference("wo", row["id"]),
        "sequence": place,
        "name": row["name"],
        "work_center": center["code"] or center["name"],
        "quantity": text(row["qty_production"]),
        "expected_minutes": round(row["duration_expected"], 2),
        "after": [_reference("wo", id) for id in sorted(row["blocked_by_workorder_ids"]) if id in parts.work],
    }


def _component(row: Row, parts: _Parts) -> dict[str, Plain]:
    lines = [parts.lines[id] for id in row["move_line_ids"] if id in parts.lines]
    reserved = _reserved(lines, parts)
    lots: list[Plain] = [*sorted({lot for one in reserved if isinstance(lot := one["lot"], str)})]
    return {**_line(row, parts), "lots": lots, "reserved": [*reserved]}


def _line(row: Row, parts: _Parts) -> dict[str, Plain]:
    product = parts.products[row["product_id"][0]]
    return {
        "line": _reference("move", row["id"]),
        "product": product["default_code"] or "",
        "name": product["name"],
        "quantity": text(row["product_uom_qty"]),
        "unit": row["product_uom"][1],
        "tracking": product["tracking"],
    }


def _reserved(lines: Iterable[Row], parts: _Parts) -> list[dict[str, Plain]]:
    """What is reserved, by lot and place: Odoo may have several lines for one."""
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for line in lines:
        lot = parts.lots.get(line["lot_id"][0]) if line["lot_id"] else None
        sums[lot["name"] if lot else "", line["location_id"][1], line["product_uom_id"][1]] += line["quantity"]
    return [
        {"lot": lot or None, "quantity": text(round(quantity, 6)), "unit": unit, "location": location}
        for (lot, location, unit), quantity in sorted(sums.items())
        if round(quantity, 6) > 0
    ]
