"""What the floor does in a test, read: series, events, and what happens to edge nodes and to the bridge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ruleset.document import Node
from ruleset.equipment import RUNS, Assets, Equipment, EventSignal, Field, ReleaseBinding, Signal, ValueType
from ruleset.problem import suggest
from ruleset.sample import Plain
from ruleset.testing.case import Act, Bear, Close, Happened, Lose, Restart, Said, Value
from ruleset.testing.moment import parse_offset, read_offset
from ruleset.testing.series import changes, read_series

_ACTS: Final = ("restart", "stale", "birth", "history", "order_closed")
_ENTRY: Final = ("at", "told", "asset")


@dataclass(slots=True)
class Floor:
    """What was read. `equipment` takes part in the test; `last_ms` is when the last of it happens."""

    assets: Assets
    equipment: dict[str, Equipment] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    last_ms: int = 0

    def find(self, node: Node) -> Equipment | None:
        """The equipment that a text names, with or without enterprise and site; it then takes part."""
        name = node.text()
        if name is None:
            return None
        site = self.assets.path
        found = self.assets.equipment.get(name) or self.assets.equipment.get(f"{site}/{name}")
        if found is None:
            known = [path.removeprefix(f"{site}/") for path in self.assets.equipment]
            node.problem(f'there is no equipment "{name}"{suggest(name.removeprefix(f"{site}/"), known)}')
            return None
        self.equipment[found.path] = found
        return found

    def names(self) -> dict[str, str]:
        """Both names of everything that takes part, each with the short one."""
        short = {path: path.removeprefix(f"{self.assets.path}/") for path in self.equipment}
        return {**short, **{name: name for name in short.values()}}

    def says(self, equipment: Equipment, at_ms: int, told_ms: int, values: dict[str, Value]) -> None:
        """It says these values; which released order runs there, the bridge learns from Odoo."""
        signal, path = equipment.order_signal, equipment.path
        if signal is not None and signal.name in values and isinstance(signal.binding, ReleaseBinding):
            order = str(values.pop(signal.name) or "")
            self.happened.append(
                Happened(
                    equipment=path, at_ms=told_ms, told_ms=told_ms, signal=signal.name, id=order, fields={RUNS: order}
                )
            )
        if values:
            self.said.append(Said(equipment=path, at_ms=at_ms, told_ms=told_ms, values=values))

    def until(self, at_ms: int) -> None:
        self.last_ms = max(self.last_ms, at_ms)


def read_floor(keys: Mapping[str, Node], assets: Assets) -> Floor:
    """Read `asset`, `every`, `given`, `events` and `at` of a test."""
    floor = Floor(assets)
    own = floor.find(keys["asset"]) if "asset" in keys else None
    if "given" in keys:
        _read_given(keys, own, floor)
    for number, node in enumerate(keys["events"].items() if "events" in keys else (), start=1):
        _read_entry(node, number, own, floor, single="asset" in keys)
    for text, key, node in keys["at"].entries() if "at" in keys else ():
        at_ms = parse_offset(text)
        if at_ms is None:
            key.problem(f'"{text}" is no time since the beginning of the test, such as 4m, 1h30m or 0s')
            continue
        for each in node.items() if node.is_sequence else [node]:
            _read_act(each, at_ms, floor)
    return floor


def _read_given(keys: Mapping[str, Node], own: Equipment | None, floor: Floor) -> None:
    """Series of the test's equipment, or by equipment where the test names no `asset`."""
    given = keys["given"]
    every_ms = keys["every"].duration(at_least_ms=1) if "every" in keys else None
    if "every" not in keys:
        given.problem("series need `every`, the time between two values, such as `every: 10s`")
    if "asset" in keys:
        series = [(own, given)] if own is not None else []
    else:
        series = [(each, node) for _, key, node in given.entries() if (each := floor.find(key)) is not None]
    for equipment, node in series:
        _read_all_series(node, equipment, every_ms or 1, floor)


def _read_all_series(node: Node, equipment: Equipment, every_ms: int, floor: Floor) -> None:
    at: dict[int, dict[str, Value]] = defaultdict(dict)
    for name, key, value in node.entries():
        signal = equipment.signals.get(name)
        if not isinstance(signal, Signal):
            signals = [each for each, one in equipment.signals.items() if isinstance(one, Signal)]
            what = (
                "is an event; events stand under `events`" if signal else f"is no signal here{suggest(name, signals)}"
            )
            key.problem(f'"{name}" {what}')
            continue
        ticks = read_series(value, signal) or ()
        floor.until((len(ticks) - 1) * every_ms)
        for number, each in changes(ticks):
            at[number * every_ms][name] = each
    for at_ms, values in at.items():
        floor.says(equipment, at_ms, at_ms, values)


