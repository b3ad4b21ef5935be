"""What is inspected, and the words by which an inspection of it is found again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from odoo_adapter.errors import Refused
from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.maintenance import EQUIPMENT, equipment_of
from odoo_adapter.look_first.order import MODEL, read_order
from odoo_adapter.look_first.quality.transfer import read_goods


@dataclass(frozen=True, slots=True)
class Document:
    """The order, the lot or the equipment; `product` is whose pieces it is about, 0 of equipment."""

    model: str
    id: int
    product: int = 0


async def document_of(one: Attempt) -> Document:
    if one.text("order"):
        order = await read_order(one.steps, one.text("order"))
        return Document(MODEL, order.id, order.product)
    if one.text("serial"):
        return Document(EQUIPMENT, await equipment_of(one))
    goods = await read_goods(one)
    return Document(lots.MODEL, goods.tracked_lot, goods.product)


def asked(one: Attempt) -> str:
    lot = one.text("lot")
    return f"Inspection: {one.text('name')}{f', lot {lot}' if lot else ''}"


def about(one: Attempt) -> str:
    """The first line of an inspection's notes."""
    return f"{asked(one)} of {one.text('order') or one.text('serial') or one.text('product')}"


def is_like(text: str) -> str:
    """The text itself as a pattern of LIKE."""
    return re.sub(r"([\\%_])", r"\\\1", text)


async def inspector(one: Attempt) -> int:
    """In whose list it appears."""
    login = one.text("user")
    if not login:
        return one.steps.user
    rows = await one.steps.search("res.users", [["login", "=", login]], ["id"])
    if not rows:
        raise Refused("missing", f"the user {login} who is to inspect")
    return int(rows[0]["id"])
