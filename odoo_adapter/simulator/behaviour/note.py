"""Notes on records: `message_post`, and the messages that it makes."""

from __future__ import annotations

import html
from typing import Final

from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Call, Method
from ruleset.sample import Plain


def post(record: Record, text: str) -> Record:
    """Add a note. The text is data: what looks like markup is shown, not carried out."""
    database = record.database
    partner = database.browse("res.users", database.user).get("partner_id")
    return database.create(
        "mail.message",
        {
            "model": record.model,
            "res_id": record.id,
            "record_name": record.text("display_name"),
            "body": as_html(text),
            "message_type": "notification",
            "author_id": partner,
            "date": database.now(),
        },
    )


def as_html(text: str) -> str:
    """Plain text as an HTML field keeps it."""
    return f"<p>{html.escape(text, quote=False)}</p>"


def _run(database: Database, records: list[Record], call: Call) -> Plain:
    return [post(record, str(call.arguments.get("body", ""))).id for record in records]


message_post: Final = Method(run=_run, parameters=("body", "subject", "message_type", "subtype_xmlid"))
