"""`uns-bridge check --online`: asks Odoo for its master data and compares the plant folder with it. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.online.compare import NOTHING, Comparison, compare, compare_company
from bridge.online.named import read_names
from bridge.plant import ASSETS_FILE, BRIDGE_FILE, CODES_FILE, Plant
from bridge.settings.odoo import InboxUse
from bridge.wiring import odoo_connection
from odoo_adapter.chosen import NO_INBOX
from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused
from odoo_adapter.plan import PlanContext
from odoo_adapter.rights import read_account
from odoo_adapter.server import OdooServer
from odoo_adapter.survey.master import read_master_data
from ruleset.problem import Problem, Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What does not match, and what one may want to know."""

    version: str
    problems: tuple[Problem, ...]
    comparison: Comparison


async def check_online(plant: Plant) -> Compared:
    """Compare the folder with the Odoo that it names. Raises an `OdooError` where that cannot be asked."""
    odoo = OdooApi(odoo_connection(plant))
    try:
        return await compare_with(odoo, plant, texts_of(plant))
    finally:
        await odoo.close()


def texts_of(plant: Plant) -> Mapping[str, str]:
    """The folder's files that name something in Odoo, as they are now."""
    texts = {name: (plant.folder / name).read_text("utf-8-sig") for name in (BRIDGE_FILE, ASSETS_FILE, CODES_FILE)}
    return {**texts, **plant.rule_files}


async def compare_with(odoo: OdooApi, plant: Plant, texts: Mapping[str, str]) -> Compared:
    """The same over a connection that is there, with files that were read before."""
    problems = Problems()
    names = read_names(texts, problems)
    version, account = await odoo.version(), await read_account(odoo)
    comparison = NOTHING
    if compare_company(names, odoo.connection.company, account.companies):
        hold_location = plant.settings.odoo.hold_location if await _goes_without_inbox(plant, odoo) else None
        found = await read_master_data(odoo, account, {code for _, codes in names.products for code in codes})
        comparison = compare(names, plant.assets, found, hold_location=hold_location)
    return Compared(version=version, problems=problems.all, comparison=comparison)


async def _goes_without_inbox(plant: Plant, odoo: OdooApi) -> bool:
    if plant.settings.odoo.inbox is not InboxUse.PREFERRED:
        return plant.settings.odoo.inbox is InboxUse.NEVER
    try:
        await OdooServer(odoo, PlanContext()).greet()
    except Refused as error:
        return error.code == NO_INBOX
    return False
