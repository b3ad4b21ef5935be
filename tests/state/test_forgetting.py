"""Forgetting goes on while the bridge runs, in portions that fit a commit."""

from __future__ import annotations

from state.entry import Offer
from state.ledger import FORGET_DONE_EVERY_MS, FORGET_MORE_MS, MOST_FORGOTTEN
from state.outbox import Outbox
from state.record import Table

KEPT_MS = 10 * FORGET_DONE_EVERY_MS


def outbox_that_delivered(count: int) -> Outbox:
    outbox = Outbox()
    for number in range(count):
        key = f"k{number}"
        outbox.offer(
            key=key, lane=f"l{number}", action="production.scrap", destination="odoo", body=b"1", now_ms=0, priority=1
        )
    while claimed := outbox.claim("odoo", now_ms=0, limit=count):
        for entry in claimed:
            outbox.applied(entry.key, b"", 0)
    outbox.take_changed()
    return outbox


def forgotten(outbox: Outbox, at_ms: int) -> int:
    """How many keys one commit at this moment forgets."""
    outbox.forget_before(at_ms)
    changed = outbox.take_changed()
    return sum(1 for record in changed if record.table is Table.KEY and record.id.startswith("key:"))


def test_what_was_delivered_long_ago_is_forgotten_in_portions_that_fit_a_commit() -> None:
    outbox = outbox_that_delivered(MOST_FORGOTTEN + 1)
    moments = [1, 2, 1 + FORGET_MORE_MS, 2 + FORGET_MORE_MS]
    assert [forgotten(outbox, at_ms) for at_ms in moments] == [MOST_FORGOTTEN, 0, 1, 0]
    assert tuple(outbox.done_keys()) == ()


def test_a_key_is_known_again_as_new_once_its_time_is_over() -> None:
    outbox = outbox_that_delivered(1)

    def offer() -> Offer:
        return outbox.offer(
            key="k0", lane="l0", action="production.scrap", destination="odoo", body=b"1", now_ms=2 * KEPT_MS
        )

    outbox.forget_before(0)
    assert offer() is Offer.DUPLICATE
    outbox.forget_before(FORGET_DONE_EVERY_MS)
    assert offer() is Offer.ACCEPTED
