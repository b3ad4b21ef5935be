"""From an outbox entry to what Odoo is asked to do, and what of an entry cannot be read."""

from __future__ import annotations

from typing import Final

import msgspec

from odoo_adapter.odoo import Job, Standing
from ruleset.transaction import Consented, decode
from state.entry import Entry

NEED_NOT_MET: Final = "mend what the reason names and let the event come again, or skip the entry"
"""What a person does about a dead letter of which there is no transaction: a rule's `need`, or a change in Odoo."""


class _Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the stored body of a dead letter that never was a transaction."""

    rule: str
    reason: str


def read_job(entry: Entry, standing: Standing) -> Job:
    """The entry's transaction, with the consent of who released it, and what is known of its attempts.

    Raises `msgspec.MsgspecError` where there is no transaction in it.
    """
    transaction = decode(entry.body)
    if entry.released_by and isinstance(transaction, Consented):
        transaction = msgspec.structs.replace(transaction, consent=entry.released_by)
    return Job(
        transaction=transaction,
        standing=standing,
        uncertain=entry.uncertain,
        by_calls=entry.by_calls,
        released=entry.goes_on,
    )


def unmet_reason(body: bytes) -> str | None:
    """Why a rule's `need` made this body a dead letter; None for the body of a transaction."""
    try:
        return msgspec.json.decode(body, type=_Unmet).reason
    except msgspec.MsgspecError:
        return None
