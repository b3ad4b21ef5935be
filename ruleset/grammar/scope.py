"""The names that expressions of a rule may read, by equipment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ruleset.cel import Kind, Scope
from ruleset.equipment import Assets, Equipment, EventSignal, Signal, ValueType
from ruleset.unit import Measure

_KINDS: Final = {
    ValueType.BOOLEAN: Kind.BOOLEAN,
    ValueType.INTEGER: Kind.NUMBER,
    ValueType.NUMBER: Kind.NUMBER,
    ValueType.TEXT: Kind.TEXT,
}
RESERVED: Final = frozenset({"asset", "codes", "episode", "started", "ended", "loss", "timed_out", "counted"})


@dataclass(frozen=True, slots=True)
class Names:
    """What expressions may read at one equipment, with the units and code tables to check them against."""

    scope: Scope
    units: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, Measure]


def names_at(equipment: Equipment, assets: Assets, extra: Mapping[str, Kind]) -> Names:
    """The equipment's own names, and `extra` ones that a form adds."""
    return Names(
        Scope({**equipment_kinds(equipment, assets), **extra}), units(equipment), assets.codes, assets.measures
    )


def equipment_kinds(equipment: Equipment, assets: Assets) -> dict[str, Kind]:
    """Signals of an equipment, `asset` and `codes`."""
    kinds = {each.name: _KINDS[each.type] for each in equipment.signals.values() if isinstance(each, Signal)}
    tables = {f"codes.{name}": Kind.TABLE for name in assets.codes}
    return {**kinds, **tables, "asset.name": Kind.TEXT, "asset.path": Kind.TEXT}


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
        (name, signal.fields if isinstance(signal, EventSignal) else (signal.type, signal.role, signal.unit))
        for name, signal in sorted(equipment.signals.items())
    )
    return (equipment.work_center is not None, equipment.serial_number is not None, signals)
