"""Which equipment a rule is for: its pattern, and the signals that the rule names."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, EventSignal, Role, Signal
from ruleset.problem import suggest

EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a rule needs of an equipment. `node` is where a problem about one of `signals` is shown."""

    signals: frozenset[str]
    event: str | None
    order: bool


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


def event_signal(assets: Assets, name: str) -> EventSignal | None:
    """The first event signal of this name in the site."""
    for each in assets.equipment.values():
        signal = each.signals.get(name)
        if isinstance(signal, EventSignal):
            return signal
    return None


def order_signal(equipment: Equipment) -> str | None:
    """The signal that names the running order."""
    for signal in equipment.signals.values():
        if isinstance(signal, Signal) and signal.role is Role.ORDER:
            return signal.name
    return None


def _lacking(equipment: Equipment, names: Collection[str], *, order: bool) -> list[str]:
    lacking = [f'signal "{name}"' for name in names if name not in equipment.signals]
    if order and order_signal(equipment) is None:
        lacking.append("signal with the role order")
    return lacking


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "what it names"
