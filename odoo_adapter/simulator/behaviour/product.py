"""Products and units of measure: what the simulator does when they change."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row
from ruleset.sample import Plain

SHARED: Final = (
    *("name", "default_code", "barcode", "type", "is_storable", "tracking"),
    *("uom_id", "active", "sale_ok", "purchase_ok", "company_id", "standard_price"),
    *("use_expiration_date", "expiration_time"),
)
"""What a template and its only variant have in common; the simulator keeps them equal."""

UNIT: Final = 1
"""The id of the unit of measure `Units` in every Odoo database."""


def convert(quantity: float, unit: Record, into: Record) -> float | None:
    """The quantity in another unit, rounded half up as that unit is; None where the two measure different things."""
    if _root(unit) != _root(into):
        return None
    return rounded(exactly(quantity, unit, into), into)


def exactly(quantity: float, unit: Record, into: Record) -> float:
    """The quantity in another unit that measures the same, not rounded as that unit is."""
    return quantity * unit.number("factor") / into.number("factor")


def rounded(quantity: float, unit: Record) -> float:
    """Half up to the unit's rounding, which is two places in a fresh Odoo 19."""
    step = Decimal(repr(unit.number("rounding") or 0.01))
    return float((Decimal(repr(round(quantity, 9))) / step).quantize(Decimal(1), ROUND_HALF_UP) * step)


def _root(unit: Record) -> str:
    return unit.text("parent_path").partition("/")[0]


def create_templates(database: Database, rows: list[Row]) -> list[Record]:
    """New templates, each with its one variant."""
    templates = [database.create("product.template", row) for row in rows]
    for template in templates:
        shared = {name: template.get(name) for name in SHARED}
        database.create("product.product", {**shared, "product_tmpl_id": template.id})
    return templates


def _create_templates(database: Database, records: list[Record], call: Call) -> Plain:
    rows = call.arguments["vals_list"]
    listed = rows if isinstance(rows, list) else [rows]
    return [template.id for template in create_templates(database, [row for row in listed if isinstance(row, dict)])]


def _prepare_product(database: Database, row: Row) -> None:
    row.setdefault("uom_id", UNIT)
    if not row.get("product_tmpl_id"):
        names = database.models["product.template"].fields
        template = database.create("product.template", {name: value for name, value in row.items() if name in names})
        row["product_tmpl_id"] = template.id


def _prepare_template(database: Database, row: Row) -> None:
    row.setdefault("uom_id", UNIT)


def _product_written(product: Record, names: frozenset[str]) -> None:
    _align(product, product.link("product_tmpl_id"), names)


def _template_written(template: Record, names: frozenset[str]) -> None:
    for variant in template.links("product_variant_ids"):
        _align(template, variant, names)


def _align(changed: Record, other: Record, names: frozenset[str]) -> None:
    different = {name: changed.get(name) for name in names.intersection(SHARED) if changed.get(name) != other.get(name)}
    if different:
        other.write(**different)


def _product_name(product: Record) -> Plain:
    code = product.text("default_code")
    return f"[{code}] {product.text('name')}" if code else product.text("name")


def _variant(template: Record) -> Plain:
    variants = template.links("product_variant_ids")
    return variants[0].id if variants else None


def _on_hand(product: Record) -> Plain:
    quants = product.database.find("stock.quant", "product_id", product.id)
    return sum(quant.number("quantity") for quant in quants if quant.link("location_id").text("usage") == "internal")


def _unit_created(unit: Record) -> None:
    above = unit.maybe("relative_uom_id")
    factor = unit.number("relative_factor") * (above.number("factor") if above is not None else 1.0)
    if factor <= 0:
        raise user_error("The conversion ratio for a unit of measure must be positive!")
    path = f"{above.text('parent_path') if above is not None else ''}{unit.id}/"
    if unit.number("factor") != factor or unit.text("parent_path") != path:
        unit.database.write(unit, {"factor": factor, "parent_path": path})


def _unit_written(unit: Record, names: frozenset[str]) -> None:
    if names & {"relative_factor", "relative_uom_id"}:
        _unit_created(unit)


_CREATE_TEMPLATES = Method(run=_create_templates, parameters=("vals_list",), required=("vals_list",), on_model=True)

BEHAVIOURS: Final = {
    "product.template": Behaviour(
        computed={"display_name": _product_name, "product_variant_id": _variant},
        prepare=_prepare_template,
        written=_template_written,
        methods={"create": _CREATE_TEMPLATES},
    ),
    "product.product": Behaviour(
        computed={"display_name": _product_name, "qty_available": _on_hand},
        prepare=_prepare_product,
        written=_product_written,
    ),
    "uom.uom": Behaviour(created=_unit_created, written=_unit_written),
}
