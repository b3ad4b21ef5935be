"""The effect of each kind of transaction, as the inbox's action has it on a real Odoo. `KINDS` names them.

An effect gets the database, the payload `p`, the key and what caused it, and answers the result; it raises
`Refusal` with the inbox's code, or Odoo's own fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from odoo_adapter.inbox.install import MODEL, MODULE
from odoo_adapter.simulator.behaviour import manufacturing, note, scrap, stock, workorder
from odoo_adapter.simulator.behaviour.order import deviates, open_moves, set_qty_producing
from odoo_adapter.simulator.behaviour.product import convert, rounded
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import (
    CLOSED,
    Refusal,
    claim,
    in_unit,
    limit,
    lot_of,
    one,
    order_of,
    positive,
    product_of,
    step_of,
)
from odoo_adapter.simulator.records.database import COMPANY, Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

Payload: TypeAlias = "dict[str, Plain]"
Effect: TypeAlias = "Callable[[Database, Payload, str, str], Payload]"

_LINKS: Final = ("production_id", "raw_material_production_id")
"""How a move belongs to an order: made by it or used for it, scrap included."""

_LOSSES: Final = {
    "material_availability": "mrp.block_reason0",
    "breakdown": "mrp.block_reason1",
    "setup": "mrp.block_reason2",
    "reduced_speed": "mrp.block_reason4",
    "defect": "mrp.block_reason5",
    "productive": "mrp.block_reason7",
    "unclassified": f"{MODULE}.loss_unclassified",
}


def _progress(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, ("draft", "cancel"))
    row = claim(database, f"@upto:{p['stream']}", "@upto", order.id)
    if row.get("x_order_id") != order.id:
        raise Refusal("stream", f"{p['stream']} belongs to another order")
    unit = order.link("product_uom_id")
    old = max(row.number("x_total"), in_unit(p.get("base") or 0, p["uom"], unit))
    new = max(old, in_unit(p["upto"], p["uom"], unit))
    row.write(x_total=new)
    streams = database.find(MODEL, "x_order_id", order.id)
    counted = round(sum(stream.number("x_total") for stream in streams if stream.text("x_kind") == "@upto"), 6)
    stands = order.number("qty_producing")
    if order.text("state") == "done":
        made = order.number("qty_produced")
        if counted > made + unit.number("rounding") / 2:
            raise Refusal("order_state", f"{order.text('name')} is done with {made}, and {counted} were counted")
        return _result(order, added=0, covered=True, qty_producing=stands)
    quantity = round(stands + new - old, 6)
    if stands == order.number("product_qty") and counted < quantity:
        quantity = counted  # starting a work order in Odoo fills in the whole quantity: nobody counted that
    if new > old:
        limit(order, quantity, p)
        order.write(qty_producing=quantity)
        if p.get("consent"):
            planned = f"{order.number('product_qty')} {unit.text('name')}"
            note.post(order, f"UNS bridge: {quantity} of {planned} made by {key}{f' ({by})' if by else ''}")
    return _result(order, added=round(new - old, 6), qty_producing=order.number("qty_producing"))


def _complete(database: Database, p: Payload, key: str, by: str) -> Payload:
    order = order_of(database, p, CLOSED)
    product = order.link("product_id")
    quantity = positive(p["qty"], p["uom"], order.link("product_uom_id"))
    limit(order, quantity, p)
    order.write(qty_producing=quantity)
    if product.text("tracking") != "none":
        if not p.get("lot"):
            raise Refusal("lot_missing", product.text("display_name"))
        order.write(lot_producing_ids=[[6, 0, [lot_of(product, p["lot"], make=True).id]]])
    hold = reference(database, f"{MODULE}.location_hold_{COMPANY}") if p.get("hold") else None
    if p.get("hold") and hold is None:
        raise Refusal("missing", "hold location")
    if hold is not None:
        _send_to(order, hold)
    set_qty_producing(order)
    _consume(order, p, quantity)
    if order.text("consumption") == "strict" and deviates(order):
        raise Refusal("strict", "the bill of materials allows no other consumption")
    manufacturing.mark_done(order, {"skip_consumption": True, "skip_backorder": True})
    order.write(date_finished=p["at"])
    done = "put on hold" if hold is not None else "completed with"
    note.post(order, f"UNS bridge: {done} {p['qty']} by {key}{f' ({by})' if by else ''}")
    return _result(order, qty=order.number("qty_produced"), lot=p.get("lot"), hold=hold is not None)


def _send_to(order: Record, place: Record) -> None:
    """Let the goods go there. What was scrapped stays in scrap, although Odoo moves it along."""
    moves = [move for link in _LINKS for move in order.database.find("stock.move", link, order.id)]
    was = [(move, move.get("location_dest_id")) for move in moves if move.text("state") in ("done", "cancel")]
    order.write(location_dest_id=place.id)
    for move, location in was:
        move.write(location_dest_id=location)


def _consume(order: Record, p: Payload, quantity: float) -> None:
    """Exactly what `consume` names from its lots; untracked components it does not name at the bill's ratio."""
    moves: dict[int, list[Record]] = {}
    for move in open_moves(order, "move_raw_ids"):
        moves.setdefault(move.link("product_id").id, []).append(move)
    actual: dict[int, list[Payload]] = {}
    listed = p.get("consume")
    for used in listed if isinstance(listed, list) else []:
        assert isinstance(used, dict)
        product = product_of(order.database, used["product"])
        if product.id not in moves:
            raise Refusal("no_component", str(used["product"]))
        actual.setdefault(product.id, []).append(used)
    for product_id, components in moves.items():
        if product_id in actual:
            for move in components[1:]:
                move.write(quantity=0.0, picked=True)
            _consume_actual(components[0], actual[product_id])
            continue
        for move in components:
            if move.text("has_tracking") != "none" and move.number("product_uom_qty") > 0:
                raise Refusal("consume_missing", move.link("product_id").text("display_name"))
            move.write(quantity=rounded(move.number("unit_factor") * quantity, move.link("product_uom")), picked=True)