def _read_entry(node: Node, number: int, own: Equipment | None, floor: Floor, *, single: bool) -> None:
    """One entry of `events`: an event with its fields, or values of signals."""
    entries = node.mapping(required={"at"} if single else {"at", "asset"})
    equipment = floor.find(entries["asset"]) if "asset" in entries else own
    at_ms = read_offset(entries["at"]) if "at" in entries else None
    told_ms = read_offset(entries["told"]) if "told" in entries else at_ms
    if equipment is None or at_ms is None or told_ms is None:
        return
    if told_ms < at_ms:
        entries["told"].problem("it cannot be told before it happens")
    floor.until(told_ms)
    values: dict[str, Value] = {}
    told = [(name, key, value) for name, key, value in node.entries() if name not in _ENTRY]
    for name, key, value in told:
        match equipment.signals.get(name):
            case Signal() as signal:
                values[name] = None if value.is_null else _read_value(value, signal.type)
            case EventSignal() as event if len(told) == 1:
                happened = _read_event(value, event, equipment, number, at_ms, told_ms)
                floor.happened += [happened] if happened is not None else []
            case EventSignal():
                key.problem(f'the event "{name}" is an entry of its own')
            case None:
                key.problem(f'"{name}" is neither an event nor a signal here{suggest(name, equipment.signals)}')
    if not told:
        node.problem("this entry names no event and no signal")
    floor.says(equipment, at_ms, told_ms, values)


def _read_event(
    node: Node, signal: EventSignal, equipment: Equipment, number: int, at_ms: int, told_ms: int
) -> Happened | None:
    entries = node.mapping(allowed={"id", *(each.name for each in signal.fields)})
    given = entries.pop("id", None)
    id = given.scalar() if given is not None else f"{signal.name}-{number}"
    if id is None or not node.is_mapping:
        return None
    fields = _read_fields(node, entries, signal.fields)
    return Happened(equipment=equipment.path, at_ms=at_ms, told_ms=told_ms, signal=signal.name, id=id, fields=fields)


def _read_fields(node: Node, entries: Mapping[str, Node], fields: tuple[Field, ...]) -> dict[str, Plain]:
    """Strict, as the bridge is: an event that is not as assets.yaml says never comes to a rule."""
    values: dict[str, Plain] = {}
    for each in fields:
        value = entries.get(each.name)
        if value is None or value.is_null:
            values[each.name] = None
            if not each.optional:
                (value or node).problem(f'field "{each.name}" is missing, and without it no rule sees the event')
        elif each.type is None:
            members = {item.name for item in each.items}
            values[each.name] = [
                _read_fields(member, member.mapping(allowed=members), each.items) for member in value.items()
            ]
        else:
            values[each.name] = _read_value(value, each.type)
    return values


def _read_value(node: Node, kind: ValueType) -> Value:
    match kind:
        case ValueType.BOOLEAN:
            return node.boolean()
        case ValueType.INTEGER:
            return node.integer()
        case ValueType.NUMBER:
            return node.number()
        case ValueType.TEXT:
            return node.text()


def _read_act(node: Node, at_ms: int, floor: Floor) -> None:
    """`restart`, or with what it is about: `restart: 90s`, `stale: packaging/line-1`, `order_closed: mo-42`."""
    floor.until(at_ms)
    if node.is_mapping:
        entries = node.mapping(allowed=_ACTS)
        if len(entries) > 1:
            node.problem("several at one moment stand in a list: [{stale: ...}, restart]")
        for word, about in entries.items():
            floor.acts += _acts(word, about, at_ms, floor)
    elif (alone := node.choice(_ACTS)) == "order_closed":
        node.problem("say which order: {order_closed: mo-42}")
    elif alone is not None:
        floor.acts += _acts(alone, None, at_ms, floor, node)


def _acts(word: str, about: Node | None, at_ms: int, floor: Floor, node: Node | None = None) -> Iterator[Act]:
    match word:
        case "restart":
            away_ms = about.duration() if about is not None else 0
            if away_ms is not None:
                floor.until(at_ms + away_ms)
                yield Act(at_ms, Restart(away_ms))
        case "order_closed":
            if about is not None and (order := about.text()) is not None:
                yield Act(at_ms, Close(order))
        case _:
            equipment = _sources(about, floor, node)
            if equipment:
                yield Act(at_ms, Lose(equipment) if word == "stale" else Bear(equipment, stored=word == "history"))


def _sources(about: Node | None, floor: Floor, node: Node | None) -> tuple[str, ...]:
    """The equipment that an act names, else all of the test that comes from edge nodes."""
    if about is None:
        found = tuple(path for path, each in floor.equipment.items() if each.node is not None)
        if not found and node is not None:
            node.problem("no equipment of this test comes from an edge node")
        return found
    paths: list[str] = []
    for each in about.items() if about.is_sequence else [about]:
        equipment = floor.find(each)
        if equipment is not None and equipment.node is None:
            each.problem(f"{equipment.name} comes from no edge node: it has no births and is never stale")
        elif equipment is not None:
            paths.append(equipment.path)
    return tuple(paths)
