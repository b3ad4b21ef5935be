"""The floor's units beside Odoo's: that one of the name is there, converts, and is the same amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bridge.online.named import Names
from odoo_adapter.look_first.unit import Unit
from odoo_adapter.survey.master import MasterData
from ruleset.codes import OWN_UNITS
from ruleset.document import Node
from ruleset.equipment import AnySignal, Assets, Field, Role, Signal
from ruleset.problem import suggest
from ruleset.unit import Measure, measure

_ODOO: Final[Mapping[str, str]] = {
    "Units": "1 piece",
    "Unit": "1 piece",
    "Dozens": "12 piece",
    "Hours": "1 hour",
    "Minutes": "1 minute",
    "Ton": "1 t",
}
"""What Odoo's own names mean; the others are written as everywhere."""
_SAME: Final = Fraction(1, 10_000)
"""So far an amount may be off: Odoo's own ratios have four to six digits (1 kg is 2.20462 lb)."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A unit of Odoo of which it is known what it really is: others of its kind are measured by it."""

    unit: Unit
    is_: Measure


def compare_units(names: Names, assets: Assets, odoo: MasterData) -> int:
    """Record at its node every unit that does not fit. Returns how many do."""
    by_name: dict[str, list[Unit]] = {}
    for unit in odoo.units:
        by_name.setdefault(unit.name, []).append(unit)
    anchors = _anchors(names, assets, odoo.units, by_name)
    posted = _posted_units(assets)
    fitting = 0
    for floor, node, name in names.units:
        found = by_name.get(name, [])
        if not found:
            _absent(node, name, assets.measures.get(floor), odoo.units, anchors, by_name)
        elif len({unit.kind for unit in found}) < len(found):
            node.problem(f'Odoo has more than one unit of measure "{name}" of one kind: rename one, or archive it')
        elif text := _differs(floor, assets.measures.get(floor), found, anchors, odoo.units):
            node.problem(text)
        elif floor in posted and odoo.counted_in and not any(unit.kind in odoo.counted_in for unit in found):
            node.problem(
                f'{posted[floor]} counts in "{floor}", but no bill of materials counts in a unit that "{name}" '
                'converts to; write "" where it is only measured'
            )
        else:
            fitting += 1
    return fitting


def _absent(
    node: Node,
    name: str,
    floor: Measure | None,
    units: Iterable[Unit],
    anchors: Mapping[str, _Anchor],
    by_name: Mapping[str, list[Unit]],
) -> None:
    same = _meant(floor, units, anchors)
    node.problem(
        f'Odoo has no unit of measure "{name}" (its English name)'
        + (f'; did you mean "{same.name}"?' if same else suggest(name, by_name))
    )


def _differs(
    floor: str, own: Measure | None, found: list[Unit], anchors: Mapping[str, _Anchor], units: Iterable[Unit]
) -> str:
    """What is wrong where Odoo's unit of this name is another amount than the floor's unit."""
    known = [(unit, anchors[unit.kind]) for unit in found if unit.kind in anchors]
    if own is None or len(known) < len(found) or any(_is_same(own, unit, anchor) for unit, anchor in known):
        return ""
    unit, anchor = known[0]
    meant = _meant(own, units, anchors)
    mend = f'; write "{meant.name}"' if meant else f'; mend the ratio of "{unit.name}" in Odoo'
    if own.dimension != anchor.is_.dimension or not own.size or not anchor.is_.size:
        return f'"{floor}" ({own.kind}) does not convert to Odoo\'s "{unit.name}" ({anchor.is_.kind})' + mend * bool(
            meant
        )
    here = own.size / anchor.is_.size
    return (
        f"1 {floor} would be posted as 1 {unit.name}, which in Odoo is {_shown(unit.size / anchor.unit.size)} "
        f"{anchor.unit.name} and not {_shown(Decimal(here.numerator) / here.denominator)}{mend}"
    )


def _is_same(own: Measure, unit: Unit, anchor: _Anchor) -> bool:
    if own.dimension != anchor.is_.dimension or not own.size or not anchor.is_.size:
        return False
    here, there = own.size / anchor.is_.size, Fraction(unit.size) / Fraction(anchor.unit.size)
    return abs(here - there) <= here * _SAME


def _meant(own: Measure | None, units: Iterable[Unit], anchors: Mapping[str, _Anchor]) -> Unit | None:
    """Odoo's unit that is the same amount as the floor's."""
    if own is None:
        return None
    return next((unit for unit in units if (at := anchors.get(unit.kind)) and _is_same(own, unit, at)), None)


def _anchors(
    names: Names, assets: Assets, units: Iterable[Unit], by_name: Mapping[str, list[Unit]]
) -> Mapping[str, _Anchor]:
    """By kind: the unit that Odoo measures the others of the kind by, if its name is known. Of a kind that only this
    Odoo has, the first that the plant names is believed, so that the others are compared with it."""
    own = {**_ODOO, **assets.codes.get(OWN_UNITS, {})}
    references = [unit for unit in units if unit.size == 1]
    known = measure([unit.name for unit in references], own).units
    anchors: dict[str, _Anchor] = {}
    for unit in references:
        if unit.name in known:
            anchors.setdefault(unit.kind, _Anchor(unit, known[unit.name]))
    for floor, _, name in names.units:
        for unit in by_name.get(name, []):
            if floor in assets.measures and len(by_name[name]) == 1:
                anchors.setdefault(unit.kind, _Anchor(unit, assets.measures[floor]))
    return anchors


def _shown(amount: Decimal) -> str:
    return format(round(amount, 9).normalize(), "f")


def _posted_units(assets: Assets) -> dict[str, str]:
    """The units in which the floor counts pieces and amounts, each with a signal that does."""
    found: dict[str, str] = {}
    for equipment in assets.equipment.values():
        for signal in equipment.signals.values():
            for unit in _counted(signal):
                found.setdefault(unit, f"{equipment.path}: {signal.name}")
    return found


def _counted(signal: AnySignal) -> Iterable[str]:
    if isinstance(signal, Signal):
        return [signal.unit] if signal.unit and signal.role is Role.COUNTER else []
    return _units_of(signal.fields)


def _units_of(fields: Iterable[Field]) -> Iterable[str]:
    for each in fields:
        yield from [each.unit] if each.unit else _units_of(each.items)