def _consume_actual(move: Record, used: list[Payload]) -> None:
    product, unit = move.link("product_id"), move.link("product_uom")
    if product.text("tracking") == "none":
        move.write(quantity=sum(positive(part["qty"], part["uom"], unit) for part in used), picked=True)
        return
    stock.release(move)
    move.write(picked=True)
    for part in used:
        left = positive(part["qty"], part["uom"], unit)
        if not part.get("lot"):
            raise Refusal("lot_missing", str(part["product"]))
        lot = lot_of(product, part["lot"], make=False)
        path = move.link("location_id").text("parent_path")
        for quant in lot.links("quant_ids"):
            there = quant.link("location_id").text("parent_path").startswith(path)
            take = min(left, convert(quant.number("quantity"), product.link("uom_id"), unit) or 0.0)
            if there and take > stock.EPSILON:
                stock.add_line(move, take, lot, quant.link("location_id"))
                left = round(left - take, 6)
        if left > stock.EPSILON:
            raise Refusal("no_stock", f"{lot.text('name')} of {part['product']}")


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
    return _result(record, name=record.text("name"))


def _tag(database: Database, reason: Plain) -> Record:
    found = database.search("stock.scrap.reason.tag", [["name", "=", reason]])
    if found:
        return found[0]
    claim(database, f"@tag:{reason}", "@guard", None)
    return database.create("stock.scrap.reason.tag", {"name": reason})


def _loss_row(database: Database, center: Record, loss: Plain, start: Plain, end: Plain, text: str) -> Payload:
    name = _LOSSES.get(loss) if isinstance(loss, str) else None
    if name is None:
        raise Refusal("loss", str(loss))
    kind = reference(database, name)
    if kind is None:
        raise Refusal("missing", f"loss reason {loss}")
    if not str(start) < str(end):
        raise Refusal("bad_interval", f"{start} to {end}")
    return {
        "workcenter_id": center.id,
        "loss_id": kind.id,
        "date_start": start,
        "date_end": end,
        "description": text,
    }


def _downtime(database: Database, p: Payload, key: str, by: str) -> Payload:
    center = one(database, "mrp.workcenter", "code", p["wc"], "work center")
    text = f"{p.get('text') or ''} [{key}]".strip()
    return _result(database.create(workorder.TIMES, _loss_row(database, center, p["loss"], p["start"], p["end"], text)))


