"""Inspections as quality checks of Odoo Enterprise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.maintenance import in_html
from odoo_adapter.look_first.note import flat_body, leave_note, stands
from odoo_adapter.look_first.order import MODEL as ORDERS
from odoo_adapter.look_first.quality.document import Document, about, inspector, is_like

MODEL: Final = "quality.check"
_QUIET: Final = {"tracking_disable": True, "mail_create_nosubscribe": True, "mail_create_nolog": True}


async def ask(one: Attempt, document: Document) -> None:
    """The check, by the control point of that name where there is one."""
    steps = one.steps
    fields = ["team_id", "test_type_id"]
    points = await steps.search("quality.point", [["title", "=", one.text("name")], steps.ours()], fields)
    row = {
        "product_id/.id": str(document.product),
        "user_id/.id": str(await inspector(one)),
        "note": in_html(about(one), one.text("text"), f"{one.key}{one.cause}"),
    }
    if points:
        row["point_id/.id"] = str(points[0]["id"])
        row |= {f"{name}/.id": str(points[0][name][0]) for name in fields}
    else:
        named = ["technical_name", "=", "passfail"]
        row["team_id/.id"] = await _first(one, "quality.alert.team", steps.ours(), "a quality team")
        row["test_type_id/.id"] = await _first(
            one, "quality.point.test_type", named, "the quality test type pass - fail"
        )
    if document.model == ORDERS:
        row["production_id/.id"] = str(document.id)
    else:
        many = await steps.has_field(MODEL, "lot_ids")
        row["lot_ids/.id" if many else "lot_id/.id"] = str(document.id)
    await steps.load(MODEL, one.key, [row], _QUIET)


async def made(one: Attempt, document: Document) -> int:
    """The check of this key, 0 where there is none."""
    signed = " ".join(f"{one.key}{one.cause}".split())
    rows = await one.steps.search(MODEL, _of_it(one), ["note"])
    return next((row["id"] for row in rows if flat_body(row["note"]).endswith(signed)), 0)


async def end(one: Attempt, document: Document) -> int:
    """Decide those that are open; how many they were. The note comes first: what is decided is not found again."""
    rows = await one.steps.search(MODEL, [*_of_it(one), ["quality_state", "=", "none"]], ["id"])
    for row in rows:
        if not await stands(one, row["id"], MODEL):
            await leave_note(one.steps, row["id"], f"{one.text('text')} [{one.key}]", MODEL)
        if outcome := one.text("outcome"):
            await one.steps.act(MODEL, f"do_{outcome}", [row["id"]])
    return len(rows) if one.text("outcome") else 0


def _of_it(one: Attempt) -> list[list[object]]:
    """The bridge's own checks by this name of this document."""
    begin = in_html(about(one)).removesuffix("</p>")
    return [["create_uid", "=", one.steps.user], ["note", "like", f"{is_like(begin)}<br"]]


async def _first(one: Attempt, model: str, condition: Sequence[object], what: str) -> str:
    rows = await one.steps.search(model, [condition], ["id"])
    if not rows:
        raise Refused("missing", what)
    return str(rows[0]["id"])
