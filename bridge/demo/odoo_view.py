"""What stands in Odoo after a run, as plain values, and how it is read from a server."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from bridge.core.note import KEY as TOLD_PLANNERS
from odoo_adapter.versions import Capabilities
from ruleset.sample import Plain

HOLD_LOCATION: Final = "quality hold"
LOSSES: Final = {
    "Material Availability": "material_availability",
    "Equipment Failure": "breakdown",
    "Setup and Adjustments": "setup",
    "Reduced Speed": "reduced_speed",
    "Process Defect": "defect",
    "Fully Productive Time": "productive",
    "Unclassified": "unclassified",
}
"""Odoo's loss reasons (`mrp.block_reason*`, and the inbox's own) by the names that they have in English."""

AGAIN: Final = "UNS bridge: again: "
"""How a note on a maintenance request begins that asks for the same again."""

_CODE: Final = re.compile(r"\[([^\]]+)\]")
_TAG: Final = re.compile(r"<[^>]*>")


class OdooReader(Protocol):
    """A connection that reads. Raises what its maker says when Odoo cannot be read."""

    async def search_read(
        self, model: str, domain: Sequence[object], fields: Sequence[str]
    ) -> list[dict[str, Any]]: ...

    async def capabilities(self) -> Capabilities: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapView:
    """A validated scrap."""

    quantity: Decimal
    lot: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One manufacturing order. `producing` is what was reported so far, `produced` what is finished."""

    state: str
    producing: Decimal = Decimal(0)
    produced: Decimal = Decimal(0)
    lots: tuple[str, ...] = ()
    consumed: Mapping[tuple[str, str | None], Decimal] = field(default_factory=dict)
    """Quantity per product (default code) and lot, of what was really taken from stock."""
    scraps: tuple[ScrapView, ...] = ()
    work_orders: Mapping[str, str] = field(default_factory=dict)
    """Odoo's state by work order (`wo-57`)."""
    notes: tuple[str, ...] = ()
    on_hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeRow:
    """A time record of a work center that belongs to no work order. Whole UTC seconds."""

    work_center: str
    started_s: int
    ended_s: int
    loss: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceRow:
    """A maintenance request; or a note by which it was asked for again, while one of the same cause was open."""

    serial_number: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A transaction that was applied. `payload` is what was asked, as docs/odoo.md has it.

    `covered`: it changed nothing, because the order was done with as much.
    """

    key: str
    kind: str
    order: str | None = None
    payload: Mapping[str, Plain] = field(default_factory=dict)
    covered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooView:
    """Everything that the bridge may have changed. `inbox` is in the order of application."""

    orders: Mapping[str, OrderView] = field(default_factory=dict)
    downtimes: tuple[DowntimeRow, ...] = ()
    maintenance: tuple[MaintenanceRow, ...] = ()
    inbox: tuple[InboxRow, ...] = ()


async def read_view(
    odoo: OdooReader, orders: Collection[str], since_ms: int, posted: tuple[InboxRow, ...] | None = None
) -> OdooView:
    """Read these orders, and what else came into being since then, from an Odoo or its simulator.

    `odoo` must see what an MRP manager sees. Names are expected in English. `posted`: what was applied, where there is
    no inbox that lists it.
    """
    ids = sorted(int(order.removeprefix("mo-")) for order in orders)
    since = datetime.fromtimestamp(since_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return OdooView(
        orders=await _read_orders(odoo, ids),
        downtimes=await _read_downtimes(odoo, since),
        maintenance=await _read_maintenance(odoo, since),
        inbox=await _read_inbox(odoo, since) if posted is None else posted,
    )


async def _read_orders(odoo: OdooReader, ids: list[int]) -> Mapping[str, OrderView]:
    can = await odoo.capabilities()
    rows = await odoo.search_read(
        "mrp.production",
        [["id", "in", ids]],
        ["state", "qty_producing", "qty_produced", can.finished_lots_field, "location_dest_id"],
    )
    consumed = await _read_consumed(odoo, ids)
    scraps = await _read_scraps(odoo, ids)
    work_orders: dict[int, dict[str, str]] = defaultdict(dict)
    for row in await odoo.search_read("mrp.workorder", [["production_id", "in", ids]], ["production_id", "state"]):
        work_orders[row["production_id"][0]][f"wo-{row['id']}"] = row["state"]
    notes: dict[int, list[str]] = defaultdict(list)
    domain = [["model", "=", "mrp.production"], ["res_id", "in", ids]]
    for row in sorted(await odoo.search_read("mail.message", domain, ["res_id", "body"]), key=lambda row: row["id"]):
        notes[row["res_id"]].append(_TAG.sub("", row["body"] or ""))
    lot_ids = sorted({lot for row in rows for lot in can.finished_lots(row)})
    lots = {row["id"]: row["name"] for row in await odoo.search_read("stock.lot", [["id", "in", lot_ids]], ["name"])}
    return {
        f"mo-{row['id']}": OrderView(
            state=row["state"],
            producing=_quantity(row["qty_producing"]),
            produced=_quantity(row["qty_produced"]),
            lots=tuple(lots[lot] for lot in can.finished_lots(row)),
            consumed=consumed.get(row["id"], {}),
            scraps=tuple(scraps.get(row["id"], ())),
            work_orders=work_orders.get(row["id"], {}),
            notes=tuple(notes.get(row["id"], ())),
            on_hold=str(row["location_dest_id"][1]).lower().endswith(HOLD_LOCATION),
        )
        for row in rows
    }


async def _read_consumed(odoo: OdooReader, ids: list[int]) -> Mapping[int, Mapping[tuple[str, str | None], Decimal]]:
    moves = await odoo.search_read(
        "stock.move",
        [
            ["raw_material_production_id", "in", ids],
            ["state", "=", "done"],
            ["location_dest_id.usage", "=", "production"],  # to scrap it is an order's loss, not its consumption
        ],
        ["raw_material_production_id"],
    )
    order_of = {row["id"]: row["raw_material_production_id"][0] for row in moves}
    lines = await odoo.search_read(
        "stock.move.line",
        [["move_id", "in", sorted(order_of)], ["state", "=", "done"]],
        ["move_id", "product_id", "lot_id", "quantity"],
    )
    consumed: dict[int, dict[tuple[str, str | None], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in lines:
        what = (_code(row["product_id"]), row["lot_id"][1] if row["lot_id"] else None)
        consumed[order_of[row["move_id"][0]]][what] += _quantity(row["quantity"])
    return consumed


async def _read_scraps(odoo: OdooReader, ids: list[int]) -> Mapping[int, list[ScrapView]]:
    scraps: dict[int, list[ScrapView]] = defaultdict(list)
    domain = [["production_id", "in", ids], ["state", "=", "done"]]
    for row in await odoo.search_read("stock.scrap", domain, ["production_id", "scrap_qty", "lot_id"]):
        lot = row["lot_id"][1] if row["lot_id"] else None
        scraps[row["production_id"][0]].append(ScrapView(quantity=_quantity(row["scrap_qty"]), lot=lot))
    return scraps


async def _read_downtimes(odoo: OdooReader, since: str) -> tuple[DowntimeRow, ...]:
    """Records without a work order: those with one are the work orders' own times."""
    centers = {
        row["id"]: row["code"] or row["name"] for row in await odoo.search_read("mrp.workcenter", [], ["code", "name"])
    }
    rows = await odoo.search_read(
        "mrp.workcenter.productivity",
        [["date_start", ">=", since], ["workorder_id", "=", False], ["date_end", "!=", False]],
        ["workcenter_id", "date_start", "date_end", "loss_id"],
    )
    return tuple(
        DowntimeRow(
            work_center=centers[row["workcenter_id"][0]],
            started_s=_second(row["date_start"]),
            ended_s=_second(row["date_end"]),
            loss=LOSSES.get(row["loss_id"][1], row["loss_id"][1]),
        )
        for row in sorted(rows, key=lambda row: row["id"])
    )


