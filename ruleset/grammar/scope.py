"""The names that expressions of a rule may read, by equipment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ruleset.cel import Kind, Scope
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, EventSignal, Signal, ValueType
from ruleset.unit import Measure

_KINDS: Final = {
    ValueType.BOOLEAN: Kind.BOOLEAN,
    ValueType.INTEGER: Kind.NUMBER,
    ValueType.NUMBER: Kind.NUMBER,
    ValueType.TEXT: Kind.TEXT,
}
RESERVED: Final = frozenset({"asset", "codes", "episode", "started", "ended", "loss", "timed_out", "counted", "shift"})


@dataclass(frozen=True, slots=True)
class Names:
    """What expressions may read at one equipment, with the units and code tables to check them against."""

    scope: Scope
    units: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, Measure]


def names_at(keys: Mapping[str, Node], equipment: Equipment, assets: Assets, extra: Mapping[str, Kind]) -> Names:
    """The equipment's own names, what the rule tracks, and `extra` ones that its form adds."""
    tracked = keys["track"].mapping() if "track" in keys and keys["track"].is_mapping else {}
    own = units(equipment)
    deltas = {name: str(node.mapping()["delta"].text()) for name, node in tracked.items() if _is_delta(node)}
    followed = {name: own[signal] for name, signal in deltas.items() if signal in own}
    kinds = {**equipment_kinds(equipment, assets), **dict.fromkeys(tracked, Kind.NUMBER), **extra}
    return Names(Scope(kinds), {**own, **followed}, assets.codes, assets.measures)


def _is_delta(node: Node) -> bool:
    return node.is_mapping and "delta" in node.mapping() and node.mapping()["delta"].is_text


def equipment_kinds(equipment: Equipment, assets: Assets) -> dict[str, Kind]:
    """Signals of an equipment, `asset`, `codes`, and `shift` where it has some."""
    kinds = {each.name: _KINDS[each.type] for each in equipment.signals.values() if isinstance(each, Signal)}
    tables = {f"codes.{name}": Kind.TABLE for name in assets.codes}
    shift = {"shift.name": Kind.TEXT, "shift.planned": Kind.BOOLEAN} if equipment.shifts is not None else {}
    return {**kinds, **tables, **shift, "asset.name": Kind.TEXT, "asset.path": Kind.TEXT}


def event_kinds(signal: EventSignal) -> dict[str, Kind]:
    """The fields of an event under dotted names."""
    fields = {f"{signal.name}.{each.name}": _KINDS[each.type] if each.type else Kind.LIST for each in signal.fields}
    return {f"{signal.name}.id": Kind.TEXT, **fields}


def units(equipment: Equipment) -> dict[str, str]:
    """The unit of every signal and event field that has one."""
    found: dict[str, str] = {}
    for signal in equipment.signals.values():
        if isinstance(signal, EventSignal):
            found |= {f"{signal.name}.{each.name}": each.unit for each in signal.fields if each.unit is not None}
        elif signal.unit is not None:
            found[signal.name] = signal.unit
    return found


def text_signals(equipment: Equipment) -> dict[str, Kind]:
    """`episode.<signal>` for every text signal of the equipment."""
    signals = (each for each in equipment.signals.values() if isinstance(each, Signal))
    return {f"episode.{each.name}": Kind.TEXT for each in signals if each.type is ValueType.TEXT}


def signature(equipment: Equipment) -> tuple[object, ...]:
    """Equal for equipment whose rules compile to the same forms."""
    signals = tuple(
        (
            name,
            signal.fields
            if isinstance(signal, EventSignal)
            else (signal.type, signal.role, signal.unit, signal.rollover),
        )
        for name, signal in sorted(equipment.signals.items())
    )
    has = (equipment.work_center, equipment.serial_number, equipment.shifts)
    return (*(each is not None for each in has), signals)
