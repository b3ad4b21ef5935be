"""The engine's memory as records: what changed, how it is stored, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect, Ledger
from ruleset.form.count import Count
from ruleset.form.counter import OrderTotals
from ruleset.form.episode import Episode
from ruleset.form.memory import EquipmentMemory, HeardMemory, RuleMemory, WaitMemory
from ruleset.form.occurrence import Occurrence
from ruleset.form.wait import Wait

Form: TypeAlias = Collect | Alarm | Episode | Occurrence | Count | Wait

_encoder: Final = msgspec.json.Encoder(decimal_format="string")
VERSION: Final = 1


class _Stored(msgspec.Struct):
    """A record as it is stored: the version of its shape, and itself."""

    v: int
    record: msgspec.Raw


_stored_decoder: Final = msgspec.json.Decoder(_Stored)
_rule_decoder: Final = msgspec.json.Decoder(RuleMemory)


class Records:
    """Every record of the engine, and which of them changed. `forms` are the rules' forms by record id.

    `timers` says when which record wants to be looked at again; `touch` keeps it true.
    """

    __slots__ = ("_changed", "_equipment", "_forms", "_heard", "_rules", "ledger", "timers")

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = forms
        self._equipment: dict[str, EquipmentMemory] = {}
        self._rules: dict[str, RuleMemory] = {}
        self._heard: dict[str, HeardMemory] = {}
        self._changed: set[str] = set()
        self.timers: dict[str, int] = {}
        self.ledger = Ledger()

    def equipment(self, path: str) -> EquipmentMemory:
        memory = self._equipment.get(path)
        if memory is None:
            memory = self._equipment[path] = EquipmentMemory()
        return memory

    def rule(self, id: str) -> RuleMemory | None:
        """The working memory of a rule at an equipment; None for a form that remembers nothing."""
        memory = self._rules.get(id)
        if memory is None and not isinstance(form := self._forms[id], Occurrence):
            memory = self._rules[id] = form.new_memory()
        return memory

    def heard(self, rule: str) -> HeardMemory:
        return self._heard.setdefault(rule, HeardMemory())

    def touch(self, id: str) -> None:
        """Note that a record changed, and when it wants to be looked at again."""
        self._changed.add(id)
        self._arm(id)

    def take_changed(self) -> frozenset[str]:
        changed = frozenset(self._changed | self.ledger.changed)
        self._changed.clear()
        self.ledger.changed.clear()
        return changed

    def _arm(self, id: str) -> None:
        due_ms = self._wanted_ms(id)
        if due_ms is None:
            self.timers.pop(id, None)
        else:
            self.timers[id] = due_ms

    def _wanted_ms(self, id: str) -> int | None:
        if id.startswith("total/"):
            totals = self.ledger.get(id)
            return totals.forget_ms if totals is not None else None
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
        elif kind == "heard":
            record, empty = self._heard.get(name), HeardMemory()
        else:
            record, form = self._rules.get(id), self._forms.get(id)
            empty = form.new_memory() if form is not None and not isinstance(form, Occurrence) else None
        return None if record is None or record == empty else _encoder.encode({"v": VERSION, "record": record})

    def restore(self, id: str, snapshot: bytes) -> None:
        """Raises `msgspec.ValidationError` for what is no record of this kind."""
        kind, _, name = id.partition("/")
        body = _stored_decoder.decode(snapshot).record
        if kind == "equipment":
            self._equipment[name] = msgspec.json.decode(body, type=EquipmentMemory)
        elif kind == "total":
            self.ledger.put(msgspec.json.decode(body, type=OrderTotals))
        elif kind == "heard":
            self._heard[name] = msgspec.json.decode(body, type=HeardMemory)
        else:
            memory, form = _rule_decoder.decode(body), self._forms.get(id)
            if form is None or isinstance(form, Occurrence) or type(form.new_memory()) is not type(memory):
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
