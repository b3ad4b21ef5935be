"""The master data that a plant folder names, as one company of Odoo has it. Read whole, compared elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.production.scrap import TAG
from odoo_adapter.look_first.steps import Domain, Row, Steps
from odoo_adapter.look_first.time.loss import loss_reasons
from odoo_adapter.look_first.unit import Unit, find_units
from odoo_adapter.rights import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterData:
    """Names as often as they are there: what has the same name as another cannot be told from it.

    `counted_in` holds the kinds of unit in which what is made, or goes into it, is counted. `scrap_reasons` is None
    where Odoo has no tags for them. `hold_locations` holds whole names and their last parts, of internal places.
    """

    work_centers: tuple[str, ...]
    serial_numbers: tuple[str, ...]
    units: tuple[Unit, ...]
    counted_in: frozenset[str]
    losses: frozenset[str]
    scrap_reasons: tuple[str, ...] | None
    hold_locations: tuple[str, ...]


async def read_master_data(odoo: OdooApi, account: Account) -> MasterData:
    """Read it as this user, who may work in the connection's company. Raises an `OdooError`."""
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
    return MasterData(
        work_centers=await _named(steps, "mrp.workcenter", "code", ours),
        serial_numbers=await _named(steps, "maintenance.equipment", "serial_no", ours),
        units=tuple(units),
        counted_in=frozenset(kinds[id] for id in used if id in kinds),
        losses=frozenset(await loss_reasons(steps)),
        scrap_reasons=await _named(steps, TAG, "name", []) if steps.can.scrap_reasons else None,
        hold_locations=tuple(_place_names(places)),
    )


async def _named(steps: Steps, model: str, field: str, domain: Domain) -> tuple[str, ...]:
    rows: Sequence[Row] = await steps.search(model, domain, [field])
    return tuple(row[field] for row in rows if row[field])


def _place_names(places: Iterable[Row]) -> Iterable[str]:
    for place in places:
        yield from dict.fromkeys((place["complete_name"], place["name"]))
