"""What enters the rule engine: samples, events and the end of what is known about an equipment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import msgspec

Plain: TypeAlias = "bool | int | float | str | None | list[Plain] | dict[str, Plain]"
"""JSON-like data, as events carry it and CEL reads it."""


class Source(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The message that something came from: its topic, and its Sparkplug `seq` or its document id."""

    topic: str
    seq: int | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One reading of one signal of one equipment.

    `value` None means that the device says it does not know. `birth` tells that it was part of a birth (a
    full state after a gap of unknown length); `historical` that it was stored while we were away and does
    not describe the present. `own_ms` is when it was by the equipment's own clock, where that is later than what its
    place among others made of it (0: it is not). A `Struct`, because ten are made per message: 0.1 us each where a
    dataclass took 2.4.
    """

    equipment: str
    signal: str
    value: bool | int | float | str | None
    at_ms: int
    source: Source
    birth: bool = False
    historical: bool = False
    own_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One occurrence with an id, however it was transported (metric group, DataSet row, JSON document)."""

    equipment: str
    signal: str
    id: str
    fields: Mapping[str, Plain]
    at_ms: int
    source: Source
    historical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """From `at_ms` on nothing is known about the signals of this equipment (its node or device is gone)."""

    equipment: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """The equipment's source was born again; its birth samples follow."""

    equipment: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """After a start, the equipment's source was not born again in the time granted: nothing waits for it any more."""

    equipment: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutShort:
    """Too much was kept to put all of an outage in its order: what comes later may have happened earlier."""

    equipment: str
    at_ms: int
    text: str


Observation: TypeAlias = Sample | Event | Stale | Fresh | Unheard | CutShort


def finite(value: bool | int | float | str | None) -> bool | int | float | str | None:
    """NaN and infinity say nothing about the plant: the value is not known."""
    return None if isinstance(value, float) and not isfinite(value) else value
