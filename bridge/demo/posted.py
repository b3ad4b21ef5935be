"""What the bridge posted, by its own books, where no inbox in Odoo lists it. Whether it stands is asked of Odoo."""

from __future__ import annotations

import msgspec

from bridge.core.input import Destination
from bridge.core.note import KEY as TOLD_PLANNERS
from bridge.demo.odoo_view import InboxRow
from odoo_adapter.plan import PlanContext, Posting, plan
from ruleset.transaction import decode as decode_transaction
from state.entry import Entry, EntryState, decode
from state.outbox import Outbox
from state.record import Table
from state.store import Store


async def read_posted(store: Store, context: PlanContext) -> tuple[InboxRow, ...]:
    """The postings of the plant that stand, in the order in which they were committed as delivered."""
    outbox = Outbox()
    outbox.restore((await store.load()).records)
    done = {id: decode(body) for id, body in (await store.read(Table.DONE)).items()}
    entries = [done[key] for key in reversed(list(outbox.done_keys())) if key in done]
    rows = (_row(entry, context) for entry in entries if entry.state is EntryState.DELIVERED)
    return tuple(row for row in rows if row is not None)


def _row(entry: Entry, context: PlanContext) -> InboxRow | None:
    if entry.destination != Destination.ODOO or entry.key.startswith(TOLD_PLANNERS):
        return None
    transaction = decode_transaction(entry.body)
    posting = plan(transaction, context)
    if not isinstance(posting, Posting):
        return None
    receipt = msgspec.json.decode(entry.receipt or b"{}")
    return InboxRow(
        key=entry.key,
        kind=posting.kind,
        order=transaction.order,
        payload=posting.p,
        covered="covered" in receipt.get("details", {}),
    )
