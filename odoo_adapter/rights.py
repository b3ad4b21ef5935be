"""What the integration user may do, and until when its key holds: asked at every check, whichever way posts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from odoo_adapter.api import OdooApi
from odoo_adapter.errors import Refused

NEEDED: Final[Mapping[str, str]] = {
    "mrp.production": "write",
    "mrp.workorder": "write",
    "mrp.workcenter": "read",
    "mrp.workcenter.productivity": "create",
    "mrp.bom": "read",
    "stock.move": "write",
    "stock.lot": "create",
    "stock.scrap": "create",
    "stock.quant": "read",
    "product.product": "read",
    "uom.uom": "read",
    "maintenance.equipment": "read",
    "maintenance.request": "create",
}


async def missing_rights(odoo: OdooApi, uid: int, login: str) -> list[str]:
    """What the user lacks, in sentences; empty where nothing is missing."""
    missing = [
        f"the user {login} may not {operation} {model}"
        for model, operation in NEEDED.items()
        if not await may(odoo, model, operation)
    ]
    if not missing and not await odoo.call("maintenance.equipment", "search", writes=False, domain=[], limit=1):
        missing.append(f"the user {login} sees no maintenance equipment (right: Maintenance / Equipment Manager)")
    rows = await odoo.call("res.users", "read", writes=False, ids=[uid], fields=["email"])
    if not rows or not rows[0]["email"]:
        missing.append(f"the user {login} has no e-mail address, which maintenance requests need")
    return missing


async def may(odoo: OdooApi, model: str, operation: str) -> bool:
    """Whether the user has this right on the whole model."""
    if (await odoo.capabilities()).has_access:
        return bool(await odoo.call(model, "has_access", writes=False, ids=[], operation=operation))
    answer = await odoo.call(model, "check_access_rights", writes=False, operation=operation, raise_exception=False)
    return bool(answer)


async def key_expiry(odoo: OdooApi, uid: int) -> int | None:
    """When the last of the user's API keys runs out, in UTC milliseconds; None: never, or not readable."""
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
    ends = [row["expiration_date"] for row in rows]
    if not ends or not all(ends):
        return None
    return int(datetime.fromisoformat(max(ends)).replace(tzinfo=UTC).timestamp() * 1000)
