"""What the plant folder names, compared with what Odoo has. Pure: what does not match is a problem at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from bridge.online.named import Names
from odoo_adapter.look_first.production.completion import no_hold_location
from odoo_adapter.look_first.time.loss import no_loss_reason
from odoo_adapter.look_first.unit import Unit
from odoo_adapter.survey.master import MasterData
from ruleset.document import Node
from ruleset.equipment import AnySignal, Assets, Field, Role, Signal
from ruleset.problem import suggest

MOST_NAMED: Final = 5
"""Names of one range that are told; the rest is counted."""
_ALMOST: Final = 0.8
"""So much alike are two scrap reasons of which one is likely misspelt (0 to 1, as `difflib` counts)."""


def compare_company(names: Names, company: int, companies: Mapping[int, str]) -> bool:
    """Whether the user may work in the plant's company."""
    if company in companies or names.company is None:
        return company in companies
    known = ", ".join(f"{id} ({name})" for id, name in sorted(companies.items()))
    names.company.problem(
        f"there is no company {company} in Odoo in which the user may work; it may in {known or 'none'}; nothing "
        "else was compared"
    )
    return False


def compare(names: Names, assets: Assets, odoo: MasterData, *, hold_location: str | None) -> tuple[str, ...]:
    """Record at its node whatever does not match. Returns what one may want to know, in sentences.

    `hold_location` is the name of the place that the bridge itself must find; None where the inbox knows it.
    """
    _compare_each(names.work_centers, odoo.work_centers, "work center", "the code")
    _compare_each(names.serial_numbers, odoo.serial_numbers, "maintenance equipment", "the serial number")
    _compare_units(names, assets, odoo)
    for node, loss in names.losses:
        if loss not in odoo.losses:
            node.problem(no_loss_reason(loss))
    if hold_location is not None and names.hold_location is not None:
        _compare_hold_location(names.hold_location, hold_location, odoo)
    return tuple(_scrap_reasons(names, odoo))


def _compare_each(written: Iterable[tuple[Node, tuple[str, ...]]], there: Collection[str], what: str, by: str) -> None:
    times = Counter(there)
    for node, wanted in written:
        if absent := [name for name in wanted if not times[name]]:
            node.problem(f"Odoo has no {what} with {by} {_told(absent)}{_suggested(absent, times)}")
        if several := [name for name in wanted if times[name] > 1]:
            node.problem(f"Odoo has more than one {what} with {by} {_told(several)}; each needs one of its own")


def _told(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f'"{name}"' for name in names[:MOST_NAMED]) + more


def _suggested(absent: list[str], there: Collection[str]) -> str:
    if not there:
        return "; it has none that this user sees"
    return suggest(absent[0], there) if len(absent) == 1 else ""


def _compare_units(names: Names, assets: Assets, odoo: MasterData) -> None:
    by_name: dict[str, list[Unit]] = {}
    for unit in odoo.units:
        by_name.setdefault(unit.name, []).append(unit)
    posted = _posted_units(assets)
    for floor, node, name in names.units:
        found = by_name.get(name, [])
        if not found:
            node.problem(f'Odoo has no unit of measure "{name}" (its English name){suggest(name, by_name)}')
        elif len({unit.kind for unit in found}) < len(found):
            node.problem(f'Odoo has more than one unit of measure "{name}" of one kind: rename one, or archive it')
        elif (same := by_name.get(floor)) and floor != name and (text := _differs(floor, same[0], found[0])):
            node.problem(text)
        elif floor in posted and odoo.counted_in and not any(unit.kind in odoo.counted_in for unit in found):
            node.problem(
                f'{posted[floor]} counts in "{floor}", but no bill of materials counts in a unit that "{name}" '
                'converts to; write "" where it is only measured'
            )


def _differs(floor: str, own: Unit, named: Unit) -> str:
    """What is wrong where Odoo knows the floor's unit by its own name, and another one is named for it."""
    if own.kind != named.kind:
        return f'"{floor}" is a unit of Odoo itself, which "{named.name}" does not convert to; write "{floor}"'
    if own.size != named.size:
        return f'1 {floor} would be posted as 1 {named.name}, which is another amount; write "{floor}"'
    return ""


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


def _compare_hold_location(node: Node, name: str, odoo: MasterData) -> None:
    if (times := odoo.hold_locations.count(name)) > 1:
        node.problem(f'Odoo has {times} internal locations "{name}"; write the whole name, such as WH/{name}')
    elif not times:
        node.problem(no_hold_location(name) + suggest(name, odoo.hold_locations))


def _scrap_reasons(names: Names, odoo: MasterData) -> Iterable[str]:
    """Tags are made when needed: only one that looks misspelt is worth a word."""
    there = odoo.scrap_reasons or ()
    for node, reason in names.scrap_reasons:
        close = get_close_matches(reason, there, n=1, cutoff=_ALMOST)
        if reason not in there and close:
            yield f'{node.place}: the scrap reason "{reason}" will be made in Odoo, which has "{close[0]}"'
