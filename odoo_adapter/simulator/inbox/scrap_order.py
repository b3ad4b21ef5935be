"""Pieces thrown away."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import scrap
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    claim,
    lot_of,
    order_of,
    positive,
    product_of,
    result,
)
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain


def _scrap(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, ("draft", "cancel")) if p.get("order") else None
    product = product_of(database, p["product"]) if p.get("product") else order and order.link("product_id")
    if product is None:
        raise Refusal("missing", "product or order")
    unit = product.link("uom_id")
    values: Payload = {
        "product_id": product.id,
        "scrap_qty": positive(p["qty"], p["uom"], unit),
        "product_uom_id": unit.id,
        "origin": key,
        "production_id": order.id if order is not None else None,
    }
    in_work = order is not None and product == order.link("product_id") and order.text("state") != "done"
    if order is not None and in_work:
        values["location_id"] = order.get("production_location_id")  # bad pieces were never in stock
    if product.text("tracking") != "none":
        name = p.get("lot") or (order.text("name") if order is not None and in_work else None)
        if not name:
            raise Refusal("lot_missing", product.text("display_name"))
        values["lot_id"] = lot_of(product, name, make=in_work).id
    if "scrap_reason_tag_ids" in database.models["stock.scrap"].fields:
        values["scrap_reason_tag_ids"] = [[6, 0, [_tag(database, p["reason"]).id]]]
    else:
        values["origin"] = f"{key} {p['reason']}"
    record = database.create("stock.scrap", values)
    if in_work:
        scrap.do_scrap(record)
    else:
        scrap.validate(record)
    if record.text("state") != "done":
        raise Refusal("no_stock", f"{p['qty']} {product.text('display_name')}")
    return result(record, name=record.text("name"))


def _tag(database: Database, reason: Plain) -> Record:
    found = database.search("stock.scrap.reason.tag", [["name", "=", reason]])
    if found:
        return found[0]
    claim(database, f"@tag:{reason}", "@guard", None)
    return database.create("stock.scrap.reason.tag", {"name": reason})


KINDS: Final[dict[str, Effect]] = {"scrap": _scrap}
