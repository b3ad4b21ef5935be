"""The settler: puts what happened during an outage in its order before the rules see it. Called by the core only.

After we, or an edge node, were away, births tell the present at once, stored history follows later, and documents
that the broker kept come at the same moment. So what an equipment says while it is *settling* is kept, and given to
the rules in the order of its own times when nothing more has come for `settle_ms`, as if it had arrived then. The
rules so never see the present before the past, and need no memory of outages.

All equipment settles together after our own outage, so that the steps of an order keep their order over
equipment; after the outage of one node its own equipment does. Who is not heard of for `grace_ms` is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec

from ruleset.equipment import Assets
from ruleset.sample import Event, Fresh, Observation, Sample, Source, Stale

SETTLE_MS: Final = 3_000
"""Longer than a node pauses between its births and its history."""
LONGEST_MS: Final = 600_000
"""History that never ends is not waited for any longer."""

SITE: Final = ""
"""The group of all equipment."""

Settled: TypeAlias = tuple[int, tuple[Observation, ...]]
"""What to give to the rules together, and the time that it is then."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One observation that waits. `value` holds a sample's value or an event's fields."""

    kind: str
    equipment: str
    at_ms: int
    signal: str = ""
    id: str = ""
    value: Any = None
    topic: str = ""
    seq: int | None = None
    birth: bool = False


class _Group(msgspec.Struct, kw_only=True):
    """Equipment that settles together."""

    v: int = 1
    members: list[str]
    began_ms: int
    until_ms: int


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one message left to wait."""

    v: int = 1
    group: str
    kept: tuple[_Kept, ...]


GROUP_ID: Final = "settling/"
PAGE_ID: Final = "settling-page/"
LAST_ID: Final = "settled/"


class Settler:
    """Stands before the engine. What it gives is to be fed in order, timers first, at the time beside it."""

    def __init__(self, assets: Assets, *, settle_ms: int = SETTLE_MS, grace_ms: int = 30_000) -> None:
        self._all = tuple(assets.equipment)
        self._of_nodes = frozenset(path for path, each in assets.equipment.items() if each.node is not None)
        self._settle_ms = settle_ms
        self._grace_ms = grace_ms
        self._groups: dict[str, _Group] = {}
        self._pages: dict[int, _Page] = {}
        self._next_page = 1
        self._gone: set[str] = set()
        self._last_ms: dict[str, int] = {}
        self._changed: set[str] = set()

    def away(self, now_ms: int) -> None:
        """We start, or our session ended or is back: all equipment settles together from now on."""
        for number, page in self._pages.items():
            if page.group != SITE:
                self._pages[number] = _Page(group=SITE, kept=page.kept)
                self._changed.add(f"{PAGE_ID}{number}")
        for name in [name for name in self._groups if name != SITE]:
            self._close(name)
        self._gone |= self._of_nodes
        self._open(SITE, self._all, now_ms, self._grace_ms)

    def take(self, observations: Sequence[Observation], now_ms: int) -> tuple[Settled, ...]:
        """Take the observations of one message: given back at once where nothing settles, else kept."""
        passed: list[Observation] = []
        kept: dict[str, list[_Kept]] = {}
        for observation in observations:
            if isinstance(observation, Sample) and self._is_repeated(observation):
                continue
            name = self._settling(observation, now_ms)
            if name is None:
                passed.append(observation)
                self._note(observation)
            else:
                kept.setdefault(name, []).append(_keep(observation))
        for name, waiting in kept.items():
            self._pages[self._next_page] = _Page(group=name, kept=tuple(waiting))
            self._changed.add(f"{PAGE_ID}{self._next_page}")
            self._next_page += 1
        return ((now_ms, tuple(passed)),) if passed else ()

    def due(self, now_ms: int) -> tuple[Settled, ...]:
        """Give what has settled by now, in the order of its own times."""
        settled: list[Settled] = []
        for name in [name for name, group in self._groups.items() if group.until_ms <= now_ms]:
            settled += self._flush(name, now_ms)
        return tuple(settled)

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do."""
        return min((group.until_ms for group in self._groups.values()), default=None)

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record; None when it is gone."""
        if id.startswith(PAGE_ID):
            page = self._pages.get(int(id.removeprefix(PAGE_ID)))
            return msgspec.msgpack.encode(page) if page else None
        if id.startswith(GROUP_ID):
            group = self._groups.get(id.removeprefix(GROUP_ID))
            return msgspec.msgpack.encode(group) if group else None
        return msgspec.msgpack.encode(self._last_ms[id.removeprefix(LAST_ID)])

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Groups are left: after a start everything settles together (`away`)."""
        if id.startswith(PAGE_ID):
            number = int(id.removeprefix(PAGE_ID))
            self._pages[number] = msgspec.msgpack.decode(snapshot, type=_Page)
            self._next_page = max(self._next_page, number + 1)
        elif id.startswith(GROUP_ID):
            self._changed.add(id)
        else:
            self._last_ms[id.removeprefix(LAST_ID)] = msgspec.msgpack.decode(snapshot, type=int)

    @staticmethod
    def owns(id: str) -> bool:
        """Whether a memory record is the settler's."""
        return id.startswith((GROUP_ID, PAGE_ID, LAST_ID))

    # -- inside

    def _settling(self, observation: Observation, now_ms: int) -> str | None:
        """The group that this observation waits with; None where it may pass."""
        equipment = observation.equipment
        if isinstance(observation, Stale):
            self._gone.add(equipment)
            if self._group_of(equipment) is None:
                self._open(equipment, (equipment,), now_ms, self._grace_ms)
            return None
        name = self._group_of(equipment)
        if isinstance(observation, Fresh):
            if name is None and equipment in self._gone:
                self._open(name := equipment, (equipment,), now_ms, self._settle_ms)
            self._gone.discard(equipment)
            self._wait_for_more(name, now_ms)
        elif observation.historical:
            self._wait_for_more(name, now_ms)
        return name

    def _group_of(self, equipment: str) -> str | None:
        return SITE if SITE in self._groups else equipment if equipment in self._groups else None

    def _wait_for_more(self, name: str | None, now_ms: int) -> None:
        """A birth or stored history came: more may follow, and other births are still waited for."""
        group = self._groups.get(name) if name is not None else None
        if name is None or group is None:
            return
        still_gone = any(member in self._gone for member in group.members)
        until_ms = max(now_ms + self._settle_ms, group.began_ms + self._grace_ms if still_gone else 0)
        group.until_ms = min(until_ms, group.began_ms + LONGEST_MS)
        self._changed.add(f"{GROUP_ID}{name}")

    def _open(self, name: str, members: Iterable[str], now_ms: int, wait_ms: int) -> None:
        self._groups[name] = _Group(members=list(members), began_ms=now_ms, until_ms=now_ms + wait_ms)
        self._changed.add(f"{GROUP_ID}{name}")

    def _close(self, name: str) -> None:
        del self._groups[name]
        self._changed.add(f"{GROUP_ID}{name}")

    def _flush(self, name: str, now_ms: int) -> list[Settled]:
        self._close(name)
        numbers = [number for number, page in self._pages.items() if page.group == name]
        kept = [one for number in numbers for one in self._pages.pop(number).kept]
        self._changed.update(f"{PAGE_ID}{number}" for number in numbers)
        timed = [(self._moment_ms(one, now_ms), one) for one in kept]
        first_ms = min((at_ms for at_ms, _ in timed), default=now_ms)
        births = tuple(_give(one, at_ms) for at_ms, one in timed if one.kind == _FRESH)
        rest = sorted(((at_ms, one) for at_ms, one in timed if one.kind != _FRESH), key=itemgetter(0))
        settled: list[Settled] = [(first_ms, births)] if births else []
        for (at_ms, _, _, _), units in groupby(rest, key=lambda each: (each[0], *_message(each[1]))):
            observations = tuple(_give(one, at_ms) for _, one in units)
            for observation in observations:
                self._note(observation)
            settled.append((at_ms, observations))
        return settled

    def _moment_ms(self, one: _Kept, now_ms: int) -> int:
        """When it happened, but not before what the rules know of that equipment, and not in the future."""
        return min(max(one.at_ms, self._last_ms.get(one.equipment, 0)), now_ms)

    def _is_repeated(self, sample: Sample) -> bool:
        """Whether a stored sample was given to the rules before it was sent again as history."""
        return sample.historical and sample.at_ms <= self._last_ms.get(sample.equipment, -1)

    def _note(self, observation: Observation) -> None:
        """Remember how far an equipment's own times have come. Documents have another clock."""
        if not isinstance(observation, Sample) or observation.at_ms <= self._last_ms.get(observation.equipment, -1):
            return
        self._last_ms[observation.equipment] = observation.at_ms
        self._changed.add(f"{LAST_ID}{observation.equipment}")