async def _read_maintenance(odoo: OdooReader, since: str) -> tuple[MaintenanceRow, ...]:
    serials = {
        row["id"]: row["serial_no"] or "" for row in await odoo.search_read("maintenance.equipment", [], ["serial_no"])
    }
    requests = await odoo.search_read("maintenance.request", [], ["name", "equipment_id", "create_date"])
    serial_of = {
        row["id"]: serials.get(row["equipment_id"][0], "") if row["equipment_id"] else ""
        for row in sorted(requests, key=lambda row: row["id"])
    }
    titles = [(row["id"], row["name"]) for row in requests if row["create_date"] >= since]
    domain = [["model", "=", "maintenance.request"], ["date", ">=", since], ["body", "like", AGAIN]]
    for row in await odoo.search_read("mail.message", domain, ["res_id", "body"]):
        titles.append((row["res_id"], _TAG.sub("", row["body"] or "").partition(AGAIN)[2]))
    return tuple(MaintenanceRow(serial_number=serial_of[id], title=title) for id, title in sorted(titles))


async def _read_inbox(odoo: OdooReader, since: str) -> tuple[InboxRow, ...]:
    """What was posted of the plant. Rows whose names begin with @ are the inbox's own marks; what planners are told of
    releases is no fact of the plant."""
    rows = await odoo.search_read(
        "x_uns_transaction",
        [["x_state", "=", "done"], ["x_done_at", ">=", since]],
        ["x_name", "x_kind", "x_order_id", "x_payload", "x_result", "x_done_at"],
    )
    return tuple(
        InboxRow(
            key=row["x_name"],
            kind=row["x_kind"],
            order=f"mo-{row['x_order_id'][0]}" if row["x_order_id"] else None,
            payload=json.loads(row["x_payload"] or "{}") or {},
            covered="covered" in json.loads(row["x_result"] or "{}"),
        )
        for row in sorted(rows, key=lambda row: (row["x_done_at"] or "", row["id"]))
        if not row["x_name"].startswith(("@", TOLD_PLANNERS))
    )


def _quantity(number: float) -> Decimal:
    """Odoo's floats in the six digits that they are good for."""
    return Decimal(str(round(number, 6)))


def _second(written: str) -> int:
    return int(datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())


def _code(product: list[Any]) -> str:
    """The default code, which Odoo shows before the name: `[BOX] Box`."""
    match = _CODE.match(product[1])
    return match[1] if match else str(product[1])
