"""Without an inbox the comparison reads what was posted from the bridge's own books, in their order."""

from __future__ import annotations

import msgspec

from bridge.demo.odoo_view import InboxRow
from bridge.demo.posted import read_posted
from odoo_adapter.plan import PlanContext
from ruleset.transaction import Transaction, encode
from state.memory_store import MemoryStore
from state.outbox import Outbox
from state.record import Commit
from tests.bridge.core.test_posting import ORDER, progress, start

UNITS = PlanContext(units={"pcs": "Units"})


async def books(*posted: tuple[Transaction, dict[str, object]], waiting: Transaction) -> MemoryStore:
    """What stands in a store after these were delivered in this order, with these details in their receipts."""
    outbox, store = Outbox(), MemoryStore()
    for transaction, _ in (*posted, (waiting, {})):
        outbox.offer(
            key=transaction.key, lane=ORDER, action="any", destination="odoo", body=encode(transaction), now_ms=1
        )
    outbox.offer(key="publish", lane="p", action="order.publish", destination="broker", body=b"{}", now_ms=1)
    outbox.claim("odoo", now_ms=1, limit=9)
    outbox.claim("broker", now_ms=1, limit=9)
    outbox.applied("publish", b"{}", 2)
    for transaction, details in posted:
        outbox.applied(transaction.key, msgspec.json.encode({"model": "m", "id": 1, "details": details}), 2)
    lease = await store.acquire("test", 60_000)
    assert lease is not None
    puts = {record: outbox.snapshot(record) for record in outbox.take_changed()}
    await store.commit(lease, Commit(number=1, puts=puts))
    return store


async def test_what_was_delivered_to_odoo_is_listed_as_it_was_delivered() -> None:
    late = progress(30)
    store = await books((start(), {}), (progress(10), {}), (late, {"covered": True}), waiting=progress(40))
    rows = await read_posted(store, UNITS)
    assert [(row.kind, row.order, row.covered) for row in rows] == [
        ("start", ORDER, False),
        ("progress", ORDER, False),
        ("progress", ORDER, True),
    ]
    assert rows[2] == InboxRow(
        key=late.key,
        kind="progress",
        order=ORDER,
        payload={"order": ORDER, "stream": late.stream, "upto": "30", "uom": "Units"},
        covered=True,
    )
