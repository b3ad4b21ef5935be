"""What stands in the records after each kind of posting: the same as stood in a real Odoo 19 after the same postings.

`recorded/states.json` is what `scenario` gave there, in the form of `normal`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied
from odoo_adapter.seed import Planner
from ruleset.transaction import (
    Complete,
    Consumption,
    DowntimeRecord,
    MaintenanceRequest,
    OrderRef,
    Progress,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderRef,
    WorkOrderStart,
)
from tests.odoo_adapter.simulator.replay import RECORDED
from tests.odoo_adapter.situations import AT_MS, CAUSE, PRESS, Bench

MINUTE_MS = 60_000

FIELDS = {
    "mrp.production": "state reservation_state product_qty qty_producing qty_produced date_finished date_start "
    "priority location_dest_id location_src_id is_planned is_locked lot_producing_ids consumption move_raw_ids "
    "move_finished_ids",
    "mrp.workorder": "name state qty_producing qty_produced qty_remaining qty_ready duration_expected date_start "
    "working_state is_user_working sequence",
    "stock.move": "product_id state product_uom_qty quantity picked unit_factor location_id location_dest_id reference "
    "lot_ids",
    "stock.move.line": "product_id lot_id quantity picked state location_id location_dest_id consume_line_ids "
    "produce_line_ids reference",
    "mrp.workcenter.productivity": "workcenter_id workorder_id loss_id loss_type date_start date_end description",
    "stock.scrap": "state scrap_qty product_id product_uom_id lot_id location_id scrap_location_id origin "
    "scrap_reason_tag_ids",
    "mail.message": "body message_type author_id",
    "maintenance.request": "name description priority maintenance_type equipment_id stage_id request_date kanban_state",
    "stock.lot": "name product_id product_qty company_id location_id",
    "stock.quant": "location_id quantity reserved_quantity available_quantity",
    "x_uns_transaction": "x_name x_kind x_state x_message x_payload x_result x_total x_by x_order_id x_res_model",
}


def postings(bench: Bench, order: str, press: str, pack: str) -> tuple[list[Transaction], list[Transaction]]:
    """The life of one order of 20 pieces: what happens while it runs, and its completion."""

    def key(name: str) -> dict[str, Any]:
        return {"key": bench.key(name), "equipment": PRESS, "provenance": CAUSE}

    def of(name: str, minute: int) -> dict[str, Any]:
        return key(name) | {"order": OrderRef(order), "at_ms": AT_MS + minute * MINUTE_MS}

    stream = f"{bench.fresh}/good"
    stop: dict[str, Any] = {"started_ms": AT_MS + MINUTE_MS, "ended_ms": AT_MS + 2 * MINUTE_MS}
    used = (("RESIN-A", 700, "g", "R-1"), ("RESIN-A", 300, "g", "R-2"))
    work: list[Transaction] = [
        WorkOrderStart(work_order=WorkOrderRef(press), **of("start", 0)),
        Progress(stream=stream, upto=Decimal(3), unit="pcs", **of("three", 1)),
        DowntimeRecord(work_center="PRESS-2", loss="breakdown", text="E12", **stop, **of("stop", 2)),
        WorkOrderFinish(work_order=WorkOrderRef(press), **of("finish", 5)),
        WorkOrderFinish(work_order=WorkOrderRef(pack), started_ms=AT_MS + 5 * MINUTE_MS, **of("pack", 10)),
        Progress(stream=stream, upto=Decimal(18), unit="pcs", **of("eighteen", 10)),
        Scrap(quantity=Decimal(2), unit="pcs", reason="Burn mark", **of("scrap", 10)),
        Scrap(
            quantity=Decimal(150),
            unit="g",
            reason="Burn mark",
            product="RESIN-A",
            lot="R-2",
            at_ms=AT_MS,
            **key("spilt"),
        ),
        QualityResult(status="reject <b>", lot="L1", text="too & thin", **of("quality", 11)),
        MaintenanceRequest(
            serial_number="UNS-PRESS-2", title="Vibration", text="a < b", priority=3, at_ms=AT_MS, **key("vibration")
        ),
    ]
    consumed = tuple(Consumption(product=code, quantity=Decimal(q), unit=unit, lot=lot) for code, q, unit, lot in used)
    end = Complete(quantity=Decimal(18), unit="pcs", lot=f"L-{bench.fresh}", consumed=consumed, **of("complete", 12))
    return work, [end]


async def scenario(bench: Bench, planner: Planner, admin: OdooApi) -> list[object]:
    """Post it all to a fresh order on press 2; what stands before, between and after, in the form of `normal`."""
    order = await planner.create_order(20, press=2)
    rows = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["workorder_ids"])
    press, pack = (f"wo-{id}" for id in rows[0]["workorder_ids"])
    states = [await standing(bench, order, admin)]
    for batch in postings(bench, order, press, pack):
        outcomes = await bench.post(batch)
        assert all(isinstance(one, Applied) for one in outcomes), outcomes
        states.append(await standing(bench, order, admin))
    return states


async def standing(bench: Bench, order: str, admin: OdooApi) -> object:
    id, word = int(order[3:]), bench.fresh
    domains: dict[str, list[Any]] = {
        "mrp.production": [["id", "=", id]],
        "mrp.workorder": [["production_id", "=", id]],
        "stock.move": ["|", ["raw_material_production_id", "=", id], ["production_id", "=", id]],
        "stock.move.line": [
            *("|", ["move_id.raw_material_production_id", "=", id], ["move_id.production_id", "=", id])
        ],
        "mrp.workcenter.productivity": ["|", ["description", "ilike", word], ["workorder_id.production_id", "=", id]],
        "stock.scrap": [["origin", "ilike", word]],
        "mail.message": [["model", "=", "mrp.production"], ["res_id", "=", id], ["body", "ilike", word]],
        "maintenance.request": [["description", "ilike", word]],
        "stock.lot": [["name", "ilike", word]],
        "stock.quant": [["lot_id.name", "ilike", word]],
        "x_uns_transaction": ["|", ["x_name", "ilike", word], ["x_order_id", "=", id]],
    }
    return {
        model: normal(
            await admin.call(
                model, "search_read", writes=False, domain=domain, fields=FIELDS[model].split(), order="id"
            ),
            word,
        )
        for model, domain in domains.items()
    }


def normal(value: Any, word: str) -> Any:
    """Without ids, running numbers, the run's own word, and moments other than the machines'."""
    if isinstance(value, dict):
        return {name: normal(inner, word) for name, inner in value.items() if name != "id"}
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        return normal(value[1], word)
    if isinstance(value, list) and value and all(isinstance(one, int) for one in value):
        return f"{len(value)} records"
    if isinstance(value, list):
        return [normal(inner, word) for inner in value]
    if isinstance(value, str):
        text = re.sub(r"(MO/|SP/|mo-|wo-|\"id\":|@lot:1:|@shown:)\d+", r"\1#", value.replace(word, "WORD"))
        return "moment" if re.fullmatch(r"(?!2026-11-23 02:)\d{4}-\d\d-\d\d( [\d:]{8})?", text) else text
    return value


async def test_after_each_step_the_records_are_those_of_a_real_odoo(
    bench: Bench, planner: Planner, admin: OdooApi
) -> None:
    recorded = json.loads((RECORDED / "states.json").read_text("utf-8"))
    for given, expected in zip(await scenario(bench, planner, admin), recorded, strict=True):
        assert given == expected
