"""Whether postings were applied in an order that the floor's order allows. Pure.

Per order: a start before the first progress, progress before the completion (but for what came late and was covered by
it), the disposition before the completion.
Per source: what one source said in a row (the MES of an order's operations; a work center of its stops) is applied
in that row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from bridge.demo.odoo_view import InboxRow
from bridge.simulator.ledger import Fact, FactKind


def misplaced(facts: Sequence[Fact], inbox: Sequence[InboxRow]) -> list[str]:
    """A sentence for every pair of neighbours that was applied the wrong way round. `inbox` is as applied."""
    by_order: dict[str, list[InboxRow]] = defaultdict(list)
    for row in inbox:
        if row.order:
            by_order[row.order].append(row)
    found = []
    for order, rows in by_order.items():
        found += _judge_stages(order, rows)
        found += _judge_operations(order, rows, facts)
    return found + _judge_stops(inbox)


def before_its_start(order: str) -> str:
    """The sentence for the one pair whose halves come on different ways: a start from the MES, a count from a node."""
    return f"progress of {order} was applied before its start"


def _judge_stages(order: str, rows: Sequence[InboxRow]) -> list[str]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if not row.covered:
            places[row.kind].append(place)
    started, progressed = places["start"], places["progress"]
    decided, completed = places["note"], places["complete"]
    found = []
    if started and progressed and min(progressed) < min(started):
        found.append(before_its_start(order))
    if completed and progressed and min(completed) < max(progressed):
        found.append(f"progress of {order} was applied after its completion")
    if completed and decided and min(completed) < min(decided):
        found.append(f"the disposition of {order} was applied after its completion")
    return found


def _judge_operations(order: str, rows: Sequence[InboxRow], facts: Sequence[Fact]) -> list[str]:
    """Starts and finishes in the MES's own order."""
    kinds = (FactKind.START, FactKind.FINISH)
    said: Mapping[tuple[str, str], str] = {
        (fact.kind.value, str(fact.values.get("work_order"))): f"{fact.sequence:06}"
        for fact in facts
        if fact.order == order and fact.kind in kinds
    }
    applied = [(row.kind, work_order) for row in rows if (row.kind, work_order := str(row.payload.get("wo"))) in said]
    return _reversals(applied, lambda each: said[each], lambda each: f"{each[0]} of {each[1]} of {order}")


def _judge_stops(inbox: Sequence[InboxRow]) -> list[str]:
    """The stops of a work center in the order of their beginning."""
    stops: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in inbox:
        if row.kind == "downtime":
            center = str(row.payload.get("wc"))
            stops[center].append((str(row.payload.get("start")), center))
    found = []
    for rows in stops.values():
        found += _reversals(rows, lambda each: each[0], lambda each: f"the stop of {each[1]} from {each[0]}")
    return found


def _reversals(
    applied: Sequence[tuple[str, str]], rank: Callable[[tuple[str, str]], str], name: Callable[[tuple[str, str]], str]
) -> list[str]:
    return [
        f"{name(later)} was applied after {name(earlier)}"
        for earlier, later in pairwise(applied)
        if rank(later) < rank(earlier)
    ]
