"""How another version's API looks over records that are those of Odoo 19: of the differences, what the bridge meets.

A field that the version does not have is unknown there, as on a real server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from odoo_adapter.simulator.errors import Fault, value_error
from odoo_adapter.simulator.model import MODELS, QUALITY
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.domain import as_ids
from odoo_adapter.simulator.records.schema import Model, Row
from odoo_adapter.versions import Capabilities
from ruleset.sample import Plain

ORDER: Final = "mrp.production"
PRODUCTS: Final = ("product.product", "product.template")
ONE_LOT: Final = "lot_producing_id"
LOTS: Final = "lot_producing_ids"
GROUP: Final = "production_group_id"
UNIT: Final = "uom.uom"


def models(can: Capabilities, quality: str = "") -> dict[str, Model]:
    """The models of a version that can do this, with those of what keeps inspections there."""
    known = {**MODELS, **QUALITY[quality]}
    if not can.finished_lot_many:
        known[ORDER] = _without(known[ORDER], "serial_numbers_count")
    if not can.scrap_reasons:
        del known["stock.scrap.reason.tag"]
        known["stock.scrap"] = _without(known["stock.scrap"], "scrap_reason_tag_ids")
    return known


def _without(model: Model, name: str) -> Model:
    return replace(model, fields={each: field for each, field in model.fields.items() if each != name})


def method_name(can: Capabilities, model: str, method: str) -> str:
    """The method as Odoo 19 calls it. Raises `Fault` for one that this version does not have."""
    if not can.has_access and method == "has_access":
        raise Fault(500, "builtins.AttributeError", f"type object '{model}' has no attribute 'has_access'")
    return "has_access" if not can.has_access and method == "check_access_rights" else method


def asked(can: Capabilities, model: str, body: Mapping[str, Plain]) -> dict[str, Plain]:
    """The arguments as Odoo 19 has them. Raises `Fault` for fields that this version does not have."""
    given = {name: value for name, value in body.items() if name != "raise_exception"}
    if model == UNIT and can.unit_categories and isinstance(fields := given.get("fields"), list):
        given["fields"] = ["parent_path" if name == "category_id" else name for name in fields]
    if model == ORDER and not can.finished_lot_many:
        if isinstance(fields := given.get("fields"), list):
            given["fields"] = [_order_name(can, name) for name in fields]
        if isinstance(domain := given.get("domain"), list):
            given["domain"] = [_condition(can, one) for one in domain]
    for part in ("vals", "vals_list"):
        if part in given:
            given[part] = _rows(can, model, given[part])
    return given


def answered(can: Capabilities, database: Database, model: str, result: Plain) -> Plain:
    """The answer in this version's words."""
    if model == UNIT and can.unit_categories and isinstance(result, list):
        return [_of_a_category(row) if isinstance(row, dict) else row for row in result]
    if model != ORDER or can.finished_lot_many or not isinstance(result, list):
        return result
    return [_of_an_order(can, database, row) if isinstance(row, dict) else row for row in result]


def _of_a_category(row: Mapping[str, Plain]) -> dict[str, Plain]:
    """A unit before 19: its category in place of the unit that it is a multiple of, and its factor the other way."""
    here = dict(row)
    if isinstance(path := here.pop("parent_path", None), str):
        first = path.partition("/")[0]
        here["category_id"] = [int(first), f"Category {first}"]
    if isinstance(factor := here.get("factor"), float):
        here["factor"] = 1 / factor
    return here


def _order_name(can: Capabilities, name: Plain) -> Plain:
    """The name in Odoo 19 of an order's field."""
    if name in (LOTS, GROUP):
        raise value_error(f"Invalid field '{name}' on model '{ORDER}'")
    return {ONE_LOT: LOTS, can.backorder_group_field: GROUP}.get(str(name), name)


def _condition(can: Capabilities, condition: Plain) -> Plain:
    return [_order_name(can, condition[0]), *condition[1:]] if isinstance(condition, list) else condition


def _rows(can: Capabilities, model: str, value: Plain) -> Plain:
    if isinstance(value, list):
        return [_rows(can, model, one) for one in value]
    return _values(can, model, value) if isinstance(value, dict) else value


def _values(can: Capabilities, model: str, values: Mapping[str, Plain]) -> Row:
    here: Row = dict(values)
    if model == ORDER and not can.finished_lot_many:
        here = {str(_order_name(can, name)): value for name, value in here.items()}
        if ONE_LOT in values:
            lots: list[Plain] = [*as_ids([values[ONE_LOT]])]
            here[LOTS] = [[6, 0, lots]]
    if model in PRODUCTS:
        if can.purchase_unit:
            here.pop("uom_po_id", None)
        if "is_storable" not in can.stored:
            if "is_storable" in here:
                raise value_error(f"Invalid field 'is_storable' on model '{model}'")
            if here.get("type") == can.stored["type"]:
                here |= {"type": "consu", "is_storable": True}
    return here


def _of_an_order(can: Capabilities, database: Database, row: Mapping[str, Plain]) -> dict[str, Plain]:
    """An order before 19: one lot, and the older name of its group."""
    here = dict(row)
    if LOTS in here:
        lots = as_ids(here.pop(LOTS))
        here[ONE_LOT] = [lots[0], database.browse("stock.lot", lots[0]).text("name")] if lots else False
    if GROUP in here:
        here[can.backorder_group_field] = here.pop(GROUP)
    return here
