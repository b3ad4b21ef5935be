"""The master data that a plant folder names, as one Odoo has it. Read whole, compared elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.production.scrap import TAG
from odoo_adapter.look_first.steps import Row, Steps
from odoo_adapter.look_first.time.loss import LOSSES, loss_reasons
from odoo_adapter.look_first.unit import Unit, find_units
from odoo_adapter.rights import Account

PAGE: Final = 500
EVEN_ARCHIVED: Final = ["active", "in", [True, False]]
LINK: Final = "workcenter_id"
"""Where an equipment has its work center, in an Odoo that knows that: the community's maintenance does not."""
_LIKE: Final = 3
"""The first letters that a code has in common with those that may have been meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A record by the name that the plant folder has for it. `company` None: of all companies.

    `work_center` is the code of an equipment's work center, "" where it has none; None where Odoo knows of none.
    """

    name: str
    is_active: bool = True
    company: int | None = None
    work_center: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterData:
    """Names as often as they are there: what has the same name as another cannot be told from it.

    Work centers, equipment and products are also those that are archived or another company's. `products` holds those
    that were asked for and what has a code like theirs. `counted_in` holds the kinds of unit in which what is made, or
    goes into it, is counted. `losses` are the categories of which Odoo has the reason, `loss_names` what all its
    reasons are called. `scrap_reasons` is None where Odoo has no tags for them. `hold_locations` holds the whole names
    of internal places, and their last parts.
    """

    company: int
    companies: Mapping[int, str]
    work_centers: tuple[Named, ...]
    serial_numbers: tuple[Named, ...]
    products: tuple[Named, ...]
    units: tuple[Unit, ...]
    counted_in: frozenset[str]
    losses: frozenset[str]
    loss_names: tuple[str, ...]
    scrap_reasons: tuple[str, ...] | None
    hold_locations: tuple[str, ...]


async def read_master_data(odoo: OdooApi, account: Account, products: Collection[str] = ()) -> MasterData:
    """Read it as this user, who may work in the connection's company. Raises an `OdooError`.

    `products` are the default codes that the folder names.
    """
    steps = Steps(odoo, await odoo.capabilities(), account.id)
    ours = [steps.ours()]
    units = await find_units(steps, [])
    boms = await steps.search("mrp.bom", ours, ["product_uom_id"])
    lines = await steps.search(
        "mrp.bom.line", [["bom_id.company_id", "in", [False, steps.company]]], ["product_uom_id"]
    )
    kinds = {unit.id: unit.kind for unit in units}
    used = {row["product_uom_id"][0] for row in (*boms, *lines)}
    places = await steps.search("stock.location", [["usage", "=", "internal"], *ours], ["complete_name", "name"])
    centers = await search_rows(odoo, account, "mrp.workcenter", ["code", "active", "company_id"])
    return MasterData(
        company=steps.company,
        companies=account.companies,
        work_centers=tuple(_named(centers, "code")),
        serial_numbers=tuple(await _equipment(odoo, account, {row["id"]: row["code"] for row in centers})),
        products=tuple(await _products(odoo, account, products)),
        units=tuple(units),
        counted_in=frozenset(kinds[id] for id in used if id in kinds),
        losses=frozenset(await loss_reasons(steps)),
        loss_names=tuple(row["name"] for row in await steps.search(LOSSES, [], ["name"])),
        scrap_reasons=tuple(row["name"] for row in await steps.search(TAG, [], ["name"]))
        if steps.can.scrap_reasons
        else None,
        hold_locations=tuple(_place_names(places)),
    )


async def search_rows(
    odoo: OdooApi, account: Account, model: str, fields: Sequence[str], domain: Sequence[object] = (EVEN_ARCHIVED,)
) -> list[Row]:
    """All rows, archived ones and those of the user's other companies too, page by page."""
    everywhere = {"allowed_company_ids": sorted(account.companies)}
    found: list[Row] = []
    while True:
        page: list[Row] = await odoo.call(
            model,
            "search_read",
            writes=False,
            domain=[*domain, ["id", ">", found[-1]["id"] if found else 0]],
            fields=list(fields),
            order="id",
            limit=PAGE,
            context=everywhere,
        )
        found += page
        if len(page) < PAGE:
            return found


async def has_link(odoo: OdooApi) -> bool:
    """Whether this Odoo's maintenance equipment has a work center."""
    known = await odoo.call("maintenance.equipment", "fields_get", writes=False, allfields=[LINK], attributes=["type"])
    return LINK in known


def _named(rows: Iterable[Row], field: str) -> Iterable[Named]:
    for row in rows:
        if row[field]:
            yield Named(name=row[field], is_active=row["active"], company=_company(row))


def _company(row: Row) -> int | None:
    return row["company_id"][0] if row["company_id"] else None


async def _equipment(odoo: OdooApi, account: Account, centers: Mapping[int, str]) -> Iterable[Named]:
    link = [LINK] if await has_link(odoo) else []
    rows = await search_rows(odoo, account, "maintenance.equipment", ["serial_no", "active", "company_id", *link])
    return [
        Named(
            name=row["serial_no"],
            is_active=row["active"],
            company=_company(row),
            work_center=(centers.get(row[LINK][0]) if row[LINK] else "") if link else None,
        )
        for row in rows
        if row["serial_no"]
    ]


async def _products(odoo: OdooApi, account: Account, codes: Collection[str]) -> Iterable[Named]:
    fields, like = ["default_code", "active", "company_id"], "default_code"
    if not codes:
        return ()
    wanted = [EVEN_ARCHIVED, [like, "in", sorted(codes)]]
    found = list(_named(await search_rows(odoo, account, "product.product", fields, wanted), like))
    for lacking in sorted(set(codes) - {one.name for one in found}):
        begins = [EVEN_ARCHIVED, [like, "=ilike", f"{lacking[:_LIKE]}%"]]
        found += _named(await search_rows(odoo, account, "product.product", fields, begins), like)
    return dict.fromkeys(found)


def _place_names(places: Iterable[Row]) -> Iterable[str]:
    for place in places:
        yield from dict.fromkeys((place["complete_name"], place["name"]))
