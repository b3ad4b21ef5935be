"""Progress of an order and the start of it, which come on different ways."""

from __future__ import annotations

from dataclasses import replace

from odoo_adapter.odoo import Applied
from tests.bridge.core.test_posting import LINE, RECEIPT, Desk, progress, start


def telling_starts() -> Desk:
    """A site where a rule posts starts of work at the line."""
    desk = Desk()
    desk.postings = replace(desk.postings, started_at=frozenset({LINE}), start_within_ms=30_000)
    return desk


def sent(desk: Desk, now_ms: int) -> list[str]:
    """The keys that go to Odoo now; all of it is posted."""
    claimed = desk.outbox.claim("odoo", now_ms=now_ms, limit=10)
    for entry in claimed:
        desk.postings.resolve(Applied(key=entry.key, receipt=RECEIPT), now_ms)
    return [entry.key for entry in claimed]


def test_progress_waits_for_the_start_of_its_order_and_goes_behind_it() -> None:
    desk = telling_starts()
    desk.postings.post(progress(5), 1_000)
    desk.postings.post(progress(8), 6_000)
    desk.postings.post(progress(3, "2"), 7_000)
    assert sent(desk, 7_000) == []
    desk.postings.post(start(), 9_000)
    assert sent(desk, 9_000) == ["start", "progress:1:8", "progress:2:3"]


def test_progress_waits_for_a_start_that_does_not_come_no_longer_than_its_first_total_may() -> None:
    desk = telling_starts()
    desk.postings.post(progress(5), 1_000)
    desk.postings.post(progress(8), 29_000)
    assert (desk.outbox.next_due_ms, sent(desk, 30_999), sent(desk, 31_000)) == (31_000, [], ["progress:1:8"])
    desk.postings.post(progress(9), 32_000)
    assert sent(desk, 32_000) == ["progress:1:9"]


def test_progress_of_an_order_that_is_started_waits_for_nothing() -> None:
    desk = telling_starts()
    desk.postings.post(start(), 1_000)
    desk.postings.post(progress(5), 1_000)
    assert sent(desk, 1_000) == ["start", "progress:1:5"]
    desk.postings.post(progress(6), 2_000)
    assert sent(desk, 2_000) == ["progress:1:6"]


def test_progress_where_no_rule_posts_starts_waits_for_none() -> None:
    desk = Desk()
    desk.postings = replace(desk.postings, start_within_ms=30_000)
    desk.postings.post(progress(5), 1_000)
    assert sent(desk, 1_000) == ["progress:1:5"]
