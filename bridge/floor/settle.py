"""The settler: puts what happened during an outage in its order before the rules see it. Called by the core only.

After we, or an edge node, were away, births tell the present at once, stored history follows later, and documents
that the broker kept come at the same moment. So what an equipment says while it is *settling* is kept durably, and
given to the rules in the order of its own times when nothing more has come for `settle_ms`, as if it had arrived
then. The rules so never see the present before the past, and need no memory of outages.

All equipment settles together after our own outage, so that the steps of an order keep their order over
equipment; after the outage of one node the equipment of that node does, and other equipment from its first event on
that names an order of which an event waits already. Who is not heard of for `grace_ms` is not waited for.

Only what waits is stored. How far the rules have come is asked of them; after a start everything is away, so who is
away need not be stored either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Protocol, TypeAlias

import msgspec

from bridge.floor.kept import HISTORY, Kept, Page, Placed, Span, give, in_order, is_repeated, keep, spans, unit_of
from bridge.floor.shown import Shown
from ruleset.equipment import Assets
from ruleset.sample import CutShort, Event, Fresh, Observation, Sample, Stale, Unheard

SETTLE_MS: Final = 3_000
"""Longer than a node pauses between its births and its history."""
LONGEST_MS: Final = 600_000
"""History that never ends is not waited for any longer."""
MOST_KEPT: Final = 50_000
"""The rules take some 2 s for so many at once. Eight hours of one machine that tells a change a second are 30 000."""

SITE: Final = ""
"""The group of all equipment. Others are named by their node."""
PAGE_ID: Final = "settling/"

Settled: TypeAlias = tuple[int, tuple[Observation, ...]]
"""What to give to the rules together, and the time that it is then."""


class Rules(Protocol):
    """What the settler asks of the rules that it feeds."""

    def follows(self, equipment: str, signal: str) -> bool:
        """Whether samples of this signal can change anything."""
        ...

    def known_ms(self, equipment: str) -> int:
        """Up to when samples of this equipment have changed anything, by its own clock; survives a crash."""
        ...

    def is_told(self, sample: Sample) -> bool:
        """Whether this stored sample was told before."""
        ...

    def born(self, equipment: str, at_ms: int) -> None:
        """The clock of the equipment shows this now, or it was set back."""
        ...

    def is_news(self, sample: Sample) -> bool:
        """Whether it tells another value than what is known."""
        ...

    def is_stale(self, equipment: str) -> bool:
        """Whether the equipment was told to be gone; survives a crash."""
        ...


@dataclass(slots=True, kw_only=True)
class _Group:
    """Equipment that settles together: who of it was `born`, and the `pages` (and samples in them) that wait.

    Who is gone is waited for until `granted_ms`. `joined` is equipment of other nodes that took part in the `orders`
    of which events wait.
    """

    members: set[str]
    began_ms: int
    until_ms: int
    granted_ms: int = 0
    born: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    shown: Shown = field(default_factory=Shown)
    size: int = 0


class Settler:
    """Stands before the engine. What it gives is to be fed in order, timers first, at the time beside it."""

    def __init__(
        self,
        assets: Assets,
        rules: Rules,
        *,
        settle_ms: int = SETTLE_MS,
        grace_ms: int = 30_000,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._site = assets.path
        self._all = frozenset(assets.equipment)
        self._node_of = {
            path: f"{each.group}/{each.node}" for path, each in assets.equipment.items() if each.node is not None
        }
        self._rules = rules
        self._settle_ms = settle_ms
        self._grace_ms = grace_ms
        self._most_kept = most_kept
        self._groups: dict[str, _Group] = {}
        self._pages: dict[int, Page] = {}
        self._next_page = 1
        self._gone: set[str] = set()
        self._changed: set[str] = set()

    def away(self, now_ms: int) -> None:
        """We start, or our session ended or is back: all equipment settles together from now on."""
        self._gone |= self._node_of.keys()
        self._settle_all(now_ms, now_ms + self._grace_ms)

    def stood_still(self, now_ms: int) -> None:
        """We read nothing for a while, and nobody noticed: what waits in our sessions comes at once, documents apart
        from what nodes say. It is put in order together; births are waited for only where they were before."""
        groups = self._groups.values()
        granted_ms = max((group.granted_ms for group in groups if group.members & self._gone), default=0)
        born = {equipment for group in groups for equipment in group.born}
        site, whole = self._groups.get(SITE), self._settle_all(now_ms, max(now_ms + self._settle_ms, granted_ms))
        whole.born |= born
        whole.shown = site.shown if site is not None else whole.shown

    def _settle_all(self, now_ms: int, until_ms: int) -> _Group:
        site = self._groups.get(SITE) or _Group(members=set(), began_ms=now_ms, until_ms=now_ms)
        until_ms = min(until_ms, site.began_ms + LONGEST_MS)
        whole = _Group(
            members=set(self._all),
            began_ms=site.began_ms,
            until_ms=until_ms,
            granted_ms=until_ms,
            pages=set(self._pages),
            size=sum(len(page.kept) for page in self._pages.values()),
        )
        self._groups = {SITE: whole}
        return whole

    def take(self, observations: Sequence[Observation], now_ms: int) -> tuple[Settled, ...]:
        """Take the observations of one message: given back at once where nothing settles, else kept."""
        passed: list[Observation] = []
        kept: dict[str, list[Kept]] = {}
        for each in observations:
            if not self._groups and isinstance(each, Sample):  # the hot path: 0.5 us per sample, not 2
                if self._rules.follows(each.equipment, each.signal):
                    passed.append(each)
                continue
            if self._passes(each, now_ms):
                passed.append(each)
                continue
            name = self._group_of(each.equipment)
            if name is not None and isinstance(each, Sample | Event) and not self._is_known(each):
                kept.setdefault(name, []).append(keep(each))
        settled: list[Settled] = [(now_ms, tuple(passed))] if passed else []
        for name, waiting in kept.items():
            self._put(self._groups[name], self._next_page, waiting)
            self._next_page += 1
            if self._groups[name].size > self._most_kept:
                settled += self._relieve(name, now_ms)
        return tuple(settled)

    def due(self, now_ms: int) -> tuple[Settled, ...]:
        """Give what has settled by now, in the order of its own times."""
        settled: list[Settled] = []
        for name in [name for name, group in self._groups.items() if group.until_ms <= now_ms]:
            settled += self._end(name, now_ms)
        return tuple(settled)

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do."""
        return min(group.until_ms for group in self._groups.values()) if self._groups else None

    @property
    def keeps_all(self) -> bool:
        """Whether all equipment settles: until it has, no time passes for the rules."""
        return SITE in self._groups

    def take_over(self, other: Settler) -> None:
        """Go on where another settler is, whose records were restored: what settles there settles here, as long."""
        self._gone = other._gone & self._node_of.keys()
        self._groups = deepcopy(other._groups)
        if SITE in self._groups:
            self._groups[SITE].members = set(self._all)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records."""
        return frozenset(f"{PAGE_ID}{number}" for number in self._pages)

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record; None when it is gone."""
        page = self._pages.get(int(id.removeprefix(PAGE_ID)))
        return msgspec.json.encode(page) if page is not None else None

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. `away` must follow before anything is taken."""
        number = int(id.removeprefix(PAGE_ID))
        self._pages[number] = msgspec.json.decode(snapshot, type=Page)
        self._next_page = max(self._next_page, number + 1)

    @staticmethod
    def owns(id: str) -> bool:
        """Whether a memory record is the settler's."""
        return id.startswith(PAGE_ID)

    # -- who settles

    def _passes(self, observation: Observation, now_ms: int) -> bool:
        """Whether the rules see this at once. Births and deaths are noted."""
        equipment = observation.equipment
        if (site := self._groups.get(SITE)) is not None:
            site.shown.note(self._node_of.get(equipment, equipment), observation, now_ms)
        match observation:
            case Sample():
                if not self._rules.follows(equipment, observation.signal):
                    return False
                if observation.historical:
                    self._wait_for_more(equipment, now_ms)
            case Event():
                self._join(observation)
                if observation.historical:
                    self._wait_for_more(equipment, now_ms)
            case Stale():
                self._died(equipment, now_ms)
                return True
            case Fresh():
                self._rules.born(equipment, observation.at_ms)
                self._was_born(equipment, now_ms)
            case Unheard() | CutShort():
                return True
        return self._group_of(equipment) is None

    def _group_of(self, equipment: str) -> str | None:
        if not self._groups:
            return None
        if SITE in self._groups:
            return SITE
        node = self._node_of.get(equipment)
        if node in self._groups and equipment in self._groups[node].members:
            return node
        return next((name for name, group in self._groups.items() if equipment in group.joined), None)

    def _join(self, event: Event) -> None:
        """Let the later steps of an order, on whatever equipment, wait behind the steps of it that settle."""
        order = event.fields.get("order")
        if not isinstance(order, str) or SITE in self._groups:
            return
        name = self._group_of(event.equipment)
        if name is None:
            name = next((each for each, group in self._groups.items() if order in group.orders), None)
            if name is None:
                return
            self._groups[name].joined.add(event.equipment)
        self._groups[name].orders.add(order)

    def _died(self, equipment: str, now_ms: int) -> None:
        self._gone.add(equipment)
        name = SITE if SITE in self._groups else self._node_of.get(equipment, equipment)
        group = self._groups.setdefault(name, _Group(members=set(), began_ms=now_ms, until_ms=now_ms))
        group.members.add(equipment)
        group.born.discard(equipment)
        group.granted_ms = now_ms + self._grace_ms
        group.until_ms = min(max(group.until_ms, group.granted_ms), group.began_ms + LONGEST_MS)

    def _was_born(self, equipment: str, now_ms: int) -> None:
        node = self._node_of.get(equipment)
        if equipment in self._gone and node is not None and self._group_of(equipment) is None:
            group = self._groups.setdefault(node, _Group(members=set(), began_ms=now_ms, until_ms=now_ms))
            group.members.add(equipment)
        self._gone.discard(equipment)
        if (name := self._group_of(equipment)) is not None:
            self._groups[name].born.add(equipment)
        self._wait_for_more(equipment, now_ms)

    def _wait_for_more(self, equipment: str, now_ms: int) -> None:
        """A birth or stored history came: more may follow, and other births are still waited for."""
        if (name := self._group_of(equipment)) is None:
            return
        group = self._groups[name]
        granted_ms = group.granted_ms if group.members & self._gone else 0
        group.until_ms = min(max(now_ms + self._settle_ms, granted_ms), group.began_ms + LONGEST_MS)

    def _is_known(self, each: Sample | Event) -> bool:
        """Whether it cannot tell the rules anything, or told it before and is sent again as history."""
        if isinstance(each, Event):
            return False
        return (each.historical and self._rules.is_told(each)) or not self._rules.follows(each.equipment, each.signal)

    # -- what waits

    def _put(self, group: _Group, number: int, kept: Sequence[Kept]) -> None:
        """Let a page hold these and no others."""
        before = self._pages.pop(number, None)
        group.size += len(kept) - (len(before.kept) if before is not None else 0)
        group.pages.discard(number)
        if kept:
            self._pages[number] = Page(kept=tuple(kept))
            group.pages.add(number)
        self._changed.add(f"{PAGE_ID}{number}")

    def _relieve(self, name: str, now_ms: int) -> Iterator[Settled]:
        """Too much waits: give a part, and say so at its first moment, so that no timer fires before what is given."""
        group = self._groups[name]
        text = f"{group.size} readings and events wait since an outage, the most that may"
        given = list(self._part_of(name, group, now_ms))
        began_ms = given[0][0] if given else now_ms
        yield began_ms, (CutShort(equipment=name or self._site, at_ms=now_ms, text=text),)
        yield from given

    def _part_of(self, name: str, group: _Group, now_ms: int) -> Iterator[Settled]:
        """Give the older half of the past and wait on; where that is little, end the settling."""
        pages = self._pages_of(group)
        placed = in_order(pages, self._rules.known_ms, now_ms)
        past = [(place, one) for place, one in placed if one.historical or one.id is not None]
        if len(past) < group.size / 2:
            yield from self._end(name, now_ms)
            return
        given = past[: len(past) // 2]
        gone = {(place.page, place.nth) for place, _ in given}
        for number in sorted({page for page, _ in gone}):
            kept = self._pages[number].kept
            self._put(group, number, [one for index, one in enumerate(kept) if (number, index) not in gone])
        yield from self._told(given, spans(pages, given), group)

    def _end(self, name: str, now_ms: int) -> Iterator[Settled]:
        group = self._groups.pop(name)
        pages = self._pages_of(group)
        behind = group.shown.behind_ms if name == SITE else 0
        placed = in_order(pages, self._rules.known_ms, now_ms + behind)
        for number in sorted(group.pages):
            self._put(group, number, ())
        for at_ms, observations in self._told(placed, spans(pages, placed), group):
            yield at_ms - behind, observations
        last: list[Observation] = [Fresh(equipment=each, at_ms=now_ms) for each in sorted(group.born)]
        if name == SITE:
            last += [Unheard(equipment=each, at_ms=now_ms) for each in sorted(group.members & self._gone)]
        if last:
            yield now_ms, tuple(last)

    def _told(self, placed: Sequence[Placed], heard: Mapping[str, Sequence[Span]], group: _Group) -> Iterator[Settled]:
        """The units in which the rules see it: what one message said of one moment.

        Equipment is fresh from where its session begins: until then nothing is known of it, and its timers wait. What
        it stored is all that changed: until its first stored reading, or a birth that tells nothing new, everything
        lasted, and timers of that time fire.
        What it stored is told once, whoever sends it again: of two readings of one millisecond the first would follow
        the second otherwise. After the last of one session it is stale until the next begins, or for good where it is
        gone.
        """
        begins = {span.begin for spans in heard.values() for span in spans}
        ends = {span.end for spans in heard.values() for span in spans[:-1]}
        ends |= {spans[-1].end for each, spans in heard.items() if each in self._gone and self._rules.is_stale(each)}
        told: dict[tuple[str, str], object] = {}
        stored: set[tuple[str, str, int, object]] = set()
        for (at_ms, equipment, _), units in groupby(placed, key=unit_of):
            unit = list(units)
            observations = [give(one, at_ms) for _, one in unit if not is_repeated(one, stored)]
            begin = next((place for place, _ in unit if place in begins), None)
            if begin is not None:
                fresh = Fresh(equipment=equipment, at_ms=at_ms)
                if begin.rank == HISTORY or not any(self._is_news(one, told) for _, one in unit):
                    yield at_ms, (fresh,)
                else:
                    observations.insert(0, fresh)
                if begin == heard[equipment][-1].begin:
                    group.born.discard(equipment)
            if observations:
                yield at_ms, tuple(observations)
            told |= {(equipment, one.signal): one.value for _, one in unit}
            if any(place in ends for place, _ in unit):
                yield at_ms, (Stale(equipment=equipment, at_ms=at_ms, reason="the session ended"),)

    def _is_news(self, one: Kept, told: Mapping[tuple[str, str], object]) -> bool:
        """Whether it tells another value than the rules know when all of `told` has been given to them."""
        before = told.get((one.equipment, one.signal))
        sample = give(one, one.at_ms)
        return isinstance(sample, Sample) and (self._rules.is_news(sample) if before is None else before != one.value)

    def _pages_of(self, group: _Group) -> list[tuple[int, tuple[Kept, ...]]]:
        return [(number, self._pages[number].kept) for number in sorted(group.pages)]
