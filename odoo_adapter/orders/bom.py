"""The versions of bills of materials. Community Odoo has none: the content and the last writing are the version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

import msgspec

from odoo_adapter.client.api import OdooApi
from odoo_adapter.orders.rows import Row, listed, read_rows
from odoo_adapter.orders.value import iso
from ruleset.sample import Plain

_FIELDS: Final = ("code", "type", "product_qty", "product_uom_id", "consumption")
_PARTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "bom_line_ids": ("mrp.bom.line", ("product_id", "product_qty", "product_uom_id", "operation_id")),
    "operation_ids": ("mrp.routing.workcenter", ("name", "workcenter_id", "time_cycle_manual")),
    "byproduct_ids": ("mrp.bom.byproduct", ("product_id", "product_qty", "product_uom_id", "operation_id")),
}
"""What a bill of materials consists of, in its order: the model and what of it is content."""
_HASH_LENGTH: Final = 16


async def bom_versions(odoo: OdooApi, ids: Iterable[int]) -> dict[int, Plain]:
    """Code, last writing and content of bills of materials with their lines, operations and by-products."""
    boms = await read_rows(odoo, "mrp.bom", ids, [*_FIELDS, "write_date", *_PARTS])
    parts = {
        name: await read_rows(odoo, model, listed(boms.values(), name), [*fields, "write_date"])
        for name, (model, fields) in _PARTS.items()
    }
    return {id: _version(row, parts) for id, row in boms.items()}


def _version(bom: Row, parts: Mapping[str, Mapping[int, Row]]) -> Plain:
    members = {name: [parts[name][id] for id in bom[name] if id in parts[name]] for name in _PARTS}
    dates = [bom["write_date"], *(row["write_date"] for rows in members.values() for row in rows)]
    content = [_content(bom, _FIELDS)]
    for name, (_, fields) in _PARTS.items():
        content.append([_content(row, fields) for row in members[name]])
    digest = sha256(msgspec.json.encode(content)).hexdigest()[:_HASH_LENGTH]
    return {"code": bom["code"] or "", "version": iso(max(dates)), "content": digest}


def _content(row: Row, fields: Iterable[str]) -> list[object]:
    """Values by their ids: the name of a product or a unit is no content of the bill."""
    return [row[name][0] if isinstance(row[name], list) else row[name] for name in fields]
