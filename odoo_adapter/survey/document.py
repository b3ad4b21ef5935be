"""Master data as documents for the namespace: one per record, read page by page. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.production.scrap import TAG
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.time.loss import LOSSES, loss_reasons
from odoo_adapter.look_first.unit import Unit, find_units
from odoo_adapter.orders.bom import bom_versions
from odoo_adapter.orders.value import text
from odoo_adapter.plan import quantity
from odoo_adapter.rights import Account
from odoo_adapter.survey.master import LINK, has_link, search_rows
from ruleset.sample import Plain

Document: TypeAlias = Mapping[str, Plain]
Documents: TypeAlias = "Mapping[Kind, Mapping[int, Document]]"
"""By kind and database id."""

_ACTIVE: Final = ("active", "=", True)
_DIGITS: Final = Decimal(1).scaleb(-12)
_CHUNK: Final = 100
"""Bills of materials whose versions are asked for together."""


class Kind(StrEnum):
    """The kinds of master data, as they stand in topics."""

    PRODUCT = "product"
    UNIT = "unit"
    WORK_CENTER = "work-center"
    EQUIPMENT = "equipment"
    LOSS_REASON = "loss-reason"
    SCRAP_REASON = "scrap-reason"
    BOM = "bom"
    SCHEDULE = "maintenance-schedule"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the rows of the company and those of all companies."""

    odoo: OdooApi
    steps: Steps
    account: Account

    async def rows(self, model: str, fields: Sequence[str], *domain: object) -> list[Row]:
        return await search_rows(self.odoo, self.account, model, fields, list(domain))

    async def ours(self, model: str, fields: Sequence[str], *domain: object) -> list[Row]:
        return await self.rows(model, fields, self.steps.ours(), list(_ACTIVE), *domain)


async def read_documents(odoo: OdooApi, account: Account) -> Documents:
    """All documents of the connection's company, without what is archived. Raises an `OdooError`."""
    can = await odoo.capabilities()
    reader = _Reader(odoo, Steps(odoo, can, account.id), account)
    centers = {row["id"]: row for row in await reader.ours("mrp.workcenter", ["code", "name"])}
    products = {row["id"]: row for row in await reader.ours("product.product", _PRODUCT, ["type", "!=", "service"])}
    return {
        Kind.PRODUCT: {id: _product(row) for id, row in products.items()},
        Kind.UNIT: _units(await find_units(reader.steps, [])),
        Kind.WORK_CENTER: {id: {"code": row["code"] or "", "name": row["name"]} for id, row in centers.items()},
        Kind.EQUIPMENT: await _equipment(reader, centers),
        Kind.LOSS_REASON: await _losses(reader),
        Kind.SCRAP_REASON: {row["id"]: {"name": row["name"]} for row in await reader.rows(TAG, ["name"])}
        if can.scrap_reasons
        else {},
        Kind.BOM: await _boms(reader, products, centers),
        Kind.SCHEDULE: await _schedules(reader),
    }


_PRODUCT: Final = ("default_code", "name", "uom_id", "tracking", "barcode", "product_tmpl_id")


def _product(row: Row) -> Document:
    return {
        "code": row["default_code"] or "",
        "name": row["name"],
        "unit": row["uom_id"][1],
        "tracking": row["tracking"],
        "barcode": row["barcode"] or None,
    }


def _units(units: Iterable[Unit]) -> dict[int, Document]:
    """Each with its size in the unit by which Odoo measures all that convert to one another."""
    units = list(units)
    bases = {unit.kind: unit.name for unit in reversed(units) if unit.size == 1}
    return {
        unit.id: {
            "name": unit.name,
            "of": bases.get(unit.kind, unit.name),
            "size": quantity(unit.size.quantize(_DIGITS)),
            "rounding": quantity(unit.step),
        }
        for unit in units
    }


async def _equipment(reader: _Reader, centers: Mapping[int, Row]) -> dict[int, Document]:
    link = [LINK] if await has_link(reader.odoo) else []
    rows = await reader.ours("maintenance.equipment", ["serial_no", "name", *link])
    return {
        row["id"]: {
            "serial_number": row["serial_no"] or "",
            "name": row["name"],
            "work_center": _center(row[LINK], centers) if link and row[LINK] else None,
        }
        for row in rows
    }