_SAMPLE: Final = "sample"
_EVENT: Final = "event"
_FRESH: Final = "fresh"


def _message(one: _Kept) -> tuple[str, str, int | None]:
    """What samples of one message have in common: they are seen together."""
    return one.equipment, one.topic, one.seq


def _keep(observation: Observation) -> _Kept:
    match observation:
        case Sample():
            return _Kept(
                kind=_SAMPLE,
                equipment=observation.equipment,
                at_ms=observation.at_ms,
                signal=observation.signal,
                value=observation.value,
                topic=observation.source.topic,
                seq=observation.source.seq,
                birth=observation.birth,
            )
        case Event():
            return _Kept(
                kind=_EVENT,
                equipment=observation.equipment,
                at_ms=observation.at_ms,
                signal=observation.signal,
                id=observation.id,
                value=dict(observation.fields),
                topic=observation.source.topic,
                seq=observation.source.seq,
            )
        case Fresh() | Stale():
            return _Kept(kind=_FRESH, equipment=observation.equipment, at_ms=observation.at_ms)


def _give(one: _Kept, at_ms: int) -> Observation:
    """What was kept, as if it had arrived at that time: it is no history any more. Events keep their own."""
    source = Source(topic=one.topic, seq=one.seq)
    match one.kind:
        case "fresh":
            return Fresh(equipment=one.equipment, at_ms=at_ms)
        case "event":
            return Event(
                equipment=one.equipment, signal=one.signal, id=one.id, fields=one.value, at_ms=one.at_ms, source=source
            )
        case _:
            return Sample(
                equipment=one.equipment,
                signal=one.signal,
                value=one.value,
                at_ms=at_ms,
                source=source,
                birth=one.birth,
            )
