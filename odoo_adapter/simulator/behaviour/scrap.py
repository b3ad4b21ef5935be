"""Scrap orders: validated they move stock to the scrap location, and validated again they scrap again."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import stock
from odoo_adapter.simulator.behaviour.product import convert
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row, related
from ruleset.sample import Plain


def do_scrap(scrap: Record) -> None:
    """Move the quantity out, whatever is there. Nothing keeps this from being done twice."""
    database = scrap.database
    product, unit = scrap.link("product_id"), scrap.link("product_uom_id")
    values = stock.move_values(
        product, unit, scrap.number("scrap_qty"), scrap.link("location_id"), scrap.link("scrap_location_id")
    )
    name = f"SP/{scrap.id:05}"
    values |= {"scrap_id": scrap.id, "origin": scrap.text("origin"), "reference": name}
    order = scrap.maybe("production_id")
    if order is not None:
        own = product.id in [made.get("product_id") for made in order.links("move_finished_ids")]
        values["production_id" if own else "raw_material_production_id"] = order.id
        values["reference"] = order.text("name")
    move = database.create("stock.move", values)
    stock.add_line(move, scrap.number("scrap_qty"), scrap.maybe("lot_id"))
    stock.finish(move)
    scrap.write(name=name, state="done", date_done=database.now())


def validate(scrap: Record) -> Plain:
    """Scrap if there is enough; otherwise answer the wizard that Odoo asks with, and do nothing."""
    product = scrap.link("product_id")
    wanted = convert(scrap.number("scrap_qty"), scrap.link("product_uom_id"), product.link("uom_id")) or 0.0
    there = stock.on_hand(product, scrap.link("location_id"), scrap.maybe("lot_id"))
    if not product.flag("is_storable") or there >= wanted - stock.EPSILON:
        do_scrap(scrap)
        return True
    context: dict[str, Plain] = {
        "default_product_id": product.id,
        "default_location_id": scrap.link("location_id").id,
        "default_scrap_id": scrap.id,
        "default_quantity": wanted,
        "default_product_uom_name": product.link("uom_id").text("name"),
    }
    return {
        "name": f"{product.text('display_name')}: Insufficient Quantity To Scrap",
        "view_mode": "form",
        "res_model": "stock.warn.insufficient.qty.scrap",
        "type": "ir.actions.act_window",
        "context": context,
        "target": "new",
    }


def _prepare(database: Database, row: Row) -> None:
    product_id = row.get("product_id")
    if isinstance(product_id, int) and database.exists("product.product", product_id):
        row.setdefault("product_uom_id", database.browse("product.product", product_id).get("uom_id"))
    row.setdefault("scrap_location_id", database.search("stock.location", [["usage", "=", "inventory"]])[0].id)
    if "location_id" not in row:
        order_id = row.get("production_id")
        warehouse = database.search("stock.warehouse", [])[0]
        row["location_id"] = warehouse.get("lot_stock_id")
        if isinstance(order_id, int) and database.exists("mrp.production", order_id):
            order = database.browse("mrp.production", order_id)
            side = "location_dest_id" if order.text("state") == "done" else "location_src_id"
            row["location_id"] = order.get(side)


def _run_validate(database: Database, records: list[Record], call: Call) -> Plain:
    answers = [validate(scrap) for scrap in records]
    return next((answer for answer in answers if answer is not True), True)


def _run_do_scrap(database: Database, records: list[Record], call: Call) -> Plain:
    for scrap in records:
        do_scrap(scrap)
    return True


BEHAVIOURS: Final = {
    "stock.scrap": Behaviour(
        computed={"tracking": related("product_id.tracking")},
        prepare=_prepare,
        methods={"action_validate": Method(run=_run_validate), "do_scrap": Method(run=_run_do_scrap)},
    ),
}
