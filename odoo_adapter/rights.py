"""What the integration user is and may do, and until when its key holds: asked at every check, whichever way posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused

NEEDED: Final[Mapping[str, str]] = {
    "mrp.production": "write",
    "mrp.workorder": "write",
    "mrp.workcenter": "read",
    "mrp.workcenter.productivity": "create",
    "mrp.bom": "read",
    "resource.calendar.leaves": "create",
    "stock.move": "write",
    "stock.lot": "create",
    "stock.scrap": "create",
    "stock.quant": "read",
    "product.product": "read",
    "uom.uom": "read",
    "maintenance.equipment": "read",
    "maintenance.request": "create",
}

INSPECTIONS: Final[Mapping[str, str]] = {
    "qc.inspection": "Quality control / User",
    "quality.check": "Quality / User",
}
"""What is made for an inspection where Odoo has OCA's quality control or Enterprise's Quality, and the right to it."""

APPS: Final = {"mrp": "Manufacturing", "stock": "Inventory", "maintenance": "Maintenance"}
"""The app of Odoo that brings the models whose names begin so."""
_ADMINISTRATORS: Final = "ir.module.module"
"""A model that only administrators write."""

_TIMES: Final = "mrp.workcenter.productivity"
"""A model whose records begin now, by Odoo's clock, unless they say otherwise."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting of Odoo that gives something to all users at once: what it gives, and where it is."""

    name: str
    path: str

    @property
    def lack(self) -> str:
        """What is to be said where it is off."""
        return f"{self.name} are switched off in Odoo"

    @property
    def mend(self) -> str:
        return f"switch them on under {self.path}"


SWITCHES: Final[Mapping[str, Switch]] = {
    "mrp.group_mrp_routings": Switch("work orders", "Manufacturing / Configuration / Settings / Work Orders"),
    "stock.group_production_lot": Switch(
        "lots and serial numbers", "Inventory / Configuration / Settings / Lots & Serial Numbers"
    ),
    "stock.group_stock_multi_locations": Switch(
        "storage locations", "Inventory / Configuration / Settings / Storage Locations"
    ),
}
"""By the group that a setting puts every user into (seen in 17, 18 and 19)."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that the integration user needs (`may write mrp.bom`), and what is to be said where it is missing."""

    name: str
    lack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose key it is. `companies` are those in which the user may work, by their ids."""

    id: int
    login: str
    companies: Mapping[int, str]


async def read_account(odoo: OdooApi) -> Account:
    """The user of the key, also where it may not work in the company of the connection."""
    anywhere: dict[str, object] = {"allowed_company_ids": []}
    uid = int((await odoo.call("res.users", "context_get", writes=False, context=anywhere))["uid"])
    (row,) = await odoo.call(
        "res.users", "read", writes=False, ids=[uid], fields=["login", "company_ids"], context=anywhere
    )
    companies = await odoo.call(
        "res.company", "read", writes=False, ids=row["company_ids"], fields=["name"], context=anywhere
    )
    return Account(id=uid, login=row["login"], companies={one["id"]: one["name"] for one in companies})


async def missing_rights(odoo: OdooApi, uid: int, login: str) -> list[str]:
    """What the user lacks, in sentences; empty where nothing is missing."""
    return [need.lack for need in await needs(odoo, uid, login) if need.lack]


async def needs(odoo: OdooApi, uid: int, login: str) -> list[Need]:
    """Everything that the user needs, each with what is missing of it."""
    found = [
        Need(f"may {operation} {model}", await _lack(odoo, login, model, operation))
        for model, operation in NEEDED.items()
    ]
    for model, right in INSPECTIONS.items():
        if await is_there(odoo, model):
            lack = await _lack(odoo, login, model, "create")
            found.append(Need(f"may create {model}", lack and f"{lack} (right: {right})"))
    if not any(need.lack for need in found):
        seen = await odoo.call("maintenance.equipment", "search", writes=False, domain=[], limit=1)
        lack = f"the user {login} sees no maintenance equipment (right: Maintenance / Equipment Manager)"
        found.append(Need("sees maintenance equipment", "" if seen else lack))
    rows = await odoo.call("res.users", "read", writes=False, ids=[uid], fields=["email"])
    has_email = bool(rows and rows[0]["email"])
    lack = f"the user {login} has no e-mail address, which maintenance requests need"
    return [*found, Need("has an e-mail address", "" if has_email else lack)]


async def _lack(odoo: OdooApi, login: str, model: str, operation: str) -> str:
    try:
        allowed = await may(odoo, model, operation)
    except Refused as error:
        app = APPS.get(model.partition(".")[0])
        if app is None or not is_absent(error):
            raise
        return f"there is no {model}: install the app {app} in Odoo"
    return "" if allowed else f"the user {login} may not {operation} {model}"


def is_absent(error: Refused) -> bool:
    """Whether Odoo says that there is no such model: over JSON-2 (19), and over JSON-RPC (17, 18)."""
    return error.code == "NotFound" or (error.code == "UserError" and "doesn't exist" in error.reason)


async def is_there(odoo: OdooApi, model: str) -> bool:
    """Whether this Odoo has the model: some come with an app."""
    try:
        await may(odoo, model, "read")
    except Refused as error:
        if is_absent(error):
            return False
        raise
    return True


async def is_administrator(odoo: OdooApi) -> bool:
    """Whether the user may do more than an integration user should."""
    return await may(odoo, _ADMINISTRATORS, "write")


async def may(odoo: OdooApi, model: str, operation: str) -> bool:
    """Whether the user has this right on the whole model."""
    if (await odoo.capabilities()).has_access:
        return bool(await odoo.call(model, "has_access", writes=False, ids=[], operation=operation))
    answer = await odoo.call(model, "check_access_rights", writes=False, operation=operation, raise_exception=False)
    return bool(answer)


async def switched_off(odoo: OdooApi, uid: int) -> list[Switch]:
    """The settings that are off: postings of work orders, of lots or to the hold location are refused then."""
    whose = [uid] if (await odoo.capabilities()).groups_of_record else None
    return [
        switch
        for group, switch in SWITCHES.items()
        if not await odoo.call("res.users", "has_group", writes=False, ids=whose, group_ext_id=group)
    ]


async def read_clock(odoo: OdooApi) -> str:
    """The time of Odoo's server in UTC, as Odoo writes it, to the second."""
    begun = await odoo.call(_TIMES, "default_get", writes=False, fields=["date_start"])
    return str(begun["date_start"])[:19]


async def key_expiry(odoo: OdooApi, uid: int) -> int | None:
    """When the first of the user's API keys runs out, in UTC milliseconds; None: never, or not readable.

    Which of them is in use nobody is told: Odoo keeps a key's beginning in a column that is no field of
    `res.users.apikeys` (seen in 17, 18 and 19). The first end never tells too late. Those that are over are not in use.
    """
    if not (await odoo.capabilities()).keys_expire:
        return None
    try:
        rows = await odoo.call(
            "res.users.apikeys",
            "search_read",
            writes=False,
            domain=[["user_id", "=", uid]],
            fields=["expiration_date"],
        )
    except Refused:
        return None
    ends = [
        datetime.fromisoformat(row["expiration_date"]).replace(tzinfo=UTC) for row in rows if row["expiration_date"]
    ]
    coming = [end for end in ends if end > datetime.now(UTC)]
    return int(min(coming).timestamp() * 1000) if coming else None
