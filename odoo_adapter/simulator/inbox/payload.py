"""What the inbox's effects share: refusals, references, keys once claimed, and quantities in Odoo's units."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.behaviour.product import convert
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

Payload: TypeAlias = "dict[str, Plain]"
Effect: TypeAlias = "Callable[[Database, Payload, str, str], Payload]"

_REFERENCE: Final = re.compile(r"(mo|wo)-([0-9]{1,9})")
_MOST: Final = 1e12

CLOSED: Final = ("draft", "done", "cancel")
"""States of an order in which nothing more happens to it."""


class Refusal(Exception):
    """The inbox declines a transaction with one of its codes; nothing of it is kept."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def claim(database: Database, name: str, kind: str, order: int | None) -> Record:
    """The row of this key, made if it is not there: the first statement of everything that happens once."""
    rows = database.find(MODEL, "x_name", name)
    if rows:
        return rows[0]
    return database.create(
        MODEL, {"x_name": name, "x_kind": kind, "x_state": "new", "x_payload": "null", "x_order_id": order}
    )


def order_id(database: Database, reference: Plain) -> int | None:
    """The id in `mo-42`, if that order exists."""
    id = _id(reference, "mo")
    return id if id is not None and database.exists("mrp.production", id) else None


def order_of(database: Database, payload: dict[str, Plain], closed: tuple[str, ...]) -> Record:
    """The payload's order. Raises `Refusal` if there is none, or it is in one of the `closed` states."""
    id = order_id(database, payload.get("order"))
    if id is None:
        raise Refusal("missing", f"manufacturing order {payload.get('order')}")
    order = database.browse("mrp.production", id)
    database.check_seen(order)
    if order.text("state") in closed:
        raise Refusal("order_state", f"{order.text('name')} is {order.text('state')}")
    return order


def step_of(database: Database, payload: dict[str, Plain]) -> Record:
    """The payload's work order. Raises `Refusal` if there is none, or neither it is done nor can become so."""
    id = _id(payload.get("wo"), "wo")
    if id is None or not database.exists("mrp.workorder", id):
        raise Refusal("missing", f"work order {payload.get('wo')}")
    step = database.browse("mrp.workorder", id)
    database.check_seen(step)
    if step.text("state") != "done":
        order_of(database, {"order": f"mo-{step.link('production_id').id}"}, CLOSED)
    if step.text("state") == "cancel":
        raise Refusal("wo_state", f"{step.text('display_name')} is cancel")
    return step


def _id(reference: Plain, kind: str) -> int | None:
    matched = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return int(matched[2]) if matched is not None and matched[1] == kind else None


def one(database: Database, model: str, field: str, value: Plain, what: str) -> Record:
    """The only record of our company with this name or code."""
    ours: Plain = ["|", ["company_id", "=", False], ["company_id", "=", database.company]]
    assert isinstance(ours, list)
    found = database.search(model, [[field, "=", value], *ours])
    if len(found) != 1:
        raise Refusal("ambiguous" if found else "missing", f"{what} {value}")
    return found[0]


def product_of(database: Database, code: Plain) -> Record:
    return one(database, "product.product", "default_code", code, "product")


def lot_of(product: Record, name: Plain, *, make: bool) -> Record:
    """The lot of this name, made if `make` says so."""
    database = product.database
    lots = [lot for lot in database.find("stock.lot", "name", name) if lot.get("product_id") == product.id]
    if len(lots) > 1:
        raise Refusal("lot_ambiguous", str(name))
    if lots:
        return lots[0]
    if not make:
        raise Refusal("no_lot", f"{name} of {product.text('display_name')}")
    claim(database, f"@lot:{database.company}:{product.id}:{name}", "@guard", None)
    return database.create("stock.lot", {"product_id": product.id, "name": name, "company_id": database.company})


def unit_of(unit: Plain, into: Record) -> Record:
    """The unit of this name, which measures the same as `into`."""
    named = into.database.search("uom.uom", [["name", "=", unit]])
    if len(named) > 1:
        raise Refusal("ambiguous", f"unit {unit}: {len(named)} units have this name")
    if not named or convert(1.0, named[0], into) is None:
        raise Refusal("unit", f"{unit} is not convertible to {into.text('name')}")
    return named[0]


def in_unit(quantity: Plain, unit: Plain, into: Record) -> float:
    """A decimal string in the unit of this name, as Odoo counts it: in `into`, rounded as that is."""
    return convert(number(quantity), unit_of(unit, into), into) or 0.0


def positive(quantity: Plain, unit: Plain, into: Record) -> float:
    converted = in_unit(quantity, unit, into)
    if converted <= 0:
        raise Refusal("quantity", f"{quantity} {unit}")
    return converted


def number(value: Plain) -> float:
    """A quantity as a number. Negative and absurd ones are refused; text that is no number is Python's `ValueError`."""
    read = float(value) if isinstance(value, str | int | float) else -1.0
    if not 0 <= read < _MOST:
        raise Refusal("quantity", str(value))
    return read


def limit(order: Record, quantity: float, payload: dict[str, Plain]) -> None:
    """Raise `Refusal` for more than the order's quantity with its tolerance, unless a person released it."""
    if payload.get("consent"):
        return
    wanted, unit = order.number("product_qty"), order.link("product_uom_id")
    if quantity > wanted * (1 + number(payload.get("over") or 0)) + unit.number("rounding") / 2:
        raise Refusal("too_much", f"{quantity} of {wanted} {unit.text('name')}")


def result(record: Record, **more: Plain) -> Payload:
    """What an effect answers: the record, and what else is worth telling."""
    return {"model": record.model, "id": record.id, **more}
