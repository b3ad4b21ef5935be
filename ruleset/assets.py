"""`assets.yaml`: the equipment tree of one site. Text in, `Assets` or problems out.

An equipment's key may hold ranges, `press-{n:1..100}`: the entry is then read once per number with `{n}` replaced
in its texts and in the metric names of its type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Final
from zoneinfo import ZoneInfo

from ruleset.codes import OWN_UNITS, UNITS
from ruleset.document import Node, read_document
from ruleset.equipment import (
    AnySignal,
    Assets,
    DataSetBinding,
    DocumentBinding,
    Equipment,
    EventSignal,
    GroupBinding,
    MetricBinding,
    OrderBinding,
    ReleaseBinding,
    Role,
    Signal,
    TemplateBinding,
)
from ruleset.problem import Problems, suggest
from ruleset.shift.calendar import Shift
from ruleset.shift.read import calendar_of, read_shifts
from ruleset.signal import check_orders, is_level, metrics_of, read_signal
from ruleset.unit import measure

MOST_EQUIPMENT: Final = 20_000
"""More than any site has; a range with a zero too many must not eat the memory."""
ORDER_LEVEL: Final = "order"
"""`uns/v1/<enterprise>/<site>/order/...` belongs to order releases, so no area may be called that."""
MASTER_LEVEL: Final = "master"
"""The same for Odoo's master data."""
REQUEST_LEVELS: Final = "quality/request"
"""The same for inspections that are asked for; the area `quality` may have all other equipment."""