async def _schedules(reader: _Reader) -> dict[int, Document]:
    """The preventive requests that are planned and not done, of equipment with a serial number."""
    planned = [["maintenance_type", "=", "preventive"], ["schedule_date", "!=", False], ["archive", "=", False]]
    open_ones = [["stage_id.done", "=", False], ["equipment_id.serial_no", "!=", False], reader.steps.ours()]
    repeated = ["recurring_maintenance", "repeat_interval", "repeat_unit"]
    fields = ["name", "equipment_id", "schedule_date", "duration", "maintenance_team_id", *repeated]
    rows = await reader.rows("maintenance.request", fields, *planned, *open_ones)
    wanted = [["id", "in", sorted({row["equipment_id"][0] for row in rows})]]
    serials = {
        row["id"]: row["serial_no"] for row in await reader.rows("maintenance.equipment", ["serial_no"], *wanted)
    }
    return {
        row["id"]: {
            "name": row["name"],
            "serial_number": serials[row["equipment_id"][0]],
            "start": f"{row['schedule_date'].replace(' ', 'T')}Z",
            "hours": row["duration"],
            "team": row["maintenance_team_id"][1] if row["maintenance_team_id"] else None,
            "every": f"{row['repeat_interval']} {row['repeat_unit']}" if row["recurring_maintenance"] else None,
        }
        for row in rows
        if row["equipment_id"][0] in serials
    }


async def _losses(reader: _Reader) -> dict[int, Document]:
    rows = await reader.rows(LOSSES, ["name", "loss_type"])
    losses = {id: loss for loss, id in (await loss_reasons(reader.steps)).items()}
    return {
        row["id"]: {"name": row["name"], "type": row["loss_type"] or "", "loss": losses.get(row["id"])} for row in rows
    }


async def _boms(reader: _Reader, products: Mapping[int, Row], centers: Mapping[int, Row]) -> dict[int, Document]:
    rows = await reader.ours("mrp.bom", ["product_tmpl_id", "product_id", "product_qty", "product_uom_id", "type"])
    of_ours = ["bom_id.company_id", "in", reader.steps.ours()[2]]
    lines = await reader.rows("mrp.bom.line", ["bom_id", "product_id", "product_qty", "product_uom_id"], of_ours)
    steps = await reader.rows(
        "mrp.routing.workcenter", ["bom_id", "name", "workcenter_id", "time_cycle_manual"], of_ours, list(_ACTIVE)
    )
    versions: dict[int, Plain] = {}
    for at in range(0, len(rows), _CHUNK):
        versions |= await bom_versions(reader.odoo, [row["id"] for row in rows[at : at + _CHUNK]])
    made = _by_template(products)
    found: dict[int, Document] = {}
    for row in rows:
        version = versions.get(row["id"])
        if not isinstance(version, dict):
            continue  # deleted since
        template = made.get(row["product_tmpl_id"][0], [])
        found[row["id"]] = {
            **version,
            "type": row["type"],
            "products": [_code(products, row["product_id"])] if row["product_id"] else [*template],
            "quantity": text(row["product_qty"]),
            "unit": row["product_uom_id"][1],
            "lines": [_line(one, products) for one in lines if one["bom_id"][0] == row["id"]],
            "operations": [_operation(one, centers) for one in steps if one["bom_id"][0] == row["id"]],
        }
    return found


def _by_template(products: Mapping[int, Row]) -> Mapping[int, list[str]]:
    """The codes of the variants of each product, in order."""
    codes: dict[int, list[str]] = {}
    for row in products.values():
        codes.setdefault(row["product_tmpl_id"][0], []).append(row["default_code"] or "")
    return codes


def _line(row: Row, products: Mapping[int, Row]) -> Plain:
    return {
        "product": _code(products, row["product_id"]),
        "quantity": text(row["product_qty"]),
        "unit": row["product_uom_id"][1],
    }


def _operation(row: Row, centers: Mapping[int, Row]) -> Plain:
    return {
        "name": row["name"],
        "work_center": _center(row["workcenter_id"], centers),
        "minutes": round(row["time_cycle_manual"], 2),
    }


def _code(products: Mapping[int, Row], link: Sequence[object]) -> str:
    """The product's code; where it is archived, or another company's, what Odoo shows of it."""
    row = products.get(link[0]) if isinstance(link[0], int) else None
    return str(row["default_code"] or row["name"]) if row is not None else str(link[1])


def _center(link: Sequence[object], centers: Mapping[int, Row]) -> str:
    row = centers.get(link[0]) if isinstance(link[0], int) else None
    return str(row["code"] or row["name"]) if row is not None else str(link[1])