def _note(database: Database, p: Payload, key: str, by: str) -> Payload:
    return _result(note.post(order_of(database, p, ()), f"{p['text']} [{key}]"))


def _maintenance(database: Database, p: Payload, key: str, by: str) -> Payload:
    equipment = one(database, "maintenance.equipment", "serial_no", p["serial"], "maintenance equipment")
    text = f"{p.get('text') or ''}\n{key}{f' ({by})' if by else ''}".strip()
    request = database.create(
        "maintenance.request",
        {
            "name": p["name"],
            "equipment_id": equipment.id,
            "maintenance_type": "corrective",
            "priority": str(p.get("priority") or 0),
            "description": note.as_html(text),
            "request_date": str(p["at"])[:10],
        },
    )
    return _result(request)


def _begin(step: Record, at: str) -> None:
    """Put the work order in progress, begun at the machine's time. What was counted on the order stays."""
    if step.text("state") == "progress":
        return
    order = step.link("production_id")
    counted = order.number("qty_producing")
    workorder.start(step)
    order.write(qty_producing=counted)
    for row in step.links("time_ids"):
        if row.get("user_id") == step.database.user and row.get("date_end") is None:
            row.write(date_start=at)
    step.write(date_start=at)


def _start(database: Database, p: Payload, key: str, by: str) -> Payload:
    step = step_of(database, p)
    already = step.text("state") in ("progress", "done")
    if not already:
        _begin(step, str(p["at"]))
    return _result(step, state=step.text("state"), already=already)


def _finish(database: Database, p: Payload, key: str, by: str) -> Payload:
    """Done, with productive time between start and end wherever the work center did not stand still."""
    step = step_of(database, p)
    already = step.text("state") == "done"
    if already:
        if p.get("start") and _is_all_ours(step):
            _run_time(step, str(p["start"]), str(p["at"]), key)
    else:
        order = step.link("production_id")
        _begin(step, str(p.get("start") or p["at"]))
        start, end = str(p.get("start") or step.text("date_start")), str(p["at"])
        counted = order.number("qty_producing")
        workorder.finish(step)
        order.write(qty_producing=counted)
        _run_time(step, start, end, key)
        step.write(date_start=start, date_finished=end)
    return _result(step, state=step.text("state"), already=already, minutes=round(step.number("duration"), 2))


def _is_all_ours(step: Record) -> bool:
    """Whether no person's time is on the work order, and no machine's by an earlier transaction."""
    if step.database.search(MODEL, [["x_kind", "=", "finish"], ["x_state", "=", "done"], ["x_res_id", "=", step.id]]):
        return False
    return all(row.get("user_id") == step.database.user for row in step.links("time_ids"))


def _run_time(step: Record, begin: str, end: str, key: str) -> None:
    for row in step.links("time_ids"):
        if row.get("user_id") == step.database.user:
            step.database.unlink(row)
    for start, stop in _running(step, begin, end):
        values = _loss_row(step.database, step.link("workcenter_id"), "productive", start, stop, key)
        step.database.create(workorder.TIMES, {**values, "workorder_id": step.id})


def _running(step: Record, begin: str, end: str) -> list[tuple[str, str]]:
    """The parts of the interval in which no stop of the work center is recorded."""
    stops = [
        (row.text("date_start"), row.text("date_end"))
        for row in step.link("workcenter_id").links("time_ids")
        if row.text("loss_type") != "productive" and row.maybe("workorder_id") is None
    ]
    parts: list[tuple[str, str]] = []
    at = begin
    for start, stop in sorted(stops):
        if start < end and stop > begin:
            if start > at:
                parts.append((at, start))
            at = max(at, stop)
    if at < end or begin > end:
        parts.append((at, end))
    return parts


def _result(record: Record, **more: Plain) -> Payload:
    return {"model": record.model, "id": record.id, **more}


KINDS: Final[dict[str, Effect]] = {
    "start": _start,
    "finish": _finish,
    "progress": _progress,
    "complete": _complete,
    "scrap": _scrap,
    "downtime": _downtime,
    "note": _note,
    "maintenance": _maintenance,
}
