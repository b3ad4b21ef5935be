"""Which equipment a rule is for: its pattern, and the signals that the rule names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, EventSignal
from ruleset.grammar.expression import references_of
from ruleset.grammar.scope import RESERVED
from ruleset.problem import suggest

EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a rule reads of an equipment: these signals, its event, the running order, and the shift. `per_order`: it
    adds up for each order."""

    signals: frozenset[str]
    event: str | None
    order: bool
    per_order: bool
    shift: bool


def matching(node: Node, assets: Assets) -> list[Equipment]:
    """The equipment that a pattern selects: `*` is all of them, else it stands for one level or its part."""
    pattern = node.text()
    if pattern is None:
        return []
    if pattern == EVERYTHING:
        return list(assets.equipment.values())
    expression = re.compile("/".join(re.escape(level).replace(r"\*", "[^/]*") for level in pattern.split("/")))
    relative = {path.removeprefix(assets.path + "/"): each for path, each in assets.equipment.items()}
    found = [each for path, each in relative.items() if expression.fullmatch(path)]
    if not found:
        known = sorted({*relative, *(path.rsplit("/", 1)[0] + "/*" for path in relative)})
        node.problem(f'no equipment matches "{pattern}"{suggest(pattern, known)}')
    return found


def select(node: Node, assets: Assets, wanted: Wanted) -> list[Equipment]:
    """Of what the pattern selects, the equipment that has all that the rule names.

    With the pattern `*` others are left out silently; a narrower one promises that each of them fits.
    """
    candidates = matching(node, assets)
    known = {name for each in assets.equipment.values() for name in each.signals}
    names = sorted((wanted.signals | ({wanted.event} if wanted.event else set())) & known)
    lacking = {each.path: _lacking(each, names, order=wanted.order) for each in candidates}
    chosen = [each for each in candidates if not lacking[each.path]]
    if node.text() == EVERYTHING:
        if not chosen and candidates:
            what = [f'"{name}"' for name in names] + (["a signal with the role order"] if wanted.order else [])
            node.problem(f"this rule can never apply: no equipment has {_joined(what)}")
        return chosen
    for each in candidates:
        if lacking[each.path]:
            relative = each.path.removeprefix(assets.path + "/")
            node.problem(f"{relative} is selected here and has no {_joined(lacking[each.path])}")
    return chosen


def check_event(node: Node, assets: Assets, name: str) -> bool:
    """Whether some equipment of the site has this event signal; a problem where none has."""
    found = [each.signals[name] for each in assets.equipment.values() if name in each.signals]
    if any(isinstance(each, EventSignal) for each in found):
        return True
    events = {
        each.name for one in assets.equipment.values() for each in one.signals.values() if isinstance(each, EventSignal)
    }
    if found:
        node.problem(f'"{name}" is a value, not an event{suggest(name, events)}')
    else:
        node.problem(f'unknown event "{name}"{suggest(name, events)}')
    return False


def events_exist(keys: Mapping[str, Node], assets: Assets) -> bool:
    found = True
    if "event" in keys:
        name = keys["event"].text()
        found = name is not None and check_event(keys["event"], assets, name)
    wait = keys.get("wait")
    awaited = wait.mapping().get("for") if wait is not None and wait.is_mapping else None
    if awaited is not None:
        name = awaited.text()
        found = name is not None and check_event(awaited, assets, name) and found
    return found


def wanted_by(keys: Mapping[str, Node]) -> Wanted:
    """The signals that the rule names anywhere."""
    names: set[str] = set()
    for key in keys.keys() - {
        "rule",
        "assets",
        "template",
        "parameters",
        "event",
        "do",
        "stale",
        "once",
        "micro",
        "at_end_of",
        "on_error",
    }:
        names |= _named(keys[key], key)
    if "do" in keys and keys["do"].is_sequence:
        names |= _named(keys["do"], "branches")
    own = keys["event"].raw.value if "event" in keys else None
    measures = set(keys["collect"].mapping()) if "collect" in keys and keys["collect"].is_mapping else set()
    signals = {_signal_of(each) for each in names}
    wait = keys.get("wait")
    awaited = wait.mapping().get("for") if wait is not None and wait.is_mapping else None
    events = {str(own)} | ({str(awaited.raw.value)} if awaited is not None else set())
    tracked = set(keys["track"].mapping()) if "track" in keys and keys["track"].is_mapping else set()
    running = "order" in keys and keys["order"].raw.value == "running"
    signals -= {"", "running", "period", *RESERVED, *measures, *tracked, *events}
    return Wanted(
        signals=frozenset(signals),
        event=str(own) if own is not None else None,
        order=running or _is_per_order(keys),
        per_order=_is_per_order(keys),
        shift=any(each.startswith("shift.") for each in names),
    )


def _is_per_order(keys: Mapping[str, Node]) -> bool:
    tracked = keys["track"].mapping().values() if "track" in keys and keys["track"].is_mapping else ()
    pers = [each.mapping().get("per") for each in tracked if each.is_mapping]
    return any(each is not None and each.raw.value == "order" for each in (*pers, keys.get("at_end_of")))


def _named(node: Node, key: str) -> set[str]:
    """References of every expression below a node; texts that are none of their own are skipped by their key."""
    if node.is_mapping:
        skipped = {"do", "for", "at_most", "at_least", "within", "every", "merge_gaps", "unit", "post", "over", "per"}
        skipped = skipped if key != "collect" else set()
        return {name for own, each in node.mapping().items() if own not in skipped for name in _named(each, own)}
    if node.is_sequence:
        names = {name for each in node.items() for name in _named(each, key)}
        return names - {"order"} if key == "and_when_changes" else names
    return set(references_of(node, template=key in ("else", "alert")))


def _signal_of(reference: str) -> str:
    """`scrap` of `scrap.qty`, `fault` of `episode.fault`."""
    parts = reference.split(".")
    return parts[1] if parts[0] == "episode" and len(parts) > 1 else parts[0]


def event_signal(assets: Assets, name: str) -> EventSignal | None:
    """The first event signal of this name in the site."""
    for each in assets.equipment.values():
        signal = each.signals.get(name)
        if isinstance(signal, EventSignal):
            return signal
    return None


def _lacking(equipment: Equipment, names: Collection[str], *, order: bool) -> list[str]:
    lacking = [f'signal "{name}"' for name in names if name not in equipment.signals]
    if order and equipment.order_signal is None:
        lacking.append("signal with the role order")
    return lacking


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "what it names"
