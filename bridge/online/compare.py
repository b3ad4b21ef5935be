"""What the plant folder names, compared with what Odoo has. Pure: what does not match is a problem at its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from bridge.online.named import Names
from bridge.online.unit import compare_units
from odoo_adapter.look_first.production.completion import no_hold_location
from odoo_adapter.look_first.time.loss import no_loss_reason
from odoo_adapter.survey.master import MasterData, Named
from ruleset.document import Node
from ruleset.equipment import Assets
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


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of master data: how many names of it the folder holds, and how many of them fit."""

    kind: str
    named: int
    fitting: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All kinds, and what one may want to know, in sentences."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]


NOTHING: Final = Comparison((), ())


def compare(names: Names, assets: Assets, odoo: MasterData, *, hold_location: str | None) -> Comparison:
    """Record at its node whatever does not match.

    `hold_location` is the name of the place that the bridge itself must find; None where the inbox knows it.
    """
    centers = {one.serial_number: one.work_center for one in assets.equipment.values() if one.serial_number}
    equipment = _Kind("maintenance equipment", "the serial number", odoo.serial_numbers, centers)
    lines = [
        _compare_each(names.work_centers, _Kind("work center", "the code", odoo.work_centers), odoo),
        _compare_each(names.serial_numbers, equipment, odoo),
        _compare_each(names.products, _Kind("product", "the internal reference", odoo.products), odoo),
        Line("unit", len(names.units), compare_units(names, assets, odoo)),
        _compare_losses(names, odoo),
        Line("scrap reason", len(names.scrap_reasons), len(names.scrap_reasons)),
    ]
    if hold_location is not None and names.hold_location is not None:
        lines.append(Line("hold location", 1, _compare_hold_location(names.hold_location, hold_location, odoo)))
    return Comparison(tuple(line for line in lines if line.named), tuple(_scrap_reasons(names, odoo)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of record: how it is called, what the folder knows it by, and those that Odoo has."""

    what: str
    by: str
    there: tuple[Named, ...]
    work_centers: Mapping[str, str | None] = field(default_factory=dict)
    """Where the folder has them, by name."""


def _compare_each(written: Iterable[tuple[Node, tuple[str, ...]]], kind: _Kind, odoo: MasterData) -> Line:
    """Compare the names with the records of one kind. All names of a range with one fault are one problem."""
    found: dict[str, list[Named]] = {}
    for one in kind.there:
        found.setdefault(one.name, []).append(one)
    named = wrong = 0
    for node, wanted in written:
        faults: dict[tuple[str, str], list[str]] = {}
        for name in wanted:
            if fault := _fault(kind, found.get(name, []), kind.work_centers.get(name), odoo):
                faults.setdefault(fault, []).append(name)
        for (before, after), names in faults.items():
            node.problem(f"{before} {_told(names)}{after or _suggested(names, _usable_names(found, odoo))}")
        named, wrong = named + len(wanted), wrong + sum(map(len, faults.values()))
    return Line(kind.what, named, named - wrong)


def _fault(kind: _Kind, found: list[Named], work_center: str | None, odoo: MasterData) -> tuple[str, str] | None:
    """What is wrong with the records of a name: the sentence before the name and the one behind it."""
    usable = [one for one in found if _is_usable(one, odoo)]
    record = f"{kind.what} with {kind.by}"
    if not found:
        return f"Odoo has no {record}", ""
    if not usable:
        return f"in Odoo the {record}", _why(found[0], odoo)
    if len(usable) > 1:
        return f"Odoo has more than one {record}", "; each needs one of its own"
    there = usable[0].work_center
    if there is None or work_center is None or there == work_center:
        return None
    return f"in Odoo the {record}", f' belongs to the work center "{there}", and here to "{work_center}"'


def _is_usable(one: Named, odoo: MasterData) -> bool:
    return one.is_active and one.company in (None, odoo.company)


def _usable_names(found: Mapping[str, list[Named]], odoo: MasterData) -> list[str]:
    return [name for name, ones in found.items() if any(_is_usable(one, odoo) for one in ones)]


def _why(one: Named, odoo: MasterData) -> str:
    """Why a record of the right name is of no use."""
    if one.company not in (None, odoo.company):
        return f" is of the company {one.company} ({odoo.companies.get(one.company or 0, '?')}), not of {odoo.company}"
    return " is archived: take it out of the archive, or name another"


def _told(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f'"{name}"' for name in names[:MOST_NAMED]) + more


def _suggested(absent: list[str], there: Collection[str]) -> str:
    if not there:
        return "; it has none that this user sees"
    return suggest(absent[0], there) if len(absent) == 1 else ""


def _compare_losses(names: Names, odoo: MasterData) -> Line:
    """The reasons of the categories that every Odoo has, and the plant's own by their names."""
    absent = [(node, loss) for node, loss in names.losses if loss not in odoo.losses]
    for node, loss in absent:
        node.problem(no_loss_reason(loss))
    unclear = [(node, name) for node, name in names.loss_names if odoo.loss_names.count(name) != 1]
    for node, name in unclear:
        if times := odoo.loss_names.count(name):
            node.problem(f'{times} loss reasons of Odoo are called "{name}": rename one')
        else:
            node.problem(f'there is no loss reason "{name}" in Odoo{suggest(name, odoo.loss_names)}')
    every = len(names.losses) + len(names.loss_names)
    return Line("loss reason", every, every - len(absent) - len(unclear))


def _compare_hold_location(node: Node, name: str, odoo: MasterData) -> int:
    if (times := odoo.hold_locations.count(name)) > 1:
        node.problem(f'Odoo has {times} internal locations "{name}"; write the whole name, such as WH/{name}')
    elif not times:
        node.problem(no_hold_location(name) + suggest(name, odoo.hold_locations))
    return 1 if times == 1 else 0


def _scrap_reasons(names: Names, odoo: MasterData) -> Iterable[str]:
    """Tags are made when needed: only one that looks misspelt is worth a word."""
    there = odoo.scrap_reasons or ()
    for node, reason in names.scrap_reasons:
        close = get_close_matches(reason, there, n=1, cutoff=_ALMOST)
        if reason not in there and close:
            yield f'{node.place}: the scrap reason "{reason}" will be made in Odoo, which has "{close[0]}"'
