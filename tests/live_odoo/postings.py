"""Transactions of every kind for an order of a bench, and what of them stands in Odoo."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import structs

from odoo_adapter.client.api import OdooApi
from ruleset.transaction import (
    DowntimeRecord,
    LotCreate,
    MaintenanceRequest,
    MaterialConsume,
    OrderRef,
    QualityHold,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderRef,
    WorkOrderStart,
)
from tests.live_odoo.kitchen import named_lot, used_up
from tests.odoo_adapter.situations import AT_MS, CAUSE, HOUSING, PRESS, Bench, complete, disposition, progress

HOUR_MS = 3_600_000


async def work_orders(bench: Bench, order: str) -> list[str]:
    read = await bench.odoo.read_orders("")
    (mine,) = [one for one in read.orders if one.order == order]
    operations: Any = mine.document["operations"]
    return [one["work_order"] for one in operations]


async def start(bench: Bench, order: str) -> WorkOrderStart:
    (press, _) = await work_orders(bench, order)
    return WorkOrderStart(
        key=bench.key(f"start/{press}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_order=WorkOrderRef(press),
    )


async def finish(bench: Bench, order: str) -> WorkOrderFinish:
    (press, _) = await work_orders(bench, order)
    return WorkOrderFinish(
        key=bench.key(f"finish/{press}"),
        equipment=PRESS,
        at_ms=AT_MS + HOUR_MS,
        started_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_order=WorkOrderRef(press),
    )


async def scrap(bench: Bench, order: str) -> Scrap:
    return Scrap(
        key=bench.key(f"scrap/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(3),
        unit="pcs",
        reason="Burn mark",
    )


async def consume(bench: Bench, order: str) -> MaterialConsume:
    return used_up(bench, order, "RESIN-A", "0.1", lot="R-1")


async def lot(bench: Bench, order: str) -> LotCreate:
    return named_lot(bench, "HOUSING", f"L-{bench.fresh}-{order}")


async def component_scrap(bench: Bench, order: str) -> Scrap:
    return Scrap(
        key=bench.key(f"scrap/{order}/resin"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal("0.15"),
        unit="kg",
        reason="Spill",
        product="RESIN-A",
        lot="R-1",
    )


async def downtime(bench: Bench, order: str) -> DowntimeRecord:
    return DowntimeRecord(
        key=bench.key(f"downtime/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        work_center=await bench.center(f"STOP-{order}-"),
        started_ms=AT_MS - HOUR_MS,
        ended_ms=AT_MS - HOUR_MS + 600_000,
        loss="breakdown",
        text="E12",
    )


async def hold(bench: Bench, order: str) -> QualityHold:
    return QualityHold(
        key=bench.key(f"hold/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(10),
        unit="pcs",
        lot=f"Q-{order}-{bench.fresh}",
        consumed=HOUSING,
    )


async def hold_at_ratio(bench: Bench, order: str) -> QualityHold:
    """Of what has no lots so much was used as the bill of materials says."""
    return structs.replace(await hold(bench, order), consumed=tuple(one for one in HOUSING if one.lot))


async def maintenance(bench: Bench, order: str) -> MaintenanceRequest:
    return MaintenanceRequest(
        key=bench.key(f"maintenance/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        serial_number="UNS-PRESS-1",
        title="Vibration 11.4 mm/s",
        priority=2,
        cause=f"vibration at {order}",
    )


async def completion(bench: Bench, order: str) -> Transaction:
    return complete(bench, order)


async def note(bench: Bench, order: str) -> Transaction:
    return disposition(bench, order)


async def count(bench: Bench, order: str) -> Transaction:
    return progress(bench, order, 4)


async def consumption(admin: OdooApi, order: str) -> dict[str, float]:
    """What the order took for what it made, by product: what went to scrap beside it is not that."""
    lines = await admin.call(
        "stock.move.line",
        "search_read",
        writes=False,
        domain=[
            ["move_id.raw_material_production_id", "=", int(order[3:])],
            ["state", "=", "done"],
            ["location_dest_id.usage", "=", "production"],
        ],
        fields=["product_id", "quantity"],
    )
    used: dict[str, float] = {}
    for one in lines:
        code = one["product_id"][1].partition("]")[0].removeprefix("[")
        used[code] = round(used.get(code, 0) + one["quantity"], 6)
    return used


async def internal_stock(admin: OdooApi, lot: str) -> list[tuple[str, float]]:
    quants = await admin.call(
        "stock.quant",
        "search_read",
        writes=False,
        domain=[["lot_id.name", "=", lot], ["location_id.usage", "=", "internal"]],
        fields=["location_id", "quantity"],
    )
    return [(one["location_id"][1], one["quantity"]) for one in quants]


async def scrap_moves(admin: OdooApi, order: str) -> int:
    """How many of the order's moves lie in scrap, however they came there."""
    of_it = ["|", ["production_id", "=", int(order[3:])], ["raw_material_production_id", "=", int(order[3:])]]
    in_scrap = [["state", "=", "done"], ["location_dest_id.usage", "=", "inventory"]]
    found: int = await admin.call("stock.move", "search_count", writes=False, domain=[*of_it, *in_scrap])
    return found
