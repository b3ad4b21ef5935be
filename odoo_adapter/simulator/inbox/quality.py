"""Goods that go on hold and come back, inspections that are asked for, and their results."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.simulator.behaviour import note, picking, quality, stock
from odoo_adapter.simulator.company import reference
from odoo_adapter.simulator.inbox.payload import (
    Effect,
    Payload,
    Refusal,
    lot_of,
    one,
    order_of,
    positive,
    product_of,
    result,
)
from odoo_adapter.simulator.inbox.record import equipment_of, in_html, signed
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

_WAITING: Final = ["assigned", "partially_available", "confirmed"]


def _hold(database: Database, p: Payload, key: str, by: str) -> Payload:
    return _transfer(database, p, signed(key, by), key, back=False)


def _release(database: Database, p: Payload, key: str, by: str) -> Payload:
    return _transfer(database, p, signed(key, by), key, back=True)


def _transfer(database: Database, p: Payload, sign: str, key: str, *, back: bool) -> Payload:
    product, lot = _goods(database, p)
    hold = reference(database, f"{MODULE}.location_hold_{database.company}")
    if hold is None:
        raise Refusal("missing", "the hold location is gone: run `uns-bridge odoo install` again")
    house = database.search("stock.warehouse", [["company_id", "=", database.company]])[0]
    to = house.link("lot_stock_id") if back else hold
    taken = _amounts(p, product, lot, _quants(product, lot, hold, back=back), "on hold" if back else "in stock")
    moves: list[Plain] = [[0, 0, _move(product, lot, quant, amount, to, key)] for quant, amount in taken]
    source = taken[0][0].get("location_id")
    kind = house.link("int_type_id").id
    values: Payload = {"picking_type_id": kind, "location_id": source, "location_dest_id": to.id, "origin": key}
    made = database.create("stock.picking", {**values, "move_ids": moves})
    picking.validate(made)
    total, unit = round(sum(amount for _, amount in taken), 6), product.link("uom_id").text("name")
    which = f", lot {lot.text('name')}" if lot is not None else ""
    did, why = "released from hold" if back else "put on hold", f": {p['text']}" if p.get("text") else ""
    note.post(made, f"UNS bridge: {did} {total} {unit} of {p['product']}{which}{why} by {sign}")
    return result(made, name=made.text("name"), qty=total)


def _goods(database: Database, p: Payload) -> tuple[Record, Record | None]:
    product = product_of(database, p["product"])
    if product.text("tracking") == "none":
        return product, None
    if not p.get("lot"):
        raise Refusal("lot_missing", str(p["product"]))
    return product, lot_of(product, p["lot"], make=False)


def _quants(product: Record, lot: Record | None, hold: Record, *, back: bool) -> list[Record]:
    held: Plain = ["location_id", "child_of", hold.id]
    place: list[Plain] = [held] if back else [["location_id.usage", "=", "internal"], "!", held]
    of_it: list[Plain] = [["product_id", "=", product.id], ["lot_id", "=", lot.id if lot else False]]
    return product.database.search(
        "stock.quant", [*of_it, ["company_id", "=", product.database.company], ["quantity", ">", 0], *place], order="id"
    )


def _amounts(
    p: Payload, product: Record, lot: Record | None, quants: list[Record], where: str
) -> list[tuple[Record, float]]:
    """From each quant so much: all that is asked, or a refusal with what is missing."""
    unit = product.link("uom_id")
    what = f"{lot.text('name')} of {p['product']}" if lot is not None else str(p["product"])
    there = round(sum(quant.number("quantity") for quant in quants), 6)
    reserved = round(sum(quant.number("reserved_quantity") for quant in quants), 6)
    left = positive(p["qty"], p["uom"], unit) if p.get("qty") else there
    if not quants:
        raise _lacking(where, f"nothing of {what} is {where}")
    if left > there + stock.EPSILON:
        raise _lacking(where, f"only {there} of {left} {unit.text('name')} of {what} are {where}")
    if left > there - reserved + stock.EPSILON:
        raise Refusal(
            "reserved",
            f"only {there - reserved} of {left} {unit.text('name')} of {what} are free, {reserved} are reserved for "
            f"{_reserved_by(quants)}: unreserve them in Odoo, then replay this",
        )
    taken: list[tuple[Record, float]] = []
    for quant in quants:
        take = min(left, quant.number("available_quantity"))
        if take > stock.EPSILON:
            taken.append((quant, take))
            left = round(left - take, 6)
    return taken


def _lacking(where: str, text: str) -> Refusal:
    return Refusal("not_held", text) if where == "on hold" else Refusal("no_stock", text)


def _reserved_by(quants: list[Record]) -> str:
    names: set[str] = set()
    for quant in quants:
        same: list[Plain] = [[name, "=", quant.get(name) or False] for name in ("product_id", "lot_id", "location_id")]
        for line in quant.database.search("stock.move.line", [*same, ["state", "in", [*_WAITING]]]):
            order = line.link("move_id").maybe("raw_material_production_id")
            names.add(order.text("name") if order is not None else line.text("reference"))
    return ", ".join(sorted(names)) or "something else"


def _move(product: Record, lot: Record | None, quant: Record, amount: float, to: Record, key: str) -> Plain:
    route: Payload = {"location_id": quant.get("location_id"), "location_dest_id": to.id, "product_id": product.id}
    unit = product.link("uom_id").id
    line: Payload = {**route, "lot_id": lot.id if lot else None, "quantity": amount, "product_uom_id": unit}
    what: Payload = {"product_uom": unit, "product_uom_qty": amount, "origin": key, "picked": True}
    return {**route, **what, "date": product.database.now(), "move_line_ids": [[0, 0, {**line, "picked": True}]]}


def _inspected(database: Database, p: Payload) -> Record:
    if p.get("order"):
        return order_of(database, p, ())
    if p.get("serial"):
        return equipment_of(database, p)
    lot = _goods(database, p)[1]
    if lot is None:
        raise Refusal("untracked", f"{p['product']} has no lots in Odoo")
    return lot


def _asked(p: Payload) -> str:
    lot = f", lot {p['lot']}" if p.get("lot") else ""
    return f"Inspection: {p['name']}{lot}"


def _about(p: Payload) -> str:
    return f"{_asked(p)} of {p.get('order') or p.get('serial') or p['product']}"


def _inspection(database: Database, p: Payload, key: str, by: str) -> Payload:
    document, user = _inspected(database, p), database.browse("res.users", database.user)
    if p.get("user"):
        user = one(database, "res.users", "login", p["user"], "the user who is to inspect")
    goods = "product_id" in database.models[document.model].fields
    if quality.INSPECTIONS in database.models:
        made = _oca_asked(document, p, signed(key, by), user)
    elif quality.CHECKS in database.models and goods:
        made = _check_asked(document, p, signed(key, by), user)
    else:
        made = _activity(document, p, signed(key, by), user)
    note.post(document, f"UNS bridge: asked for {_asked(p)} by {signed(key, by)}")
    return result(made, on=f"{document.model},{document.id}")


def _activity(document: Record, p: Payload, sign: str, user: Record) -> Record:
    database = document.database
    model = reference(database, f"{_ADDONS[document.model]}.model_{document.model.replace('.', '_')}")
    todo = reference(database, "mail.mail_activity_data_todo")
    return database.create(
        "mail.activity",
        {
            "res_model_id": model.id if model else None,
            "res_id": document.id,
            "activity_type_id": todo.id if todo else None,
            "summary": _asked(p),
            "note": in_html(p.get("text"), sign),
            "date_deadline": p["due"],
            "user_id": user.id,
        },
    )


def _oca_asked(document: Record, p: Payload, sign: str, user: Record) -> Record:
    database = document.database
    tests = database.search("qc.test", [["name", "=", p["name"]]])
    if len(tests) > 1:
        raise Refusal("ambiguous", f"the quality control test {p['name']}")
    of_goods = "product_id" in database.models[document.model].fields
    notes = "\n".join(str(line) for line in (_about(p), p.get("text"), sign) if line)
    values: Payload = {"date": p["due"], "user": user.id, "internal_notes": notes}
    object: Plain = f"{document.model},{document.id}" if of_goods else None
    made = database.create(quality.INSPECTIONS, {**values, "object_id": object})
    if tests:
        quality.set_test(made, tests[0])
        quality.to_do(made)
    return made


def _check_asked(document: Record, p: Payload, sign: str, user: Record) -> Record:
    database = document.database
    teams = database.search("quality.alert.team", [])
    kinds = database.search("quality.point.test_type", [["technical_name", "=", "passfail"]])
    if not teams or not kinds:
        raise Refusal("missing", "a quality team" if kinds else "the quality test type pass - fail")
    product: Payload = {"product_id": document.get("product_id"), "user_id": user.id}
    what: Payload = {"production_id": document.id} if document.model == "mrp.production" else {}
    lots: Payload = {} if what else {"lot_ids": [[6, 0, [document.id]]]}
    by: Payload = {"team_id": teams[0].id, "test_type_id": kinds[0].id, "note": in_html(_about(p), p.get("text"), sign)}
    return database.create(quality.CHECKS, {**product, **what, **lots, **by})


def _result(database: Database, p: Payload, key: str, by: str) -> Payload:
    document = _inspected(database, p)
    on_it: list[Plain] = [["res_model", "=", document.model], ["res_id", "=", document.id]]
    asked: list[Plain] = [["summary", "=", _asked(p)], ["create_uid", "=", database.user]] if p.get("name") else []
    open_ones = database.search("mail.activity", [*on_it, *asked]) if asked else []
    for activity in open_ones:
        note.finish_activity(activity, str(p["text"]))
    decided = 0
    for inspection in _open_inspections(database, p) if p.get("name") else []:
        if p.get("outcome"):
            _decide(inspection, p)
            decided += 1
        note.post(inspection, f"{p['text']} [{key}]")
    return result(note.post(document, f"{p['text']} [{key}]"), closed=len(open_ones) + decided)


def _open_inspections(database: Database, p: Payload) -> list[Record]:
    found: list[Record] = []
    if quality.INSPECTIONS in database.models:
        ours: list[Plain] = [["create_uid", "=", database.user], ["state", "in", ["draft", "ready"]]]
        for inspection in database.search(quality.INSPECTIONS, ours):
            if inspection.text("internal_notes").startswith(f"{_about(p)}\n"):
                found.append(inspection)
    if quality.CHECKS in database.models:
        begin = in_html(_about(p)).removesuffix("</p>") + "<br"
        for check in database.search(
            quality.CHECKS, [["create_uid", "=", database.user], ["quality_state", "=", "none"]]
        ):
            if check.text("note").startswith(begin):
                found.append(check)
    return found


def _decide(one: Record, p: Payload) -> None:
    passed = p["outcome"] == "pass"
    if one.model == quality.CHECKS:
        quality.do_pass(one) if passed else quality.do_fail(one)
        return
    lines = {line.text("name"): line for line in one.links("inspection_lines")}
    given = p.get("values")
    values = {name: str(value) for name, value in given.items()} if isinstance(given, dict) and lines else {}
    if unknown := sorted(values.keys() - lines.keys()):
        asked = ", ".join(lines)
        raise Refusal("question", f"{one.text('name')} does not ask for {', '.join(unknown)}, but for {asked}")
    for name, value in values.items():
        _answer(one, lines[name], value)
    wrong = any(not lines[name].flag("success") for name in values)
    whole = bool(lines) and all(
        name in values and (line.text("question_type") == "qualitative" or line.get("uom_id"))
        for name, line in lines.items()
    )
    if whole and (passed or wrong):
        quality.confirm(one) if passed else quality.approve(one)
        return
    one.write(state="failed" if not passed else "waiting" if wrong else "success")


def _answer(inspection: Record, line: Record, value: str) -> None:
    of = f"{line.text('name')} of {inspection.text('name')}"
    if line.text("question_type") != "qualitative":
        try:
            line.write(quantitative_value=float(value))
        except ValueError as error:
            raise Refusal("question", f"{of} is answered by a number, not by {value}") from error
        return
    choices = {choice.text("name"): choice.id for choice in line.links("possible_ql_values")}
    if value not in choices:
        raise Refusal("question", f"{of} is answered by {' or '.join(choices)}, not by {value}")
    line.write(qualitative_value=choices[value])


_ADDONS: Final = {"mrp.production": "mrp", "stock.lot": "stock", "maintenance.equipment": "maintenance"}
"""The addon that brings each model that is inspected."""

KINDS: Final[dict[str, Effect]] = {
    "hold": _hold,
    "release": _release,
    "inspection": _inspection,
    "result": _result,
}
