"""`track`: what a rule follows over time, under names that its expressions read; and `at_end_of`, which tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ruleset.cel import Kind
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, Role, Signal, ValueType
from ruleset.grammar.expression import names_of, read_condition
from ruleset.grammar.posting import read_then
from ruleset.grammar.scope import RESERVED, Names, names_at
from ruleset.problem import suggest
from ruleset.track.delta import Delta, Per
from ruleset.track.ending import Ending

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_PERIOD: Final = {"period": Kind.TEXT, "started": Kind.NUMBER, "ended": Kind.NUMBER}
LONGEST_MS: Final = 31 * 86_400_000


def read_track(keys: Mapping[str, Node], equipment: Equipment) -> tuple[Delta, ...]:
    """The deltas of a rule at one kind of equipment."""
    if "track" not in keys:
        return ()
    read = (_read_delta(name, key, node, equipment) for name, key, node in keys["track"].entries())
    return tuple(each for each in read if each is not None)


def _read_delta(name: str, key: Node, node: Node, equipment: Equipment) -> Delta | None:
    if not _NAME.fullmatch(name):
        key.problem(f'name "{name}" must be lower case letters, digits and _, starting with a letter')
    elif name in equipment.signals or name in RESERVED or name in _PERIOD:
        key.problem(f'"{name}" means something else here already; choose another name')
    keys = node.mapping(allowed={"delta", "over", "per"}, required={"delta"})
    if ("over" in keys) == ("per" in keys):
        node.problem("say over which time: `over: 10m`, or `per: shift` or `per: order`")
        return None
    signal = _read_number(keys["delta"], equipment) if "delta" in keys else None
    over_ms = keys["over"].duration(at_least_ms=1000, at_most_ms=LONGEST_MS) if "over" in keys else None
    per = read_per(keys["per"], equipment) if "per" in keys else None
    if signal is None or (over_ms is None and per is None):
        return None
    is_counter = signal.role is Role.COUNTER
    return Delta(
        name=name, signal=signal.name, is_counter=is_counter, rollover=signal.rollover, over_ms=over_ms, per=per
    )


def _read_number(node: Node, equipment: Equipment) -> Signal | None:
    numbers = {
        each.name: each
        for each in equipment.signals.values()
        if isinstance(each, Signal) and each.type in (ValueType.INTEGER, ValueType.NUMBER)
    }
    name = node.text()
    if name is not None and name not in numbers:
        node.problem(f'"{name}" is no signal that is a number{suggest(name, numbers)}')
    return numbers.get(name or "")


def read_per(node: Node, equipment: Equipment) -> Per | None:
    """A period that the equipment has."""
    word = node.choice(tuple(Per))
    if word == Per.SHIFT and equipment.shifts is None:
        node.problem(f"{equipment.name} has no shifts: say in assets.yaml when they are")
    if word == Per.ORDER and equipment.order_signal is None:
        node.problem(f"{equipment.name} has no signal with the role order")
    return Per(word) if word is not None else None


def read_ending(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Ending | None:
    names: Names = names_at(keys, equipment, assets, _PERIOD)
    per = read_per(keys["at_end_of"], equipment)
    when = read_condition(keys["when"], names) if "when" in keys else None
    posting = read_then(keys, names, equipment, assets, names_of(when))
    return Ending(per=per, when=when, posting=posting) if per is not None and posting is not None else None
