"""The engine's memory as records: what changed, how it is stored, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Final, TypeAlias

import msgspec

from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect, Ledger
from ruleset.form.count import Count
from ruleset.form.counter import OrderTotals
from ruleset.form.episode import Episode
from ruleset.form.memory import (
    AlarmMemory,
    CollectMemory,
    EpisodeMemory,
    EquipmentMemory,
    HeardMemory,
    RuleMemory,
    WaitMemory,
)
from ruleset.form.occurrence import Occurrence
from ruleset.form.wait import Wait
from ruleset.output import Alert
from ruleset.trace.trace import Outcome, Trace
from ruleset.track.delta import TrackMemory
from ruleset.track.ending import Ending

Form: TypeAlias = Collect | Alarm | Episode | Occurrence | Count | Wait | Ending

_encoder: Final = msgspec.json.Encoder(decimal_format="string")
VERSION: Final = 1


class _Stored(msgspec.Struct):
    """A record as it is stored: the version of its shape, and itself."""

    v: int
    record: msgspec.Raw


_stored_decoder: Final = msgspec.json.Decoder(_Stored)
_rule_decoder: Final = msgspec.json.Decoder(RuleMemory)


class Timers:
    """When which record wants to be looked at again, the earliest first; equal moments by id.

    A timer for which `waits` is true is set aside until `resume`.
    """

    __slots__ = ("_aside", "_heap", "_moments")

    def __init__(self) -> None:
        self._moments: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._aside: set[str] = set()

    def set(self, id: str, at_ms: int | None) -> None:
        """Wake this record at that moment, and at no other; None: at none."""
        if at_ms is None:
            self._moments.pop(id, None)
        elif self._moments.get(id) != at_ms or id in self._aside:
            self._moments[id] = at_ms
            heappush(self._heap, (at_ms, id))
        self._aside.discard(id)

    def take(self, now_ms: int, waits: Callable[[str], bool]) -> tuple[int, str] | None:
        """Take the earliest timer that is due and does not wait, out."""
        first_ms = self.next_ms(waits)
        if first_ms is None or first_ms > now_ms:
            return None
        at_ms, id = heappop(self._heap)
        del self._moments[id]
        return at_ms, id

    def next_ms(self, waits: Callable[[str], bool]) -> int | None:
        """When the earliest timer that does not wait is due."""
        while self._heap:
            at_ms, id = self._heap[0]
            if self._moments.get(id) == at_ms and id not in self._aside:
                if not waits(id):
                    return at_ms
                self._aside.add(id)
            heappop(self._heap)
        return None

    def resume(self) -> None:
        """Something that timers waited for may have happened: ask again."""
        for id in self._aside:
            heappush(self._heap, (self._moments[id], id))
        self._aside.clear()


class Records:
    """Every record of the engine, and which of them changed. `forms` are the rules' forms by record id.

    `timers` says when which record wants to be looked at again; `touch` keeps it true.
    """

    __slots__ = ("_changed", "_equipment", "_forms", "_heard", "_orphans", "_rules", "_tracks", "ledger", "timers")

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = forms
        self._equipment: dict[str, EquipmentMemory] = {}
        self._rules: dict[str, RuleMemory] = {}
        self._tracks: dict[str, TrackMemory] = {}
        self._heard: dict[str, HeardMemory] = {}
        self._changed: set[str] = set()
        self.timers = Timers()
        self.ledger = Ledger()
        self._orphans: dict[str, WaitMemory] = {}

    def equipment(self, path: str) -> EquipmentMemory:
        memory = self._equipment.get(path)
        if memory is None:
            memory = self._equipment[path] = EquipmentMemory()
        return memory

    def track(self, id: str) -> TrackMemory:
        """What a rule follows at an equipment."""
        return self._tracks.setdefault(id, TrackMemory())

    def rule(self, id: str) -> RuleMemory | None:
        """The working memory of a rule at an equipment; None for a form that remembers nothing."""
        memory = self._rules.get(id)
        if memory is None and (new := self._forms[id].new_memory()) is not None:
            memory = self._rules[id] = new
        return memory

    def started(self, now_ms: int) -> tuple[Alert, ...]:
        """After `restore`; alerts as `orphaned` does. An earlier process may have begun to wait while its clock stood
        hours ahead, and what waits would be due hours late: it waits no longer than if it began now."""
        for id, memory in self._rules.items():
            form, before = self._forms[id], self.snapshot(id)
            match form:
                case Alarm() if isinstance(memory, AlarmMemory):
                    form.hasten(memory, now_ms)
                case Episode() if isinstance(memory, EpisodeMemory):
                    form.hasten(memory, now_ms)
                case Collect() if isinstance(memory, CollectMemory):
                    form.hasten(memory, now_ms)
                case Wait() if isinstance(memory, WaitMemory):
                    form.hasten(memory, now_ms)
            if self.snapshot(id) != before:
                self.touch(id)
        return self.orphaned(now_ms)

    def orphaned(self, now_ms: int) -> tuple[Alert, ...]:
        """About each rule that is gone although events wait in it."""
        alerts: list[Alert] = []
        for id, memory in sorted(self._orphans.items()):
            _, rule, path = id.split("/", 2)
            text = (
                f"rule {rule} is gone, or has another form, and {', '.join(memory.waiting)} wait in it; bring it back"
            )
            trace = Trace(
                rule=rule,
                version="",
                form="wait",
                equipment=path,
                outcome=Outcome.ALERTED,
                at_ms=now_ms,
                decided_ms=now_ms,
                key=f"{path}:alert:{rule}:{now_ms}",
                reason=text,
            )
            alerts.append(Alert(rule=rule, equipment=path, text=text, at_ms=now_ms, trace=trace))
        return tuple(alerts)

    def heard(self, rule: str) -> HeardMemory:
        return self._heard.setdefault(rule, HeardMemory())

    def touch(self, id: str) -> None:
        """Note that a record changed, and when it wants to be looked at again."""
        self._changed.add(id)
        self._arm(id)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records."""
        heard = (heard_id(rule) for rule in self._heard)
        equipment = (equipment_id(path) for path in self._equipment)
        return frozenset((*equipment, *heard, *self._rules, *self._tracks, *self._orphans, *self.ledger.ids))

    def take_changed(self) -> frozenset[str]:
        changed = frozenset(self._changed | self.ledger.changed)
        self._changed.clear()
        self.ledger.changed.clear()
        return changed

    def _arm(self, id: str) -> None:
        self.timers.set(id, self._wanted_ms(id))

    def _wanted_ms(self, id: str) -> int | None:
        if id.startswith("total/"):
            totals = self.ledger.get(id)
            return totals.forget_ms if totals is not None else None
        if id.startswith("track/"):
            return self._tracks[id].wake_ms
        memory, form = self._rules.get(id), self._forms.get(id)
        if memory is None or form is None:
            return None
        if isinstance(form, Wait) and isinstance(memory, WaitMemory):
            return form.next_due_ms(memory)
        due_ms = getattr(memory, "due_ms", None)
        return due_ms if isinstance(due_ms, int) else None

    def snapshot(self, id: str) -> bytes | None:
        kind, _, name = id.partition("/")
        record: msgspec.Struct | None
        empty: msgspec.Struct | None = None
        if kind == "equipment":
            record, empty = self._equipment.get(name), EquipmentMemory()
        elif kind == "total":
            record = self.ledger.get(id)
        elif kind == "track":
            record, empty = self._tracks.get(id), TrackMemory()
        elif kind == "heard":
            record, empty = self._heard.get(name), HeardMemory()
        else:
            record, form = self._rules.get(id, self._orphans.get(id)), self._forms.get(id)
            empty = form.new_memory() if form is not None else None
        return None if record is None or record == empty else _encoder.encode({"v": VERSION, "record": record})

    def restore(self, id: str, snapshot: bytes) -> None:
        """Raises `msgspec.ValidationError` for what is no record of this kind.

        The memory of a rule that is gone is dropped; where events wait in it, it stays stored: see `orphaned`.
        """
        kind, _, name = id.partition("/")
        body = _stored_decoder.decode(snapshot).record
        if kind == "equipment":
            self._equipment[name] = msgspec.json.decode(body, type=EquipmentMemory)
        elif kind == "total":
            self.ledger.put(msgspec.json.decode(body, type=OrderTotals))
        elif kind == "track":
            if f"rule/{name}" not in self._forms:
                self._changed.add(id)
                return
            self._tracks[id] = msgspec.json.decode(body, type=TrackMemory)
        elif kind == "heard":
            self._heard[name] = msgspec.json.decode(body, type=HeardMemory)
        else:
            memory, form = _rule_decoder.decode(body), self._forms.get(id)
            wanted = form.new_memory() if form is not None else None
            if wanted is None or type(wanted) is not type(memory):
                if isinstance(memory, WaitMemory) and memory.waiting:
                    self._orphans[id] = memory
                else:
                    self._changed.add(id)
            else:
                self._rules[id] = memory
        self._arm(id)


def equipment_id(path: str) -> str:
    return f"equipment/{path}"


def rule_id(rule: str, path: str) -> str:
    return f"rule/{rule}/{path}"


def heard_id(rule: str) -> str:
    return f"heard/{rule}"
