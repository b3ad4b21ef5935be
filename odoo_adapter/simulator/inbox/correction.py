"""What was counted or completed wrongly: a total that is moved, or pieces of a done order that are taken apart."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour import note, unbuild
from odoo_adapter.simulator.inbox.payload import Effect, Payload, Refusal, limit, order_of, positive, result
from odoo_adapter.simulator.inbox.progress import put_total, show, stands, totals
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record


def _correct(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, ("draft", "cancel"))
    quantity = positive(p["qty"], p["uom"], order.link("product_uom_id"))
    if order.text("state") == "done":
        return _take_back(order, quantity, p, key, by)
    have, name = totals(order, p), f"@corrected:{order.id}"
    change = -quantity if p.get("less") else quantity
    counted, after = sum(have.values()), round(stands(order, have) + change, 6)
    if p.get("less") and min(after, counted + change) < -unbuild.EPSILON:
        raise Refusal("quantity", f"{quantity} less than the {counted} that were counted on {order.text('name')}")
    if not p.get("less"):
        limit(order, after, p)
    corrected = put_total(order, name, round(have.get(name, 0.0) + change, 6))
    show(order, after)
    note.post(order, _text(p, key, by))
    return result(order, added=change, corrected=corrected, qty_producing=after)


def _text(p: Payload, key: str, by: str) -> str:
    change = f"{'-' if p.get('less') else '+'}{p['qty']} {p['uom']}"
    caused = f" ({by})" if by else ""
    return f"UNS bridge: corrected by {change}, of {p['corrects']}: {p['reason']}, by {key}{caused}"


def _take_back(order: Record, quantity: float, p: Payload, key: str, by: str) -> Payload:
    name = order.text("name")
    if not p.get("less"):
        raise Refusal(
            "order_state",
            f"{name} is done with {order.number('qty_produced')}: receive what was made beyond it by an inventory "
            "adjustment, or make it on an order of its own",
        )
    lines = [line for line in unbuild.made_lines(order) if p.get("lot") in (None, _lot_name(line))]
    lots, places = {line.get("lot_id") for line in lines}, {line.get("location_dest_id") for line in lines}
    if len(lots) != 1 or len(places) != 1:
        asked = p.get("lot") or order.link("product_id").text("display_name")
        code = "lot_missing" if lines else "no_lot"
        raise Refusal(code, f"{asked} of {name}: name the lot or the serial number that has less in it")
    (lot,), (place,) = lots, places
    left = round(sum(line.number("quantity") for line in lines) - unbuild.taken_apart(order, lot), 6)
    if quantity > left + unbuild.EPSILON:
        raise Refusal("quantity", f"{quantity} less than the {left} that are left of what {name} made")
    record = order.database.create(
        "mrp.unbuild",
        {
            "mo_id": order.id,
            "product_id": order.get("product_id"),
            "bom_id": order.get("bom_id"),
            "product_qty": quantity,
            "product_uom_id": order.get("product_uom_id"),
            "lot_id": lot,
            "location_id": place,
            "location_dest_id": order.get("location_src_id"),
            "company_id": order.database.company,
        },
    )
    unbuild.validate(record)
    if record.text("state") != "done":
        what, where = _lot_name(lines[0]), record.link("location_id").text("display_name")
        mend = "correct the stock where they are, then skip this"
        raise Refusal("no_stock", f"{quantity} {what} are not at {where} any more: {mend}")
    for document in (record, order):
        note.post(document, _text(p, key, by))
    return result(record, name=record.text("name"), added=-quantity, lot=_lot_name(lines[0]) or None)


def _lot_name(line: Record) -> str:
    lot = line.maybe("lot_id")
    return lot.text("name") if lot is not None else ""


KINDS: Final[dict[str, Effect]] = {"correct": _correct}
