"""The judgement of a schedule: what truly happened against what stands in Odoo, and where all of it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.core.order import CURSOR_ID, OrderRecord
from bridge.demo.compare import NamespaceView, Report, compare
from bridge.demo.odoo_view import read_view
from bridge.demo.posted import read_posted
from bridge.simulator.ledger import Fact
from odoo_adapter.plan import PlanContext
from state.entry import EntryState, decode
from state.record import Table
from tests.faults.desk import Reader
from tests.faults.machine import START_MS

if TYPE_CHECKING:
    from tests.faults.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`buckets` says where all facts and messages went; `excused` are facts that nobody could know, with the reason."""

    lost: int
    doubled: int
    out_of_order: int
    faults: tuple[str, ...]
    excused: tuple[str, ...]
    buckets: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        return not self.faults


def judge(
    world: World,
    facts: Sequence[Fact],
    orders: Sequence[str],
    releases: Sequence[tuple[str, int]],
    stuck: str,
) -> Verdict:
    """Compare, once nothing moves any more."""
    report = at_once(_compare(world, facts, orders, releases))
    more = [stuck] if stuck else []
    more += [f"a defect: {text}" for text in world.universe.defects]
    entries = [decode(body) for body in at_once(world.server.read(Table.ENTRY)).values()]
    states = Counter(str(entry.state) for entry in entries)
    more += [f"{entry.key} is {entry.state}: {entry.reason}" for entry in entries if entry.state in (EntryState.HELD,)]
    buckets = {"facts": report.facts, "posted": report.postings, "dead": report.dead, **states}
    return Verdict(
        lost=report.lost,
        doubled=report.doubled,
        out_of_order=report.out_of_order,
        faults=(*report.differences, *more),
        excused=(),
        buckets=buckets,
    )


async def _compare(
    world: World, facts: Sequence[Fact], orders: Sequence[str], releases: Sequence[tuple[str, int]]
) -> Report:
    posted = None
    if world.has("look-first"):
        posted = await read_posted(world.server, PlanContext(units=world.units, over=Decimal("0.05")))
    view = await read_view(Reader(world.desk), orders, START_MS, posted)
    stored = await world.server.read(Table.ORDER)
    records = [msgspec.json.decode(body, type=OrderRecord) for id, body in stored.items() if id != CURSOR_ID]
    answers = {one.order: (one.answered_version or 0, str(one.answer)) for one in records if one.order in orders}
    named = tuple(one for one in releases if one[0] in orders)
    namespace = NamespaceView(releases=named, answers=answers)
    return compare(facts, view, namespace, seed=world.schedule.seed)


def at_once(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")
