"""What the floor's order allows, and what not. `test_compare.py` has the rest of the rows of a day."""

from __future__ import annotations

import pytest

from bridge.demo.odoo_view import InboxRow
from bridge.demo.order_of_posting import misplaced


def row(kind: str, *, covered: bool = False) -> InboxRow:
    return InboxRow(key=kind, kind=kind, order="mo-1", covered=covered)


@pytest.mark.parametrize(
    ("late", "found"),
    [
        (row("progress", covered=True), []),
        (row("progress"), ["progress of mo-1 was applied after its completion"]),
    ],
    ids=["covered", "counted"],
)
def test_progress_may_follow_the_completion_only_where_that_covered_it(late: InboxRow, found: list[str]) -> None:
    assert misplaced([], [row("start"), row("progress"), row("complete"), late]) == found
