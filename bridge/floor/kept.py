"""What waits while equipment settles: its stored form, and its place in the order in which things happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from bridge.core.topic import UNS_PREFIX
from ruleset.sample import Event, Observation, Sample, Source

HISTORY: Final = 0
PRESENT: Final = 1
DOCUMENT: Final = 2


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sample, or an event where it has an id, that waits. `value` is the sample's value or the event's fields."""

    equipment: str
    at_ms: int
    signal: str
    id: str | None = None
    value: Any = None
    topic: str = ""
    seq: int | None = None
    birth: bool = False
    historical: bool = False

    @property
    def rank(self) -> int:
        if self.topic.startswith(UNS_PREFIX):
            return DOCUMENT
        return HISTORY if self.historical else PRESENT


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one message left to wait. A record of its own."""

    v: int = 1
    kept: tuple[Kept, ...]


class Place(NamedTuple):
    """Where something kept belongs. At one moment history comes before the present, and documents come last."""

    at_ms: int
    rank: int
    raw_ms: int
    page: int
    nth: int


class Span(NamedTuple):
    """One session of an equipment as it is told: where the rules begin to know of it, and the last that it said."""

    begin: Place
    end: Place


Placed: TypeAlias = tuple[Place, Kept]
Pages: TypeAlias = Sequence[tuple[int, tuple[Kept, ...]]]


def in_order(pages: Pages, known_ms: Callable[[str], int], now_ms: int) -> list[Placed]:
    """All that waits, in the order in which it happened; `pages` are numbered as they came.

    By its own times, but never before `known_ms` of its equipment, nor in the future. Devices may give a birth's
    metrics any old time, so a birth is the present after all that the history of its session tells of that signal;
    and what comes live keeps the order in which it came.
    """

    def moment_ms(one: Kept) -> int:
        return min(max(one.at_ms, known_ms(one.equipment)), now_ms)

    ends: dict[tuple[str, str, int], int] = {}
    for _, _, session, one in _by_session(pages):
        if one.historical and one.id is None:
            key = (one.equipment, one.signal, session)
            ends[key] = max(ends.get(key, 0), moment_ms(one))
    shown: dict[tuple[str, str], int] = {}
    live: dict[str, int] = {}
    placed: list[Placed] = []
    for page, index, session, one in _by_session(pages):
        at_ms = moment_ms(one)
        if one.id is None and not one.historical:
            signal = (one.equipment, one.signal)
            before_ms = ends.get((*signal, session), 0) if one.birth else live.get(one.equipment, 0)
            at_ms = shown[signal] = max(at_ms, before_ms, shown.get(signal, 0))
            if not one.birth:
                live[one.equipment] = at_ms
        raw_ms = one.at_ms if one.historical or one.id is not None else 0
        placed.append((Place(at_ms, one.rank, raw_ms, page, index), one))
    return sorted(_in_steps(placed), key=lambda each: each[0])


def _in_steps(placed: Iterable[Placed]) -> Iterator[Placed]:
    """The steps of each order by their own times, over all equipment: none before an earlier one that was put later,
    behind what is known of its own equipment."""
    latest: dict[str, tuple[int, int]] = {}
    for place, one in sorted(placed, key=lambda each: (each[0].raw_ms, each[0])):
        order = one.value.get("order") if one.id is not None else None
        if isinstance(order, str):
            at_ms, rank = latest[order] = max(latest.get(order, (0, 0)), (place.at_ms, place.rank))
            place = place._replace(at_ms=at_ms, rank=rank)
        yield place, one


def keep(each: Sample | Event) -> Kept:
    topic, seq = each.source.topic, each.source.seq
    if isinstance(each, Event):
        return Kept(
            equipment=each.equipment,
            at_ms=each.at_ms,
            signal=each.signal,
            id=each.id,
            value=dict(each.fields),
            topic=topic,
            seq=seq,
            historical=each.historical,
        )
    return Kept(
        equipment=each.equipment,
        at_ms=each.at_ms,
        signal=each.signal,
        value=None if isinstance(each.value, float) and not isfinite(each.value) else each.value,
        topic=topic,
        seq=seq,
        birth=each.birth,
        historical=each.historical,
    )


def give(one: Kept, at_ms: int) -> Observation:
    """What was kept, as if it had arrived at that time: it is no history any more. Events keep their own time, and what
    is put before its own, by a clock that is ahead of ours, keeps that too: what is sent again is known by it."""
    equipment, signal, source = one.equipment, one.signal, Source(topic=one.topic, seq=one.seq)
    if one.id is not None:
        return Event(equipment=equipment, signal=signal, id=one.id, fields=one.value, at_ms=one.at_ms, source=source)
    own_ms = one.at_ms if one.at_ms > at_ms else 0
    return Sample(
        equipment=equipment, signal=signal, value=one.value, at_ms=at_ms, source=source, birth=one.birth, own_ms=own_ms
    )


def is_repeated(one: Kept, stored: set[tuple[str, str, int, object]]) -> bool:
    """Whether this is a stored reading that is among `stored` already. It is from now on."""
    if not one.historical or one.id is not None:
        return False
    reading = (one.equipment, one.signal, one.at_ms, one.value)
    if reading in stored:
        return True
    stored.add(reading)
    return False


def spans(pages: Pages, placed: Iterable[Placed]) -> dict[str, list[Span]]:
    """The sessions of each equipment, in their order; `placed` is in order, and what of it was given before is missing.

    A session begins right before its first stored reading, or else when its whole birth has been told. Sessions whose
    times overlap are one, and what was said before the first birth belongs to none.
    """
    sessions = {(one.equipment, page): session for page, _, session, one in _by_session(pages)}
    begins: dict[tuple[str, int], Place] = {}
    ends: dict[tuple[str, int], Place] = {}
    for place, one in placed:
        key = (one.equipment, sessions[one.equipment, place.page])
        if key[1] == 0 or one.rank == DOCUMENT:
            continue
        ends[key] = place
        if (one.historical or one.birth) and (key not in begins or begins[key].rank != HISTORY):
            begins[key] = place
    found: dict[str, list[Span]] = {}
    for key in sorted(begins, key=lambda each: begins[each]):
        known = found.setdefault(key[0], [])
        span = Span(begins[key], ends[key])
        if known and span.begin <= known[-1].end:
            span = Span(known[-1].begin, max(known.pop().end, span.end))
        known.append(span)
    return found


def unit_of(each: Placed) -> tuple[int, str, int]:
    """What one message said of one moment of one equipment."""
    place, one = each
    return place.at_ms, one.equipment, place.page


def _by_session(pages: Pages) -> Iterator[tuple[int, int, int, Kept]]:
    """Page, index, how often the equipment was born up to that page, and what waits there."""
    births: dict[str, int] = {}
    for number, kept in pages:
        for equipment in {one.equipment for one in kept if one.birth}:
            births[equipment] = births.get(equipment, 0) + 1
        for index, one in enumerate(kept):
            yield number, index, births.get(one.equipment, 0), one
