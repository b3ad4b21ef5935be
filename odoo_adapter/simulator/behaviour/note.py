"""Notes on records: `message_post` and the messages that it makes, and activities in people's lists."""

from __future__ import annotations

import html
from typing import Final

from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, related
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


def finish_activity(activity: Record, feedback: str) -> None:
    """Somebody did it: a message on its document says so, and it is in no list any more."""
    document = activity.database.browse(activity.text("res_model"), activity.integer("res_id"))
    post(document, f"{activity.text('summary')} done. {feedback}")
    activity.write(feedback=feedback, active=False)


def _run_feedback(database: Database, records: list[Record], call: Call) -> Plain:
    for record in records:
        finish_activity(record, str(call.arguments.get("feedback") or ""))
    return True


BEHAVIOURS: Final = {
    "mail.activity": Behaviour(
        computed={"res_model": related("res_model_id.model")},
        methods={"action_feedback": Method(run=_run_feedback, parameters=("feedback",))},
    ),
}