_RANGE: Final = re.compile(r"\{([a-z_]+):(\d+)\.\.(\d+)\}")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_SPARKPLUG_ID: Final = re.compile(r"[^/+#]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    group: str
    node: str
    device: str | None


def read_assets(
    file: str, text: str, codes: Mapping[str, Mapping[str, str]] | None, problems: Problems
) -> Assets | None:
    """Read the tree; None where anything in this file is wrong. `codes` None (unreadable) leaves units unchecked."""
    before = len(problems)
    root = read_document(file, text, problems)
    if root is None:
        return None
    if not root.is_mapping:
        root.problem("expected the equipment tree: enterprise, site, timezone, company, types, equipment")
        return None
    required = {"enterprise", "site", "timezone", "company", "types", "equipment"}
    keys = root.mapping(allowed={*required, "shifts"}, required=required)
    units = None if codes is None else codes.get(UNITS, {}).keys()
    enterprise, site = _level(keys.get("enterprise")), _level(keys.get("site"))
    timezone = _timezone(keys.get("timezone"))
    company = keys["company"].integer(at_least=1) if "company" in keys else None
    types = _read_types(keys["types"], units) if "types" in keys else {}
    path = f"{enterprise}/{site}"
    equipment = _read_all_equipment(keys["equipment"], path, types, units) if "equipment" in keys else {}
    shifts = read_shifts(keys["shifts"], {_area(each) for each in equipment}) if "shifts" in keys else ()
    if len(problems) > before or enterprise is None or site is None or timezone is None or company is None:
        return None
    return Assets(
        enterprise=enterprise,
        site=site,
        timezone=timezone,
        company=company,
        equipment={name: _with_shifts(each, shifts, timezone) for name, each in equipment.items()},
        codes=codes or {},
        measures=measure((codes or {}).get(UNITS, {}), (codes or {}).get(OWN_UNITS, {})).units,
    )


def _area(path: str) -> str:
    """The first level below the site."""
    return path.split("/")[2]


def _with_shifts(equipment: Equipment, shifts: Sequence[Shift], timezone: str) -> Equipment:
    return replace(equipment, shifts=calendar_of(shifts, timezone, _area(equipment.path))) if shifts else equipment


def _level(node: Node | None) -> str | None:
    word = node.text() if node is not None else None
    if node is not None and word is not None and not is_level(word):
        node.problem(f'"{word}" must be one path level of letters, digits, "-", "_" and "."')
        return None
    return word


def _timezone(node: Node | None) -> str | None:
    word = node.text() if node is not None else None
    if node is None or word is None:
        return None
    try:
        ZoneInfo(word)
    except (OSError, ValueError, KeyError):
        node.problem(f'unknown time zone "{word}"; write one such as Europe/Berlin')
        return None
    return word


def _read_types(node: Node, units: Collection[str] | None) -> dict[str, dict[str, AnySignal]]:
    types: dict[str, dict[str, AnySignal]] = {}
    for name, _, entry in node.entries():
        keys = entry.mapping(allowed={"signals"}, required={"signals"})
        types[name] = _read_signals(keys["signals"], units) if "signals" in keys else {}
    return types


def _read_signals(node: Node, units: Collection[str] | None) -> dict[str, AnySignal]:
    signals: dict[str, AnySignal] = {}
    single: dict[Role, str] = {}
    for name, key, entry in node.entries():
        signal = read_signal(name, key, entry, units)
        if signal is None:
            continue
        if isinstance(signal, Signal) and signal.role in (Role.STATE, Role.ORDER):
            if signal.role in single:
                key.problem(f'the role "{signal.role}" is taken by the signal "{single[signal.role]}" already')
            single.setdefault(signal.role, name)
        signals[name] = signal
    check_orders(signals, {name: entry for name, _, entry in node.entries()})
    return signals


def _read_all_equipment(
    node: Node, site_path: str, types: Mapping[str, Mapping[str, AnySignal]], units: Collection[str] | None
) -> dict[str, Equipment]:
    found: dict[str, Equipment] = {}
    lines: dict[str, int] = {}
    taken: dict[tuple[str | None, ...], str] = {}
    centers: dict[str, str] = {}
    for pattern, key, entry in node.entries():
        before = len(node.problems)
        for relative, placeholders in expand(pattern, key):
            path = f"{site_path}/{relative}"
            if len(found) >= MOST_EQUIPMENT:
                key.problem(f"more than {MOST_EQUIPMENT} equipment in one site")
            elif path in found:
                key.problem(f'equipment "{relative}" stands twice, first in line {lines[path]}')
            elif _is_path(relative, key):
                lines[path] = key.line
                equipment = _read_equipment(path, key, entry.with_placeholders(placeholders), types, units)
                if equipment is not None:
                    found[path] = equipment
                    _claim_metrics(equipment, key, taken)
                    _check_order(equipment, key, centers)
            if len(node.problems) > before:
                break  # the other ones of the range have the same problem
    return found


def expand(pattern: str, key: Node) -> Iterator[tuple[str, dict[str, str]]]:
    """Every path of a pattern with the placeholders it gives."""
    ranges: dict[str, list[str]] = {}
    for name, first, last in _RANGE.findall(pattern):
        if name in ranges:
            key.problem(f'the range "{name}" stands twice in "{pattern}"')
            return
        if int(last) < int(first):
            key.problem(f"the range {first}..{last} is empty; write the smaller number first")
            return
        numbers = islice(range(int(first), int(last) + 1), MOST_EQUIPMENT + 1)
        ranges[name] = [str(number).zfill(len(first)) for number in numbers]
    for combination in product(*ranges.values()):
        placeholders = dict(zip(ranges, combination, strict=True))
        yield _RANGE.sub(lambda match, values=placeholders: values[match[1]], pattern), placeholders  # type: ignore[misc]


def _is_path(relative: str, key: Node) -> bool:
    levels = relative.split("/")
    if "{" in relative or "}" in relative:
        key.problem(f'"{relative}" holds a range that cannot be read; write it as in press-{{n:1..100}}')
    elif not all(is_level(level) for level in levels):
        key.problem(f'every level of the path "{relative}" must be letters, digits, "-", "_" and "."')
    elif levels[0] == ORDER_LEVEL:
        key.problem(f'the level "{ORDER_LEVEL}" below the site is reserved for order releases')
    elif levels[0] == MASTER_LEVEL:
        key.problem(f'the level "{MASTER_LEVEL}" below the site is reserved for master data of Odoo')
    elif "/".join(levels[:2]) == REQUEST_LEVELS:
        key.problem(f'the levels "{REQUEST_LEVELS}" below the site are reserved for inspections that are asked for')
    elif len(levels) > 4:
        key.problem(f'the path "{relative}" has {len(levels)} levels below the site; area/line/cell/unit are the most')
    else:
        return True
    return False


def _read_equipment(
    path: str,
    key: Node,
    entry: Node,
    types: Mapping[str, Mapping[str, AnySignal]],
    units: Collection[str] | None,
) -> Equipment | None:
    allowed = {"type", "source", "work_center", "serial_number", "signals"}
    keys = entry.mapping(allowed=allowed, required={"type"})
    kind = keys["type"].text() if "type" in keys else None
    if kind is not None and kind not in types:
        keys["type"].problem(f'unknown type "{kind}"{suggest(kind, types.keys())}')
        return None
    source = _read_source(keys["source"]) if "source" in keys else None
    own = _read_signals(keys["signals"], units) if "signals" in keys else {}
    texts = {name: _filled_text(keys[name]) for name in ("work_center", "serial_number") if name in keys}
    if kind is None or ("source" in keys and source is None):
        return None
    signals = {
        name: _filled_signal(signal, entry.placeholders or {}, key) for name, signal in {**types[kind], **own}.items()
    }
    told_otherwise = DocumentBinding | OrderBinding | ReleaseBinding
    bare = [name for name, signal in signals.items() if not isinstance(signal.binding, told_otherwise)]
    if source is None and bare:
        key.problem(f'signal "{bare[0]}" comes over Sparkplug: add `source: {{group: ..., node: ..., device: ...}}`')
    return Equipment(
        path=path,
        type=kind,
        signals=signals,
        group=source.group if source else None,
        node=source.node if source else None,
        device=source.device if source else None,
        work_center=texts.get("work_center"),
        serial_number=texts.get("serial_number"),
    )


def _read_source(node: Node) -> _Source | None:
    keys = node.mapping(allowed={"group", "node", "device"}, required={"group", "node"})
    ids: dict[str, str] = {}
    for name, value in keys.items():
        word = value.text()
        if word is not None and not _SPARKPLUG_ID.fullmatch(word):
            value.problem(f'"{word}" cannot be a Sparkplug id: it must not be empty nor hold "/", "+" or "#"')
        elif word is not None:
            ids[name] = word
    if len(ids) < len(keys) or not {"group", "node"} <= ids.keys():
        return None
    return _Source(group=ids["group"], node=ids["node"], device=ids.get("device"))


def _filled_text(node: Node) -> str | None:
    word = node.text()
    if word is not None and not word.strip():
        node.problem("this must not be empty; remove the key where there is none")
        return None
    return word


def _filled_signal(signal: AnySignal, placeholders: Mapping[str, str], key: Node) -> AnySignal:
    """The signal of a type as this equipment has it: `{n}` in its metric names replaced."""

    def fill(word: str) -> str:
        unknown = [name for name in _PLACEHOLDER.findall(word) if name not in placeholders]
        if unknown:
            key.problem(f'the type\'s metric "{word}" needs a range such as {{{unknown[0]}:1..9}} in this path')
            return word
        return _PLACEHOLDER.sub(lambda match: placeholders[match[1]], word)

    match signal:
        case Signal(binding=MetricBinding(metric)):
            return replace(signal, binding=MetricBinding(fill(metric)))
        case EventSignal(binding=GroupBinding() as binding):
            return replace(signal, binding=replace(binding, group=fill(binding.group)))
        case EventSignal(binding=DataSetBinding(metric)):
            return replace(signal, binding=DataSetBinding(fill(metric)))
        case EventSignal(binding=TemplateBinding(metric)):
            return replace(signal, binding=TemplateBinding(fill(metric)))
        case Signal() | EventSignal():
            return signal


def _check_order(equipment: Equipment, key: Node, centers: dict[str, str]) -> None:
    """One signal says which order runs; and what is released to a work center, one equipment makes. `centers` are those
    whose releases some equipment follows."""
    orders = [each for each in equipment.signals.values() if isinstance(each, Signal) and each.role is Role.ORDER]
    if len(orders) > 1:
        key.problem(f"the signals {orders[0].name} and {orders[1].name} both say which order runs; leave one of them")
        return
    signal, center = equipment.order_signal, equipment.work_center
    if signal is None or not isinstance(signal.binding, ReleaseBinding):
        return
    if center is None:
        what = f'signal "{signal.name}" is the order that is released to its work center'
        key.problem(f"{what}: add `work_center: <its code in Odoo>`")
    elif center in centers:
        key.problem(
            f'the work center "{center}" is that of {centers[center]} too, and nobody knows which of them makes what '
            "is released to it; let a signal or events say which order runs"
        )
    else:
        centers[center] = equipment.path


def _claim_metrics(equipment: Equipment, key: Node, taken: dict[tuple[str | None, ...], str]) -> None:
    """One metric, one signal: find what another signal already has."""
    for signal in equipment.signals.values():
        mine = f"{equipment.path}: {signal.name}"
        wanted: list[tuple[str | None, ...]]
        if isinstance(signal.binding, DocumentBinding):
            wanted = [("document", equipment.path, None, signal.binding.name)]
        else:
            wanted = [(equipment.group, equipment.node, equipment.device, metric) for metric in metrics_of(signal)]
        for each in wanted:
            if each in taken:
                what, where = ("document", equipment.path)
                if not isinstance(signal.binding, DocumentBinding):
                    what, where = "metric", "/".join(part for part in each[:3] if part is not None)
                key.problem(f'the {what} "{each[3]}" of {where} feeds two signals: {taken[each]} and {mine}')
                return
            taken[each] = mine
