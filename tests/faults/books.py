"""The judgement of a schedule: what truly happened against what stands in Odoo, and where all of it went.

What was posted twice or in the wrong order stands in Odoo for ever: its rows are only added to. So judging at the end
judges every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.core.order import CURSOR_ID
from bridge.demo.compare import ON_THE_NAMESPACE, NamespaceView, Report, answers_of, compare
from bridge.demo.odoo_view import OdooView, read_view
from bridge.demo.posted import read_posted
from bridge.orders.record import OrderRecord
from bridge.simulator.happening import MetricsChanged
from bridge.simulator.ledger import ExpectedOutcome, Fact
from bridge.simulator.scenario import Scenario
from odoo_adapter.plan import PlanContext
from state.entry import Entry, EntryState, decode
from state.record import Table
from tests.faults import account
from tests.faults.desk import Reader
from tests.faults.excuse import Excuses, lost_documents
from tests.faults.machine import START_MS, at_once

if TYPE_CHECKING:
    from tests.faults.world import World

LOST: Final = "lost: "
DOUBLED: Final = "doubled: "
MISPLACED: Final = "out of order: "
UNACCOUNTED: Final = "documents: unaccounted for"
COUNTED_BY_A_RULE: Final = "quality"
"""The documents that lead to nothing by themselves: checks, of which a rule counts the failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`excused` are facts that nobody could know any more, with the reason. `buckets` says where everything went: each
    fact and each document is counted in exactly one."""

    lost: int
    doubled: int
    out_of_order: int
    faults: tuple[str, ...]
    excused: tuple[str, ...]
    buckets: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What truly happened: the facts, the orders that were released, and the releases (order, version) that the MES
    saw; the lanes of the dead letters that a person replayed; the documents that the MES told late; what the plant's
    sources said; and why the day did not come to its end, if it did not.
    """

    facts: Sequence[Fact]
    orders: Sequence[str]
    releases: Sequence[tuple[str, int]]
    replayed: Sequence[str]
    late: Collection[str]
    scenario: Scenario
    said: Sequence[MetricsChanged]
    stuck: str


def judge(world: World, day: Day) -> Verdict:
    """Compare, once nothing moves any more."""
    view = at_once(_view(world, day))
    report = _compare(world, day, view)
    entries = [decode(body) for body in at_once(world.server.read(Table.ENTRY)).values()]
    done = [decode(body) for body in at_once(world.server.read(Table.DONE)).values()]
    posted = {key.rpartition(":")[2] for key in (*(row.key for row in view.inbox), *(entry.key for entry in done))}
    reasons = {text: _excuse(day, text) for text in report.differences if not text.startswith(LOST)}
    excuses = Excuses(world.broker, day.scenario, day.said, entries)
    left, unknown = _unknown(day.facts, excuses, partial(_lost, world, view, day))
    undecided = {id for fact, _ in unknown for id in excuses.documents_of(fact)}
    documents = Counter(_documents(world, entries, posted, undecided))
    excused = (
        *(text for _, text in unknown),
        *(f"{reason}: {text}" for text, reason in reasons.items() if reason),
        *report.not_promised,
    )
    faults = [*left, *(text for text, reason in reasons.items() if not reason)]
    faults += [day.stuck] if day.stuck else []
    faults += [f"a defect: {text}" for text in world.universe.defects]
    faults += [f"{entry.key} is {entry.state} for ever" for entry in _stuck(entries)]
    messages = world.broker.account.buckets()
    faults += [bucket for bucket in (*documents, *messages) if bucket.startswith((UNACCOUNTED, account.UNACCOUNTED))]
    lost, doubled, misplaced = (sum(text.startswith(kind) for text in faults) for kind in (LOST, DOUBLED, MISPLACED))
    return Verdict(
        lost=lost,
        doubled=doubled,
        out_of_order=misplaced,
        faults=tuple(faults),
        excused=excused,
        buckets={**_facts(day, lost, len(unknown)), **documents, **messages, **_people(day, entries)},
    )


def _facts(day: Day, lost: int, excused: int) -> dict[str, int]:
    """Each fact in one bucket."""
    kept = Counter(fact.outcome for fact in day.facts)
    shown = sum(fact.kind in ON_THE_NAMESPACE for fact in day.facts)
    posted = kept[ExpectedOutcome.POSTED] - shown - lost - excused
    return {
        "facts: posted, alone or in a total": posted,
        "facts: on the namespace": shown,
        "facts: dead letters, as the rules say": kept[ExpectedOutcome.DEAD],
        "facts: waiting for quality, as the rules say": kept[ExpectedOutcome.HELD],
        "facts: not to be known any more, or held": excused,
        "facts: lost": lost,
    }


