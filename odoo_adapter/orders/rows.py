"""How rows are read: all that match, page by page, or those of known ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from odoo_adapter.client.api import OdooApi

PAGE: Final = 500

Row = Mapping[str, Any]


async def search_rows(odoo: OdooApi, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
    """All rows, with these fields. Paged by id: offsets would skip rows that move."""
    found: list[Row] = []
    last = 0
    while True:
        rows = await odoo.call(
            model,
            "search_read",
            writes=False,
            domain=[*domain, ["id", ">", last]],
            fields=list(fields),
            order="id",
            limit=PAGE,
        )
        found += rows
        if len(rows) < PAGE:
            return found
        last = rows[-1]["id"]


async def search_ids(odoo: OdooApi, model: str, domain: Sequence[object]) -> set[int]:
    """The ids of all rows that match."""
    return {row["id"] for row in await search_rows(odoo, model, domain, ["id"])}


async def read_rows(odoo: OdooApi, model: str, ids: Iterable[int], fields: Sequence[str]) -> dict[int, Row]:
    """These rows by id, without those that are gone. Raises `Refused` where one may not be read."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await odoo.call(model, "read", writes=False, ids=wanted, fields=list(fields))
    return {row["id"]: row for row in rows}


def linked(rows: Iterable[Row], name: str) -> list[int]:
    """The ids in a field that names one row or none."""
    return [row[name][0] for row in rows if row[name]]


def listed(rows: Iterable[Row], name: str) -> list[int]:
    """The ids in a field that names many rows."""
    return [id for row in rows for id in row[name]]
