"""What a test expects, read: postings, dead letters, alerts and remarks, each with the fields that its author names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from ruleset.document import Node
from ruleset.form.vocabulary import PROGRESS
from ruleset.output import RemarkName
from ruleset.problem import suggest
from ruleset.testing.case import SECTIONS, Expected, Offset, Shown
from ruleset.testing.moment import read_offset
from ruleset.testing.shown import ENVELOPE, Holds, actions, member_fields, own_fields

_TEXTS: Final = {name: Holds.TIME if name in ("at", "posted") else Holds.TEXT for name in ENVELOPE}
_ALERT: Final = {"text": Holds.TEXT, **{name: _TEXTS[name] for name in ("asset", "rule", "at", "posted")}}
_REMARK: Final = {"remark": Holds.TEXT, "text": Holds.TEXT, "asset": Holds.TEXT, "posted": Holds.TIME}
_REMARKS: Final = tuple(name.value for name in RemarkName)


def read_expected(
    keys: Mapping[str, Node], assets: Mapping[str, str], rules: Collection[str]
) -> dict[str, tuple[Expected, ...]]:
    """The sections of a test. Postings, dead letters and alerts that are not named must not come; remarks may.

    `assets` are the names of the test's equipment, each with how postings show it.
    """
    expected: dict[str, tuple[Expected, ...]] = {"expect": (), "unmet": (), "alerts": ()}
    for section in (each for each in SECTIONS if each in keys):
        read = [_read_one(node, section, assets, rules) for node in keys[section].items()]
        expected[section] = tuple(each for each in read if each is not None)
    return expected


def _read_one(node: Node, section: str, assets: Mapping[str, str], rules: Collection[str]) -> Expected | None:
    match section:
        case "alerts":
            if node.is_text:
                return Expected(line=node.line, values={"text": node.text()})
            values = _read_values(node, _ALERT, assets, rules)
        case "remarks":
            if not node.is_mapping:
                name = node.choice(_REMARKS)
                return None if name is None else Expected(line=node.line, values={"remark": name})
            values = _read_values(node, _REMARK, assets, rules)
            if "remark" in values:
                node.mapping()["remark"].choice(_REMARKS)
        case _:
            values = _read_posting(node, section, assets, rules)
    return Expected(line=node.line, values=values)


def _read_posting(node: Node, section: str, assets: Mapping[str, str], rules: Collection[str]) -> dict[str, Shown]:
    do = node.mapping(required={"do"}).get("do")
    action = do.choice(actions()) if do is not None else None
    if do is None or action is None:
        return {}
    own = own_fields(action)
    holds = {"do": Holds.TEXT, **_TEXTS, **own, **({"reason": Holds.TEXT} if section == "unmet" else {})}
    for name in ("quantity",) if action == PROGRESS and "quantity" in node.mapping() else ():
        node.mapping()[name].problem(f"{PROGRESS} posts the total that was reached: write `upto`")
        return {}
    members = {name: member_fields(action, name) for name, each in own.items() if each is Holds.MEMBERS}
    return _read_values(node, holds, assets, rules, members)


def _read_values(
    node: Node,
    holds: Mapping[str, Holds],
    assets: Mapping[str, str],
    rules: Collection[str],
    members: Mapping[str, Mapping[str, Holds]] = {},
) -> dict[str, Shown]:
    values: dict[str, Shown] = {}
    for name, value in node.mapping(allowed=holds).items():
        if value.is_null:
            values[name] = None
        elif name == "asset":
            values[name] = _read_asset(value, assets)
        elif name == "rule":
            values[name] = _read_rule(value, rules)
        elif holds[name] is Holds.MEMBERS:
            values[name] = tuple(_read_values(each, members[name], assets, rules) for each in value.items())
        else:
            values[name] = _read_value(value, holds[name])
    return values


def _read_value(node: Node, holds: Holds) -> Shown:
    match holds:
        case Holds.TIME:
            offset = read_offset(node)
            return None if offset is None else Offset(offset)
        case Holds.AMOUNT:
            return None if node.number() is None else Decimal(str(node.raw.value).replace("_", ""))
        case Holds.WHOLE:
            return node.integer()
        case Holds.TEXTS:
            return tuple(each.text() for each in node.items())
        case Holds.TEXT | Holds.MEMBERS:
            return node.text()


def _read_asset(node: Node, assets: Mapping[str, str]) -> str | None:
    name = node.text()
    if name is not None and name not in assets:
        node.problem(f'"{name}" does not take part in this test{suggest(name, sorted(set(assets.values())))}')
        return None
    return assets.get(name or "")


def _read_rule(node: Node, rules: Collection[str]) -> str | None:
    name = node.text()
    if name is not None and name not in rules:
        node.problem(f'the rule "{name}" is not at work in this test{suggest(name, rules)}')
    return name
