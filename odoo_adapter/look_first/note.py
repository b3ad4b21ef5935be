"""Notes on orders: of inspections, and of what the bridge did. A note names its transaction's key."""

from __future__ import annotations

import html
import re
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.order import MODEL, read_order
from odoo_adapter.look_first.steps import Steps
from odoo_adapter.odoo import Outcome, Receipt

_QUIET: Final = {"mail_post_autofollow": False, "mail_create_nosubscribe": True}
_TAG: Final = re.compile(r"<[^>]*>")


async def apply_note(one: Attempt) -> Outcome:
    order = await read_order(one.steps, one.text("order"))
    if found := await stands(one, order.id):
        return one.applied(found)
    return one.applied(receipt("mail.message", await leave_note(one.steps, order.id, _text(one))))


async def find_note(one: Attempt) -> Receipt | None:
    return await stands(one, int(one.text("order")[3:]))


async def said(steps: Steps, id: int, key: str, text: str, model: str = MODEL) -> str:
    """The bridge's own note that begins with this text and was made by this key; "" where there is none."""
    by = re.compile(rf"{re.escape(_flat(text))}.* by {re.escape(_flat(key))}( \(|$)")
    return next((body for _, body in await _notes(steps, id, key, model) if by.match(body)), "")


async def say(one: Attempt, id: int, begin: str, text: str, model: str = MODEL) -> None:
    """Leave a note of the bridge on an order, or another document, once: none of this key begins so."""
    if not await said(one.steps, id, one.key, begin, model):
        await leave_note(one.steps, id, f"{begin}{text} by {one.key}{one.cause}", model)


async def stands(one: Attempt, id: int, model: str = MODEL) -> Receipt | None:
    """The note with this key. Raises `Refused` where it says something else."""
    mark = f"[{_flat(one.key)}]"
    for message, body in await _notes(one.steps, id, one.key, model):
        if body.endswith(mark):
            if body != _flat(_text(one)):
                raise Refused("conflict", f"posted before with other content, as mail.message {message}")
            return receipt("mail.message", message, repeated=True)
    return None


def _text(one: Attempt) -> str:
    return f"{one.text('text')} [{one.key}]"


async def _notes(steps: Steps, id: int, key: str, model: str = MODEL) -> list[tuple[int, str]]:
    """The messages of a document that may name the key, as plain text in one line."""
    wanted = html.escape(key, quote=False).replace("\\", "\\\\")
    domain = [["model", "=", model], ["res_id", "=", id], ["body", "ilike", wanted]]
    rows = await steps.search("mail.message", domain, ["body"])
    return [(row["id"], flat_body(row["body"])) for row in rows]


def flat_body(body: str) -> str:
    """A message as plain text in one line."""
    return _flat(html.unescape(_TAG.sub("", body)))


async def leave_note(steps: Steps, id: int, text: str, model: str = MODEL) -> int:
    """Post it, whether or not it is there already."""
    answer = await steps.act(model, "message_post", [id], context=_QUIET, body=text, subtype_xmlid="mail.mt_note")
    return int(answer[0] if isinstance(answer, list) else answer)


def _flat(text: str) -> str:
    return " ".join(text.split())