def _people(day: Day, entries: Sequence[Entry]) -> dict[str, int]:
    """What was left to people."""
    held = sum(entry.state is EntryState.HELD for entry in entries)
    return {"entries: replayed by a person": len(day.replayed), "entries: held for a person": held}


def _documents(
    world: World, entries: Sequence[Entry], posted: Collection[str], undecided: Collection[str]
) -> Iterator[str]:
    """A bucket for every document that the broker took from the MES.

    `posted`: the ids that keys of postings end in. `undecided`: the ids of those that wait for what nobody can know.
    """
    waiting = {entry.key.rpartition(":")[2]: str(entry.state) for entry in entries}
    lost = lost_documents(world.broker)
    answers = answers_of(_orders(world))
    seen: set[str] = set()
    for topic, payload in world.broker.told:
        told = msgspec.json.decode(payload)
        id = told["id"]
        if id in seen:
            yield "documents: told again"
        elif topic.endswith("/ack") and answers.get(told["order"], (0, ""))[0] >= told["version"]:
            yield "documents: answers to releases"
        elif id in posted:
            yield "documents: posted"
        elif id in waiting:
            yield f"documents: {waiting[id]}"
        elif topic.endswith(f"/{COUNTED_BY_A_RULE}"):
            yield "documents: counted by a rule"
        elif id in lost:
            yield f"documents: {lost[id]}"
        elif id in undecided:
            yield "documents: waiting for what was lost"
        else:
            yield f"{UNACCOUNTED}: {id}"
        seen.add(id)


def _unknown(
    facts: Sequence[Fact], excuses: Excuses, lost: Callable[[Sequence[Fact]], list[str]]
) -> tuple[list[str], list[tuple[Fact, str]]]:
    """What is lost, and the facts that nobody could know any more, with the reasons.

    A sentence belongs to a fact if it vanishes without it. Each fact with an excuse of its own is left out if it takes
    a sentence with it; what is then still lost has none.
    """
    left, sentences = list(facts), lost(facts)
    unknown: list[tuple[Fact, str]] = []
    for fact in facts if sentences else ():
        if fact.outcome is ExpectedOutcome.POSTED and (reason := excuses.reason(fact)):
            without = [each for each in left if each.id != fact.id]
            still = lost(without)
            if gone := [text for text in sentences if text not in still]:
                left, sentences = without, still
                unknown.append((fact, f"{reason}: {'; '.join(gone)}"))
    return sentences, unknown


def _lost(world: World, view: OdooView, day: Day, facts: Sequence[Fact]) -> list[str]:
    report = _compare(world, replace(day, facts=facts), view)
    return [text for text in report.differences if text.startswith(LOST)]


def _excuse(day: Day, text: str) -> str:
    """Why what is out of order is no fault: people see to it; nothing where it is one."""
    if text.startswith(MISPLACED) and any(_names(text, lane) for lane in day.replayed):
        return "a person replayed it later"
    if text.startswith(f"{MISPLACED}the stop of") and any("/" in lane for lane in day.replayed):
        return "a person replayed a stop later"
    return ""


def _names(text: str, lane: str) -> bool:
    return f" {lane.rpartition(':')[2]}" in text


def _stuck(entries: Sequence[Entry]) -> list[Entry]:
    """What waits although nothing stops it."""
    stopped = {entry.lane for entry in entries if entry.state in (EntryState.HELD, EntryState.DEAD)}
    return [entry for entry in entries if entry.lane not in stopped]


def _orders(world: World) -> list[OrderRecord]:
    stored = at_once(world.server.read(Table.ORDER))
    return [msgspec.json.decode(body, type=OrderRecord) for id, body in stored.items() if id != CURSOR_ID]


async def _view(world: World, day: Day) -> OdooView:
    posted = None
    if world.has("look-first"):
        posted = await read_posted(world.server, PlanContext(units=world.units, over=Decimal("0.05")))
    return await read_view(Reader(world.desk), day.orders, START_MS, posted)


def _compare(world: World, day: Day, view: OdooView) -> Report:
    records = [record for record in _orders(world) if record.order in day.orders]
    answers = answers_of(records)
    releases = tuple(one for one in day.releases if one[0] in day.orders)
    return compare(
        day.facts, view, NamespaceView(releases=releases, answers=answers), seed=world.schedule.seed, late=day.late
    )
