"""Lots that had expired when they were used, where Odoo keeps such dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from odoo_adapter.look_first.attempt import Attempt

_LOT: Final = "stock.lot"


async def expired(one: Attempt, lot: int) -> str:
    """When the lot expired; "" where it had not."""
    if not await one.steps.has_field(_LOT, "expiration_date"):
        return ""
    (row,) = await one.steps.read(_LOT, [lot], ["expiration_date"])
    ends = str(row["expiration_date"] or "")[:19]
    return ends if ends and ends <= one.text("at") else ""


async def expired_lots(one: Attempt, used: Mapping[int, Mapping[int, object]]) -> list[str]:
    """What a completion takes of expired lots, by component and lot: a sentence each."""
    ids = {lot for lots in used.values() for lot in lots if lot}
    if not ids or not await one.steps.has_field(_LOT, "expiration_date"):
        return []
    rows = await one.steps.read(_LOT, ids, ["name", "product_id", "expiration_date"])
    ended = [row for row in rows if row["expiration_date"] and row["expiration_date"][:19] <= one.text("at")]
    return [f"lot {row['name']} of {row['product_id'][1]} expired at {row['expiration_date'][:19]}" for row in ended]
