"""What all rules of a site follow over time, at work on its records, and when a condition is to be looked at again.

A condition that reads a window or a shift may change although nothing is said: the engine then is woken by a timer of
the record `track/<rule>/<path>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ruleset.form.memory import EndingMemory
from ruleset.form.records import Records
from ruleset.rules import Instance
from ruleset.sample import Plain, Sample
from ruleset.track.delta import Delta, DeltaMemory, Per
from ruleset.track.ending import Ending

SHIFT_NAMES: Final = ("shift.planned", "shift.name")
_NOTHING: Final[Mapping[str, Plain]] = MappingProxyType({})


class Tracking:
    """`running` is the order that runs at an equipment."""

    def __init__(self, instances: Iterable[Instance], records: Records, running: Callable[[str], str]) -> None:
        self._records = records
        self._running = running
        self._by_signal: dict[tuple[str, str], list[tuple[Instance, Delta]]] = defaultdict(list)
        for instance in instances:
            for delta in instance.deltas:
                self._by_signal[instance.equipment.path, delta.signal].append((instance, delta))

    def take(self, sample: Sample, order: str, now_ms: int) -> None:
        """A signal changed; what it counts was made for `order`."""
        for instance, delta in self._by_signal.get((sample.equipment, sample.signal), ()):
            memory = self._records.track(instance.track_id)
            period = order if delta.per is Per.ORDER else _shift(instance, now_ms)
            memory.deltas.setdefault(delta.name, DeltaMemory()).take(delta, sample, period, now_ms)
            self._records.touch(instance.track_id)

    def values(self, instance: Instance, at_ms: int, now_ms: int) -> Mapping[str, Plain]:
        """What the rule follows, as it is now, and the shift; for a rule about an ending as it was in what ended."""
        if not instance.reads_time:
            return _NOTHING
        found: dict[str, Plain] = {}
        calendar = instance.equipment.shifts
        if calendar is not None:
            shift = calendar.at(at_ms)
            found |= {"shift.planned": shift is not None, "shift.name": shift.shift if shift is not None else ""}
        path = instance.equipment.path
        for delta in instance.deltas:
            memory = self._records.track(instance.track_id).deltas.get(delta.name)
            period = self._running(path) if delta.per is Per.ORDER else _shift(instance, now_ms)
            if isinstance(instance.form, Ending) and instance.form.per is delta.per:
                ending = self._records.rule(instance.id)
                period = ending.period if isinstance(ending, EndingMemory) else ""
            value = memory.value(delta, period, now_ms) if memory is not None else None
            if value is not None:
                found[delta.name] = value
        return found

    def turned(self, instance: Instance, at_ms: int) -> dict[str, int]:
        """When the shift changed of which the conditions do not know yet, because their timer had to wait."""
        calendar = instance.equipment.shifts
        if calendar is None or not instance.reads_shift:
            return {}
        wake_ms = self._records.track(instance.track_id).wake_ms
        turn_ms = calendar.next_turn_ms(wake_ms - 1) if wake_ms is not None else None
        return dict.fromkeys(SHIFT_NAMES, turn_ms) if turn_ms is not None and turn_ms <= at_ms else {}

    def arm(self, instance: Instance, now_ms: int) -> None:
        """Set when the conditions are to be evaluated again although nothing is said."""
        if not instance.reads_time or isinstance(instance.form, Ending):
            return
        memory = self._records.track(instance.track_id)
        moments = [
            at_ms
            for delta in instance.deltas
            if (known := memory.deltas.get(delta.name)) is not None
            and (at_ms := known.next_ms(delta, now_ms)) is not None
        ]
        calendar = instance.equipment.shifts
        if calendar is not None and instance.reads_shift and (turn_ms := calendar.next_turn_ms(now_ms)) is not None:
            moments.append(turn_ms)
        wake_ms = min(moments, default=None)
        if wake_ms != memory.wake_ms:
            memory.wake_ms = wake_ms
            self._records.touch(instance.track_id)


def tracking_rule(id: str) -> str:
    """The id of the rule's own record, of which `id` may be that of what it follows over time."""
    return f"rule/{id.removeprefix('track/')}" if id.startswith("track/") else id


def _shift(instance: Instance, at_ms: int) -> str:
    """The shift that is on, as it is remembered; empty for none."""
    shift = instance.equipment.shifts.at(at_ms) if instance.equipment.shifts is not None else None
    return f"{shift.shift}@{shift.started_ms}" if shift is not None else ""
